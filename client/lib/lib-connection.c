/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The connection: its life, calls that wait for their answer. Where vfiod is, is for lib-open.c to
 * know. Its fd is an epoll of the bus and of what lib-process.c looks at besides. Signals are read
 * by the way while a call waits; no file is readable because of them then, so the connection kicks
 * itself.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/lib/lib-private.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

#define TIMEOUT_DEFAULT_MS UINT64_C(360000)
/* Together longer than a restart of vfiod takes. */
#define REPEATS_MAX 20
#define REPEAT_PAUSE_USEC (250 * 1000)
/* Longer than anybody lives, and shorter than what overflows as microseconds. */
#define TIMEOUT_MAX_MS (UINT64_MAX / 2000)

int vfiod_connection_new(vfiod_connection **ret) {
        vfiod_connection *c = malloc(sizeof(*c));

        if (!c)
                return -ENOMEM;
        *c = (vfiod_connection){
                .timeout_ms = TIMEOUT_DEFAULT_MS,
                .n_references = 1,
                .poll_fd = -EBADF,
                .kick_fd = -EBADF,
        };
        list_init(&c->leases);
        *ret = c;
        return 0;
}

static void hang_up(vfiod_connection *c) {
        c->bus = sd_bus_close_unref(c->bus);
        c->poll_fd = fd_close(c->poll_fd);
        c->kick_fd = fd_close(c->kick_fd);
}

vfiod_connection *connection_ref(vfiod_connection *c) {
        c->n_references++;
        return c;
}

void connection_unref(vfiod_connection *c) {
        if (--c->n_references > 0)
                return;
        hang_up(c);
        sd_bus_error_free(&c->error);
        free(c);
}

vfiod_connection *vfiod_connection_free(vfiod_connection *c) {
        if (!c)
                return NULL;
        hang_up(c);
        connection_unref(c);
        return NULL;
}

void connection_begin(vfiod_connection *c) {
        sd_bus_error_free(&c->error);
}

bool connection_is_peer(const vfiod_connection *c) {
        return c->bus && sd_bus_is_bus_client(c->bus) == 0;
}

int connection_explain_end(vfiod_connection *c) {
        sd_bus_error_free(&c->error);
        sd_bus_error_set(&c->error, SD_BUS_ERROR_DISCONNECTED,
                         "vfiod closed the connection: it was stopped, or its limits do not allow "
                         "this one");
        return -ECONNRESET;
}

static int classify(vfiod_connection *c, int r) {
        if (sd_bus_error_is_set(&c->error))
                return error_class(c->error.name);
        /* -ENXIO is how sd-bus says that a message has other contents. */
        if (r == -ENXIO)
                r = -EBADMSG;
        sd_bus_error_set_errno(&c->error, r);
        return r;
}

int connection_end(vfiod_connection *c, int r) {
        if (r >= 0) {
                sd_bus_error_free(&c->error);
                return 0;
        }
        r = classify(c, r);
        return r == -ECONNRESET && connection_is_peer(c) ? connection_explain_end(c) : r;
}

const char *vfiod_error_name(const vfiod_connection *c) {
        return c->error.name;
}

const char *vfiod_error_message(const vfiod_connection *c) {
        return c->error.name && !c->error.message ? c->error.name : c->error.message;
}

int vfiod_connection_set_interactive(vfiod_connection *c, bool interactive) {
        int r = 0;

        connection_begin(c);
        if (c->bus)
                r = sd_bus_set_allow_interactive_authorization(c->bus, interactive);
        if (r >= 0)
                c->interactive = interactive;
        return connection_end(c, r);
}

int vfiod_connection_set_timeout(vfiod_connection *c, uint64_t timeout_ms) {
        connection_begin(c);
        if (timeout_ms == 0)
                return connection_end(c, -EINVAL);
        c->timeout_ms = timeout_ms < TIMEOUT_MAX_MS ? timeout_ms : TIMEOUT_MAX_MS;
        return 0;
}

static int poll_for(int poll_fd, int fd) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

        return epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_poll_fd(vfiod_connection *c) {
        int r;

        c->poll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (c->poll_fd < 0)
                return -errno;
        c->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (c->kick_fd < 0)
                return -errno;
        r = poll_for(c->poll_fd, c->kick_fd);
        if (r < 0)
                return r;
        r = sd_bus_get_fd(c->bus);
        return r < 0 ? r : poll_for(c->poll_fd, r);
}

static int start(vfiod_connection *c) {
        int r;

        r = sd_bus_negotiate_fds(c->bus, 1);
        if (r >= 0)
                r = sd_bus_set_allow_interactive_authorization(c->bus, c->interactive);
        if (r >= 0)
                r = sd_bus_add_filter(c->bus, NULL, on_release_requested, c);
        if (r >= 0)
                r = sd_bus_start(c->bus);
        return r < 0 ? r : open_poll_fd(c);
}

int connection_start(vfiod_connection *c, sd_bus *bus) {
        int r;

        c->bus = bus;
        r = start(c);
        if (r < 0)
                hang_up(c);
        return r;
}

int connection_new_call(vfiod_connection *c, const char *path, const char *interface,
                        const char *member, sd_bus_message **ret) {
        if (!c->bus)
                return -ENOTCONN;
        return sd_bus_message_new_method_call(c->bus, ret, VFIOD_BUS_NAME, path, interface, member);
}

