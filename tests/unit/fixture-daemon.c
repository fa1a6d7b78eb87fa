/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The scripted daemon: its process, the bus, and org.vfiod1.Manager. */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/json.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-daemon-private.h"

#define VFIOD ":1.1"
#define NEXT_VFIOD ":1.9"
#define SOMEBODY ":1.66"
#define CLIENT ":1.5"
/* sd_bus_path_encode() of SCRIPT_DEVICE */
#define DEVICE_PATH VFIOD_PATH_DEVICE "/_30000_3a01_3a00_2e0"
#define DBUS "org.freedesktop.DBus"

void hear(const Daemon *d, const char *line) {
        _cleanup_free_ char *text = string_format("%s\n", line);

        if (!text || write(d->log, text, strlen(text)) < 0)
                _exit(1);
}

bool is_past(const Daemon *d, unsigned milliseconds) {
        return d->begun != 0 && clock_now(CLOCK_MONOTONIC) - d->begun >= milliseconds * 1000ULL;
}

static int plan_for(Daemon *d, unsigned milliseconds, sd_event_time_handler_t handler) {
        if (milliseconds == 0)
                return 0;
        return sd_event_add_time_relative(d->event, NULL, CLOCK_MONOTONIC, milliseconds * 1000ULL,
                                          1000, handler, d);
}

static int on_die(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        hear(userdata, "died");
        _exit(0);
}

static int send_as(const char *sender, sd_bus_message *m) {
        int r;

        r = sd_bus_message_set_sender(m, sender);
        return r < 0 ? r : sd_bus_send(NULL, m, NULL);
}

int send_as_vfiod(sd_bus_message *m) {
        int r = send_as(VFIOD, m);

        sd_bus_message_unref(m);
        return r;
}

int answer(sd_bus_message *call, const char *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = error ? sd_bus_message_new_method_errorf(call, &reply, error, "as scripted")
                  : sd_bus_message_new_method_return(call, &reply);
        return r < 0 ? r : send_as(VFIOD, reply);
}

static int on_answer(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Daemon *d = userdata;

        return answer(d->unbind, d->script->answer_error);
}

/* Of the method that fails, by the script. */
static const char *next_error(Daemon *d) {
        if (d->script->failures > 0 && d->failures == d->script->failures)
                return d->script->last_error;
        d->failures++;
        return d->script->error;
}

int hear_call(Daemon *d, sd_bus_message *m) {
        const char *error;
        _cleanup_free_ char *line = string_format("%s", sd_bus_message_get_member(m));
        int r = line ? 0 : -ENOMEM;

        while (r >= 0 && (r = sd_bus_message_at_end(m, true)) == 0) {
                _cleanup_json_ json_object *value = NULL;

                r = json_from_message(m, &value);
                if (r >= 0)
                        r = string_append(&line, " %s",
                                          json_object_to_json_string_ext(
                                                  value, JSON_C_TO_STRING_PLAIN |
                                                                 JSON_C_TO_STRING_NOSLASHESCAPE));
        }
        if (r < 0)
                return r;
        r = sd_bus_message_get_allow_interactive_authorization(m);
        if (r > 0)
                r = string_append(&line, " interactive");
        hear(d, line);
        if (r >= 0)
                r = sd_bus_message_rewind(m, true);
        if (r < 0 || !string_equal(d->script->failing, sd_bus_message_get_member(m)))
                return r < 0 ? r : 0;
        error = next_error(d);
        r = error ? answer(m, error) : 0;
        return r < 0 ? r : error != NULL;
}

static int send_request(Daemon *d, const char *sender, const char *reason) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_signal(d->bus, &m, SCRIPT_LEASE, VFIOD_INTERFACE_LEASE,
                                      "ReleaseRequested");
        if (r >= 0)
                r = sd_bus_message_set_destination(m, CLIENT);
        if (r >= 0)
                r = sd_bus_message_append(m, "ts", UINT64_C(0), reason);
        return r < 0 ? r : send_as(sender, m);
}

