/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/manager.h"

#include <errno.h>
#include <stdlib.h>

#include "client/target.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static int new_call(Connection *c, const char *member, sd_bus_message **ret) {
        return connection_new_call(c, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, member, ret);
}

/* A call whose only argument is the list of targets. */
static int new_target_call(Connection *c, const char *member, char **targets,
                           sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(c, member, &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(m, targets);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

static int append_string_option(sd_bus_message *m, const char *key, const char *value) {
        return value ? sd_bus_message_append(m, "{sv}", key, "s", value) : 0;
}

static int append_true_option(sd_bus_message *m, const char *key, bool value) {
        return value ? sd_bus_message_append(m, "{sv}", key, "b", 1) : 0;
}

static int append_policy(sd_bus_message *m, const OperationOptions *options) {
        int r;

        r = append_string_option(m, "policy", options->policy);
        if (r >= 0 && options->has_timeout)
                r = sd_bus_message_append(m, "{sv}", "timeout", "t", options->timeout_ms);
        return r;
}

static int append_options(sd_bus_message *m, const OperationOptions *options, bool defer_fds) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r < 0)
                return r;
        r = append_string_option(m, "driver", options->driver);
        if (r < 0)
                return r;
        r = append_string_option(m, "label", options->label);
        if (r < 0)
                return r;
        r = append_string_option(m, "mode", options->mode);
        if (r < 0)
                return r;
        r = append_string_option(m, "prepare", options->prepare);
        if (r < 0)
                return r;
        r = append_policy(m, options);
        if (r < 0)
                return r;
        r = append_true_option(m, "bind", options->bind);
        if (r < 0)
                return r;
        r = append_true_option(m, "defer_fds", defer_fds);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

void list_replies_done(ListReplies *replies) {
        sd_bus_message_unref(replies->groups);
        sd_bus_message_unref(replies->devices);
        sd_bus_message_unref(replies->leases);
        sd_bus_message_unref(replies->explain);
        *replies = (ListReplies){0};
}

/* Sends the calls, which it consumes, and gives the replies their place. */
static int call_all_consume(Connection *c, sd_bus_message **calls, size_t n,
                            sd_bus_message **replies) {
        int r;

        r = connection_call_all(c, calls, n, replies);
        for (size_t i = 0; i < n; i++)
                calls[i] = sd_bus_message_unref(calls[i]);
        return r;
}

/* The calls of these members, and Explain where there are targets, in one round trip. */
static int call_members(Connection *c, const char *const *members, size_t n_members, char **targets,
                        sd_bus_message **replies) {
        sd_bus_message *calls[4] = {NULL};
        size_t n = 0;
        int r = 0;

        for (; n < n_members && r >= 0; n++)
                r = new_call(c, members[n], &calls[n]);
        if (r >= 0 && strv_length(targets) > 0)
                r = new_target_call(c, "Explain", targets, &calls[n++]);
        if (r < 0) {
                for (size_t i = 0; i < n; i++)
                        sd_bus_message_unref(calls[i]);
                return r;
        }
        return call_all_consume(c, calls, n, replies);
}

int manager_list(Connection *c, char **targets, ListReplies *ret) {
        static const char *const members[] = {"ListGroups", "ListDevices", "ListLeases"};
        sd_bus_message *replies[4] = {NULL};
        int r;

        r = call_members(c, members, ELEMENTS(members), targets, replies);
        if (r >= 0)
                *ret = (ListReplies){replies[0], replies[1], replies[2], replies[3]};
        return r;
}

int manager_overview(Connection *c, char **targets, ListReplies *ret) {
        static const char *const members[] = {"Overview", "ListLeases"};
        sd_bus_message *replies[3] = {NULL};
        int r;

        r = call_members(c, members, ELEMENTS(members), targets, replies);
        if (r >= 0)
                *ret = (ListReplies){replies[0], NULL, replies[1], replies[2]};
        return r;
}

static int call_without_arguments(Connection *c, const char *member, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(c, member, &m);
        return r < 0 ? r : connection_call(c, m, ret);
}

int manager_list_devices(Connection *c, sd_bus_message **ret) {
        return call_without_arguments(c, "ListDevices", ret);
}

int manager_list_leases(Connection *c, sd_bus_message **ret) {
        return call_without_arguments(c, "ListLeases", ret);
}

static int new_get_call(Connection *c, const char *target, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint32_t number;
        int r;

        if (target_to_group(target, &number) >= 0) {
                r = new_call(c, "GetGroup", &m);
                if (r >= 0)
                        r = sd_bus_message_append(m, "u", number);
        } else {
                r = new_call(c, "GetDevice", &m);
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", target);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

int manager_get(Connection *c, char **targets, sd_bus_message **replies) {
        size_t n = 2 * strv_length(targets);
        _cleanup_free_ sd_bus_message **calls = calloc(n, sizeof(sd_bus_message *));
        int r = 0;

        if (!calls)
                return -ENOMEM;
        for (size_t i = 0; i < n && r >= 0; i += 2) {
                char *alone[] = {targets[i / 2], NULL};

                r = new_get_call(c, targets[i / 2], &calls[i]);
                if (r >= 0)
                        r = new_target_call(c, "Explain", alone, &calls[i + 1]);
        }
        if (r < 0) {
                for (size_t i = 0; i < n; i++)
                        sd_bus_message_unref(calls[i]);
                return r;
        }
        return call_all_consume(c, calls, n, replies);
}

int manager_explain(Connection *c, char **targets, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, "Explain", targets, &m);
        return r < 0 ? r : connection_call(c, m, ret);
}

int manager_change(Connection *c, const char *method, char **targets,
                   const OperationOptions *options) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, method, targets, &m);
        if (r < 0)
                return r;
        r = append_options(m, options, false);
        return r < 0 ? r : connection_call(c, m, NULL);
}