int connection_new_target_call(vfiod_connection *c, const char *member, const char *const *targets,
                               sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(c, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, member, &m);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **)targets);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

int connection_find_device(vfiod_connection *c, const char *device, char **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *path;
        int r;

        r = connection_new_call(c, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, "GetDevice", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", device);
        if (r >= 0)
                r = connection_call(c, m, 0, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        return r < 0 ? r : string_set(ret, path);
}

int connection_new_device_call(vfiod_connection *c, const char *device, const char *member,
                               sd_bus_message **ret) {
        _cleanup_free_ char *path = NULL;
        int r = connection_find_device(c, device, &path);

        return r < 0 ? r : connection_new_call(c, path, VFIOD_INTERFACE_DEVICE, member, ret);
}

void connection_kick(vfiod_connection *c) {
        (void)eventfd_write(c->kick_fd, 1);
}

/* What may be done twice, the first time for nobody. A lease that nobody has got ends by itself. */
static bool may_be_repeated(sd_bus_message *call) {
        static const char *const members[] = {"Acquire",
                                              "Bind",
                                              "CheckAuthorization",
                                              "Explain",
                                              "Get",
                                              "GetAll",
                                              "GetDevice",
                                              "GetFds",
                                              "GetGroup",
                                              "GetManagedObjects",
                                              "Inspect",
                                              "ListDevices",
                                              "ListGroups",
                                              "ListHolders",
                                              "ListLeases",
                                              "ListMdevTypes",
                                              "Overview",
                                              "Ping",
                                              "Plan",
                                              "Release",
                                              "Unbind"};

        for (size_t i = 0; i < ELEMENTS(members); i++)
                if (string_equal(sd_bus_message_get_member(call), members[i]))
                        return true;
        return false;
}

/* The bus says so of a vfiod that has left it with the call unanswered, to be restarted say. */
static bool was_left(const vfiod_connection *c) {
        return sd_bus_error_has_name(&c->error, SD_BUS_ERROR_NO_REPLY);
}

/* Nobody has taken its place yet, where the bus does not start it. */
static bool is_away(const vfiod_connection *c) {
        return sd_bus_error_has_names(&c->error, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                      SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

/* The vfiod before has ended the lease, or the lease itself in between. */
static bool is_released(const vfiod_connection *c, sd_bus_message *call) {
        return string_equal(sd_bus_message_get_member(call), "Release") &&
               sd_bus_error_has_name(&c->error, SD_BUS_ERROR_UNKNOWN_OBJECT);
}

static int copy_call(vfiod_connection *c, sd_bus_message *call, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(c, sd_bus_message_get_path(call),
                                sd_bus_message_get_interface(call), sd_bus_message_get_member(call),
                                &m);
        if (r >= 0)
                r = sd_bus_message_rewind(call, true);
        if (r >= 0)
                r = sd_bus_message_copy(m, call, true);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

/* In microseconds; UINT64_MAX for ever. */
static uint64_t time_left(uint64_t end) {
        uint64_t now = clock_now(CLOCK_MONOTONIC);

        if (end == UINT64_MAX)
                return UINT64_MAX;
        return end > now ? end - now : 1;
}

static uint64_t end_of(uint64_t timeout) {
        uint64_t now = clock_now(CLOCK_MONOTONIC);

        return timeout < UINT64_MAX - now ? now + timeout : UINT64_MAX;
}

/* A vfiod that is restarted is a pause. One that leaves again and again is not waited for. */
static int call_until(vfiod_connection *c, sd_bus_message *call, uint64_t end,
                      sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = sd_bus_message_ref(call);
        int r;

        for (unsigned n = 0;; n++) {
                sd_bus_error_free(&c->error);
                r = sd_bus_call(c->bus, m, time_left(end), &c->error, ret);
                if (r < 0 && n > 0 && is_released(c, call)) {
                        sd_bus_error_free(&c->error);
                        return 0;
                }
                if (r >= 0 || n == REPEATS_MAX || connection_is_peer(c) || !may_be_repeated(call) ||
                    !(was_left(c) || (n > 0 && is_away(c))))
                        return r;
                (void)usleep(REPEAT_PAUSE_USEC);
                m = sd_bus_message_unref(m);
                r = copy_call(c, call, &m);
                if (r < 0)
                        return r;
        }
}

int connection_call(vfiod_connection *c, sd_bus_message *call, uint64_t timeout,
                    sd_bus_message **ret) {
        uint64_t unread = 0;
        int r;

        r = call_until(c, call, end_of(timeout > 0 ? timeout : c->timeout_ms * 1000), ret);
        if (sd_bus_get_n_queued_read(c->bus, &unread) >= 0 && unread > 0)
                connection_kick(c);
        if (r == -ENOTCONN) {
                /* It was open. */
                sd_bus_error_free(&c->error);
                return -ECONNRESET;
        }
        return r < 0 ? r : 0;
}

int connection_call_again(vfiod_connection *c, sd_bus_message *call, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (connection_is_peer(c) || !may_be_repeated(call) || !was_left(c))
                return 0;
        r = copy_call(c, call, &m);
        if (r >= 0)
                r = connection_call(c, m, 0, ret);
        return r < 0 ? r : 1;
}

int vfiod_connection_get_fd(const vfiod_connection *c) {
        return c->bus ? c->poll_fd : -ENOTCONN;
}