static int on_ask_back(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Daemon *d = userdata;
        int r = 0;

        if (write(d->lease_pipe[1], "r", 1) != 1)
                return -errno;
        if (d->script->forged_first)
                r = send_request(d, SOMEBODY, "forged");
        if (r >= 0 && d->script->reason)
                r = send_request(d, d->script->restarted ? NEXT_VFIOD : VFIOD, d->script->reason);
        return r;
}

static int on_end(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Daemon *d = userdata;

        d->lease_pipe[1] = fd_close(d->lease_pipe[1]);
        return 0;
}

int begin_script(Daemon *d) {
        int r;

        d->begun = clock_now(CLOCK_MONOTONIC);
        r = plan_for(d, d->script->die_at, on_die);
        if (r >= 0)
                r = plan_for(d, d->script->ask_back_at, on_ask_back);
        return r < 0 ? r : plan_for(d, d->script->end_at, on_end);
}

static int on_unbind(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        Daemon *d = userdata;
        int r;

        r = hear_call(d, m);
        if (r == 0)
                r = begin_script(d);
        if (r != 0)
                return r;
        d->unbind = sd_bus_message_ref(m);
        r = plan_for(d, d->script->answer_at, on_answer);
        return r < 0 ? r : 1;
}

static int append_holder(Daemon *d, sd_bus_message *reply) {
        return sd_bus_message_append(reply, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "Pid", "u", SCRIPT_PID,
                                     "Uid", "u", SCRIPT_UID, "Command", "s", "qemu", "Unit", "s",
                                     "vm1.service", "Lease", "o",
                                     d->script->unnamed_lease ? "/" : SCRIPT_LEASE, "Files",
                                     "a(ssi)", 2, "device", SCRIPT_DEVICE, 7, "mapping",
                                     SCRIPT_DEVICE, -1, "AddedByALaterDaemon", "as", 1, "x");
}

static int on_list_holders(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Daemon *d = userdata;
        int r;

        r = hear_call(d, m);
        if (r != 0)
                return r;
        if (d->script->holders_error)
                return answer(m, d->script->holders_error);
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        if (r >= 0 && d->script->holders_until > 0 && !is_past(d, d->script->holders_until)) {
                r = sd_bus_message_open_container(reply, 'a', "{sv}");
                if (r >= 0)
                        r = append_holder(d, reply);
                if (r >= 0)
                        r = sd_bus_message_close_container(reply);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : send_as(VFIOD, reply);
}

static int on_bind(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r;

        r = hear_call(userdata, m);
        return r != 0 ? r : answer(m, NULL);
}

static int on_plan(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r;

        r = hear_call(userdata, m);
        return r != 0 ? r : sd_bus_reply_method_return(m, "as", 1, "ask for it");
}

uint64_t script_deadline(const Daemon *d) {
        uint64_t past = d->begun == 0 ? 0 : clock_now(CLOCK_MONOTONIC) - d->begun;

        if (d->script->deadline_in == 0 ||
            (d->script->deadline_until != 0 && is_past(d, d->script->deadline_until)))
                return 0;
        return clock_now(CLOCK_REALTIME) - past + d->script->deadline_in * 1000ULL;
}

static int on_list_leases(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        return sd_bus_reply_method_return(m, "a(oa{sv})", 1, SCRIPT_LEASE, 5, "Id", "u", 7, "Owner",
                                          "u", SCRIPT_UID, "State", "s", "releasing", "Groups",
                                          "au", 1, 3, "Deadline", "t", script_deadline(userdata));
}

static const char *device_state(const Daemon *d) {
        return d->script->device_state ? d->script->device_state : "idle";
}

static const char *device_assignment(const Daemon *d) {
        return d->script->device_assignment ? d->script->device_assignment : "";
}

static int on_overview(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r;

        r = hear_call(userdata, m);
        if (r != 0)
                return r;
        return sd_bus_reply_method_return(m, "a(usbboa(sssssqqssass))", 1, 3, "DMA", 1, 1, "/", 1,
                                          SCRIPT_DEVICE, "pci", "vfio-pci", "vfio",
                                          device_state(userdata), 0x8086, 0x10d3, "Intel", "82574L",
                                          0, device_assignment(userdata));
}

static int on_list_devices(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r;

        r = hear_call(userdata, m);
        return r != 0 ? r
                      : sd_bus_reply_method_return(
                                m, "a(oa{sv})", 2, "/org/vfiod1/device/a", 2, "Name", "s", "a",
                                "StuckReason", "s", "wrong", "/org/vfiod1/device/n", 3, "Name", "s",
                                SCRIPT_DEVICE, "StuckReason", "s", "nobody knows why", "Rebound",
                                "s", "somebody knows why");
}

static int append_authorisation(sd_bus_message *m, const char *action, const char *device,
                                const char *lease, const char *result) {
        return sd_bus_message_append(m, "a{sv}", 6, "Action", "s", action, "Device", "s", device,
                                     "Lease", "o", lease, "Result", "s", result, "Reason", "s",
                                     "as scripted", "AddedByALaterDaemon", "as", 1, "x");
}

/* Everything is allowed but where the script speaks of a failing "auth". */
static int on_check_authorization(sd_bus_message *m, void *userdata,
                                  sd_bus_error *reterr _unused_) {
        const Daemon *d = userdata;
        bool allowed = !string_equal(d->script->failing, "auth");
        sd_bus_message *reply = NULL;
        int r;

        r = hear_call(userdata, m);
        if (r != 0)
                return r;
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "a{sv}");
        if (r >= 0)
                r = append_authorisation(reply, VFIOD_ACTION_LIST, "", "/", "yes");
        if (r >= 0)
                r = append_authorisation(reply, VFIOD_ACTION_ACQUIRE, SCRIPT_DEVICE, SCRIPT_LEASE,
                                         allowed ? "yes" : "challenge");
        if (r >= 0)
                r = append_authorisation(reply, "org.example.later", SCRIPT_DEVICE, "/",
                                         allowed ? "yes" : "no");
        if (r >= 0)
                r = append_authorisation(reply, VFIOD_ACTION_RELEASE_OTHER, "", SCRIPT_LEASE,
                                         "yes");
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : send_as_vfiod(reply);
}