int manager_list_holders(Connection *c, char **targets, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, "ListHolders", targets, &m);
        return r < 0 ? r : connection_call(c, m, ret);
}

int manager_begin_unbind(Connection *c, char **targets, const OperationOptions *options,
                         sd_bus_message_handler_t callback, void *userdata,
                         sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, "Unbind", targets, &m);
        if (r < 0)
                return r;
        r = append_options(m, options, false);
        if (r < 0)
                return r;
        r = sd_bus_call_async(c->bus, ret_slot, m, callback, userdata, UINT64_MAX);
        return r < 0 ? r : 0;
}

static int begin_aside(Connection *c, sd_bus_message *m, sd_bus_message_handler_t callback,
                       void *userdata, sd_bus_slot **ret_slot) {
        int r;

        r = sd_bus_message_set_allow_interactive_authorization(m, false);
        if (r < 0)
                return r;
        r = sd_bus_call_async(c->bus, ret_slot, m, callback, userdata, 0);
        return r < 0 ? r : 0;
}

int manager_begin_list_holders(Connection *c, char **targets, sd_bus_message_handler_t callback,
                               void *userdata, sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, "ListHolders", targets, &m);
        return r < 0 ? r : begin_aside(c, m, callback, userdata, ret_slot);
}

int lease_begin_get_deadline(Connection *c, const char *path, sd_bus_message_handler_t callback,
                             void *userdata, sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(c, path, "org.freedesktop.DBus.Properties", "Get", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "ss", VFIOD_INTERFACE_LEASE, "Deadline");
        return r < 0 ? r : begin_aside(c, m, callback, userdata, ret_slot);
}

int manager_plan(Connection *c, const char *operation, char **targets,
                 const OperationOptions *options, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(c, "Plan", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "s", operation);
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(m, targets);
        if (r < 0)
                return r;
        r = append_options(m, options, false);
        return r < 0 ? r : connection_call(c, m, ret);
}

/* a(ssh): the fds in a message are borrowed, a grant keeps duplicates. */
static int read_files(sd_bus_message *m, Grant *grant) {
        const char *kind, *name;
        int r, fd;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(ssh)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(ssh)", &kind, &name, &fd)) > 0) {
                fd = fd_duplicate(fd);
                if (fd < 0)
                        return fd;
                r = grant_add_consume(grant, kind, name, fd);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int acquire_once(Connection *c, char **targets, const OperationOptions *options,
                        bool defer_fds, Grant *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *path;
        int r, fd;

        r = new_target_call(c, "Acquire", targets, &m);
        if (r < 0)
                return r;
        r = append_options(m, options, defer_fds);
        if (r < 0)
                return r;
        r = connection_call(c, m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "oh", &path, &fd);
        if (r < 0)
                return r;
        r = string_set(&ret->lease, path);
        if (r < 0)
                return r;
        r = string_set(&ret->granter, sd_bus_message_get_sender(reply));
        if (r < 0)
                return r;
        ret->lease_fd = fd_duplicate(fd);
        if (ret->lease_fd < 0)
                return ret->lease_fd;
        return read_files(reply, ret);
}

static int get_page(Connection *c, Grant *grant, uint32_t *ret_total) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = connection_new_call(c, grant->lease, VFIOD_INTERFACE_LEASE, "GetFds", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "uu", (uint32_t)grant->n_files, VFIOD_BUS_FDS_MAX);
        if (r < 0)
                return r;
        r = connection_call(c, m, &reply);
        if (r < 0)
                return r;
        r = read_files(reply, grant);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "u", ret_total);
        return r < 0 ? r : 0;
}

static int get_all_files(Connection *c, Grant *grant) {
        uint32_t total = 0;

        do {
                size_t before = grant->n_files;
                int r;

                r = get_page(c, grant, &total);
                if (r < 0)
                        return r;
                if (grant->n_files == before && before < total)
                        return -EBADMSG;
        } while (grant->n_files < total);
        return 0;
}

int manager_acquire(Connection *c, char **targets, const OperationOptions *options, Grant *ret) {
        _cleanup_grant_ Grant grant = GRANT_NULL;
        int r;

        r = acquire_once(c, targets, options, false, &grant);
        if (r < 0 && sd_bus_error_has_name(&c->error, VFIOD_ERROR_PREFIX "TooManyFds")) {
                r = acquire_once(c, targets, options, true, &grant);
                if (r >= 0)
                        r = get_all_files(c, &grant);
        }
        if (r < 0)
                return r;
        *ret = grant;
        grant = (Grant)GRANT_NULL;
        return 0;
}

int lease_release(Connection *c, const char *path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(c, path, VFIOD_INTERFACE_LEASE, "Release", &m);
        return r < 0 ? r : connection_call(c, m, NULL);
}

typedef struct ReasonSought {
        const Grant *grant;
        bool heard;
        char *reason;
} ReasonSought;

/* ReleaseRequested(t deadline, s reason), from the daemon itself: anybody may send signals. */
static int on_signal(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *reterr) {
        ReasonSought *sought = userdata;
        uint64_t deadline;
        const char *reason;

        if (sought->heard ||
            !sd_bus_message_is_signal(m, VFIOD_INTERFACE_LEASE, "ReleaseRequested") ||
            !string_equal(sd_bus_message_get_path(m), sought->grant->lease) ||
            !string_equal(sd_bus_message_get_sender(m), sought->grant->granter))
                return 0;
        sought->heard = true;
        if (sd_bus_message_read(m, "ts", &deadline, &reason) >= 0)
                sought->reason = strdup(reason);
        return 0;
}

int lease_wait_for_reason(Connection *c, const Grant *grant, uint64_t timeout, char **ret) {
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        ReasonSought sought = {.grant = grant};
        int r;

        r = sd_bus_add_filter(c->bus, &slot, on_signal, &sought);
        if (r >= 0)
                r = connection_run_until(c, &sought.heard, timeout);
        if (r < 0) {
                free(sought.reason);
                return r;
        }
        *ret = sought.reason;
        return 0;
}

int manager_ping(Connection *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(c, VFIOD_PATH, "org.freedesktop.DBus.Peer", "Ping", &m);
        return r < 0 ? r : connection_call(c, m, NULL);
}