static int get_features(sd_bus *bus _unused_, const char *path _unused_,
                        const char *interface _unused_, const char *property _unused_,
                        sd_bus_message *reply, void *userdata, sd_bus_error *reterr _unused_) {
        const Daemon *d = userdata;

        return d->script->no_iommufd ? sd_bus_message_append(reply, "as", 1, "group")
                                     : sd_bus_message_append(reply, "as", 2, "group", "iommufd");
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Features", "as", get_features, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_METHOD("CheckAuthorization", "asa{sv}", "aa{sv}", on_check_authorization,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Acquire", "asa{sv}", "oha(ssh)", on_acquire, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Assign", "asa{sv}", "", on_bind, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Unassign", "asa{sv}", "", on_bind, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Bind", "asa{sv}", "", on_bind, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CreateMdev", "sssa{sv}", "so", on_create_mdev, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListMdevTypes", "s", "aa{sv}", on_list_mdev_types,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Explain", "as", "aa{sv}", on_explain, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetDevice", "s", "oa{sv}", on_get_device, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListDevices", "", "a(oa{sv})", on_list_devices, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListHolders", "as", "aa{sv}", on_list_holders, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListLeases", "", "a(oa{sv})", on_list_leases, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Overview", "", "a(usbboa(sssssqqssass))", on_overview,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Plan", "sasa{sv}", "as", on_plan, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Unbind", "asa{sv}", "", on_unbind, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* --- the bus */

static int on_hello(sd_bus_message *m, void *userdata _unused_, sd_bus_error *reterr _unused_) {
        return sd_bus_reply_method_return(m, "s", CLIENT);
}

static int on_get_name_owner(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        const Daemon *d = userdata;

        return sd_bus_reply_method_return(m, "s", d->script->restarted ? NEXT_VFIOD : VFIOD);
}

static const sd_bus_vtable bus_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetNameOwner", "s", "s", on_get_name_owner, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Hello", "", "s", on_hello, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int on_left(sd_bus_message *m _unused_, void *userdata, sd_bus_error *reterr _unused_) {
        Daemon *d = userdata;

        hear(d, "left");
        return sd_event_exit(d->event, 0);
}

static int add_bus(Daemon *d) {
        return d->script->peer ? 0
                               : sd_bus_add_object_vtable(d->bus, NULL, "/org/freedesktop/DBus",
                                                          DBUS, bus_vtable, d);
}

static int start_serving(Daemon *d, int fd) {
        sd_id128_t id = SD_ID128_NULL;

        if (pipe2(d->lease_pipe, O_CLOEXEC) < 0 || sd_event_new(&d->event) < 0 ||
            sd_bus_new(&d->bus) < 0 || sd_bus_set_fd(d->bus, fd, fd) < 0 ||
            sd_bus_set_server(d->bus, 1, id) < 0 || sd_bus_set_sender(d->bus, VFIOD) < 0 ||
            sd_bus_negotiate_fds(d->bus, 1) < 0 || add_bus(d) < 0 ||
            sd_bus_add_object_vtable(d->bus, NULL, VFIOD_PATH, VFIOD_INTERFACE_MANAGER,
                                     manager_vtable, d) < 0 ||
            sd_bus_add_object_vtable(d->bus, NULL, SCRIPT_LEASE, VFIOD_INTERFACE_LEASE,
                                     scripted_lease, d) < 0 ||
            sd_bus_add_object_vtable(d->bus, NULL, DEVICE_PATH, VFIOD_INTERFACE_DEVICE,
                                     scripted_device, d) < 0 ||
            sd_bus_match_signal(d->bus, NULL, NULL, "/org/freedesktop/DBus/Local", DBUS ".Local",
                                "Disconnected", on_left, d) < 0 ||
            sd_bus_start(d->bus) < 0)
                return -EIO;
        return sd_bus_attach_event(d->bus, d->event, 0);
}

/* One client, from its connecting to its leaving. Never returns. */
static void serve(int listener, const char *address, const Script *script, int log) {
        Daemon d = {.script = script, .log = log};
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (script->peer)
                daemon_remove_path(address);
        if (script->hangs_up)
                _exit(fd < 0);
        if (fd < 0 || start_serving(&d, fd) < 0)
                _exit(1);
        _exit(sd_event_loop(d.event) < 0);
}

/* `length` of a sun_path; a name that begins with NUL is in no directory. */
static int listen_at(const struct sockaddr_un *address, size_t length) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(bind(fd, (const struct sockaddr *)address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                         0);
        ck_assert_int_eq(listen(fd, 1), 0);
        return fd;
}

static int listen_somewhere(char **ret_address) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "vfioctl-test-%d",
                         (int)getpid());

        *ret_address = string_format("unix:abstract=%s", address.sun_path + 1);
        return listen_at(&address, 1 + (size_t)n);
}

int daemon_listen_at_path(char **ret_path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char directory[] = "/tmp/vfioctl-test-XXXXXX";

        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(chmod(directory, 0755), 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
        *ret_path = strdup(address.sun_path);
        return listen_at(&address, strlen(address.sun_path) + 1);
}

void daemon_remove_path(const char *path) {
        _cleanup_free_ char *directory = strndup(path, (size_t)(strrchr(path, '/') - path));

        (void)unlink(path);
        (void)rmdir(directory);
}

pid_t daemon_start(const Script *script, const int unused[2], char **ret_address, int *ret_log) {
        _cleanup_close_ int listener =
                script->peer ? daemon_listen_at_path(ret_address) : listen_somewhere(ret_address);
        int log[2];
        pid_t pid;

        ck_assert_int_eq(pipe2(log, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void)fd_close(unused[0]);
                (void)fd_close(unused[1]);
                serve(listener, *ret_address, script, log[1]);
        }
        (void)fd_close(log[1]);
        *ret_log = log[0];
        return pid;
}
