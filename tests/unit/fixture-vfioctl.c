/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The scripted daemon (serve()), and vfioctl's process. */

#include "tests/unit/fixture-vfioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "client/duration.h"
#include "client/json.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"

#define VFIOD ":1.1"
#define SOMEBODY ":1.66"
#define CLIENT ":1.5"
#define DBUS "org.freedesktop.DBus"
/* Sanitisers on a busy machine are slow. */
#define PATIENCE_MS 30000

/* --- the daemon */

typedef struct Daemon {
        const Script *script;
        sd_bus *bus;
        sd_event *event;
        uint64_t begun; /* CLOCK_MONOTONIC, 0 before */
        sd_bus_message *unbind;
        int lease_pipe[2];
        int log;
} Daemon;

static void hear(const Daemon *d, const char *line) {
        _cleanup_free_ char *text = string_format("%s\n", line);

        if (!text || write(d->log, text, strlen(text)) < 0)
                _exit(1);
}

static bool is_past(const Daemon *d, unsigned milliseconds) {
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

/* As the bus would: every message has its sender. */
static int send_as(const char *sender, sd_bus_message *m) {
        int r;

        r = sd_bus_message_set_sender(m, sender);
        return r < 0 ? r : sd_bus_send(NULL, m, NULL);
}

static int answer(sd_bus_message *call, const char *error) {
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

static int begin_script(Daemon *d) {
        d->begun = clock_now(CLOCK_MONOTONIC);
        return plan_for(d, d->script->die_at, on_die);
}

/* "Unbind [targets] {options}" */
static int hear_call(Daemon *d, sd_bus_message *m) {
        _cleanup_free_ char *line = string_format("%s", sd_bus_message_get_member(m));
        int r = line ? 0 : -ENOMEM;

        while (r >= 0 && (r = sd_bus_message_at_end(m, true)) == 0) {
                _cleanup_json_ json_object *value = NULL;

                r = json_from_message(m, &value);
                if (r >= 0)
                        r = string_append(
                                &line, " %s",
                                json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
        }
        if (r < 0)
                return r;
        r = sd_bus_message_get_allow_interactive_authorization(m);
        if (r > 0)
                r = string_append(&line, " interactive");
        hear(d, line);
        return r;
}

static int on_unbind(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        Daemon *d = userdata;
        int r;

        r = hear_call(d, m);
        if (r >= 0)
                r = begin_script(d);
        if (r < 0)
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
        if (r < 0)
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

static int on_plan(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r;

        r = hear_call(userdata, m);
        return r < 0 ? r : sd_bus_reply_method_return(m, "as", 1, "ask for it");
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
                r = send_request(d, VFIOD, d->script->reason);
        return r;
}

static int on_acquire(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Daemon *d = userdata;
        int r;

        r = hear_call(d, m);
        if (r >= 0)
                r = begin_script(d);
        if (r >= 0)
                r = plan_for(d, d->script->ask_back_at, on_ask_back);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "oha(ssh)", SCRIPT_LEASE, d->lease_pipe[0], 0);
        return r < 0 ? r : send_as(VFIOD, reply);
}

static int on_release(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r;

        r = hear_call(userdata, m);
        return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
}

static uint64_t deadline(const Daemon *d) {
        uint64_t past = d->begun == 0 ? 0 : clock_now(CLOCK_MONOTONIC) - d->begun;

        if (d->script->deadline_in == 0 ||
            (d->script->deadline_until != 0 && is_past(d, d->script->deadline_until)))
                return 0;
        return clock_now(CLOCK_REALTIME) - past + d->script->deadline_in * 1000ULL;
}

static int get_deadline(sd_bus *bus _unused_, const char *path _unused_,
                        const char *interface _unused_, const char *name _unused_,
                        sd_bus_message *reply, void *userdata, sd_bus_error *reterr _unused_) {
        return sd_bus_message_append(reply, "t", deadline(userdata));
}

static int on_list_leases(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        return sd_bus_reply_method_return(m, "a(oa{sv})", 1, SCRIPT_LEASE, 5, "Id", "u", 7, "Owner",
                                          "u", SCRIPT_UID, "State", "s", "releasing", "Groups",
                                          "au", 1, 3, "Deadline", "t", deadline(userdata));
}

static const char *device_state(const Daemon *d) {
        return d->script->device_state ? d->script->device_state : "idle";
}

static int on_overview(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        return sd_bus_reply_method_return(
                m, "a(usbboa(sssssqqssas))", 1, 3, "DMA", 1, 1, "/", 1, SCRIPT_DEVICE, "pci",
                "vfio-pci", "vfio", device_state(userdata), 0x8086, 0x10d3, "Intel", "82574L", 0);
}

static int on_list_devices(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r;

        r = hear_call(userdata, m);
        return r < 0 ? r
                     : sd_bus_reply_method_return(
                               m, "a(oa{sv})", 2, "/org/vfiod1/device/a", 2, "Name", "s", "a",
                               "StuckReason", "s", "wrong", "/org/vfiod1/device/n", 2, "Name", "s",
                               SCRIPT_DEVICE, "StuckReason", "s", "nobody knows why");
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Acquire", "asa{sv}", "oha(ssh)", on_acquire, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListDevices", "", "a(oa{sv})", on_list_devices, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListHolders", "as", "aa{sv}", on_list_holders, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListLeases", "", "a(oa{sv})", on_list_leases, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Overview", "", "a(usbboa(sssssqqssas))", on_overview,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Plan", "sasa{sv}", "as", on_plan, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Unbind", "asa{sv}", "", on_unbind, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable lease_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Release", "", "", on_release, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Deadline", "t", get_deadline, 0, 0),
        SD_BUS_VTABLE_END,
};

/* --- the bus */

static int on_hello(sd_bus_message *m, void *userdata _unused_, sd_bus_error *reterr _unused_) {
        return sd_bus_reply_method_return(m, "s", CLIENT);
}

static const sd_bus_vtable bus_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Hello", "", "s", on_hello, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int on_left(sd_bus_message *m _unused_, void *userdata, sd_bus_error *reterr _unused_) {
        Daemon *d = userdata;

        hear(d, "left");
        return sd_event_exit(d->event, 0);
}

static int start_serving(Daemon *d, int fd) {
        sd_id128_t id = SD_ID128_NULL;

        if (pipe2(d->lease_pipe, O_CLOEXEC) < 0 || sd_event_new(&d->event) < 0 ||
            sd_bus_new(&d->bus) < 0 || sd_bus_set_fd(d->bus, fd, fd) < 0 ||
            sd_bus_set_server(d->bus, 1, id) < 0 || sd_bus_negotiate_fds(d->bus, 1) < 0 ||
            sd_bus_add_object_vtable(d->bus, NULL, "/org/freedesktop/DBus", DBUS, bus_vtable, d) <
                    0 ||
            sd_bus_add_object_vtable(d->bus, NULL, VFIOD_PATH, VFIOD_INTERFACE_MANAGER,
                                     manager_vtable, d) < 0 ||
            sd_bus_add_object_vtable(d->bus, NULL, SCRIPT_LEASE, VFIOD_INTERFACE_LEASE,
                                     lease_vtable, d) < 0 ||
            sd_bus_match_signal(d->bus, NULL, NULL, "/org/freedesktop/DBus/Local", DBUS ".Local",
                                "Disconnected", on_left, d) < 0 ||
            sd_bus_start(d->bus) < 0)
                return -EIO;
        return sd_bus_attach_event(d->bus, d->event, 0);
}

/* One client, from its connecting to its leaving. Never returns. */
static void serve(int listener, const Script *script, int log) {
        Daemon d = {.script = script, .log = log};
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 || start_serving(&d, fd) < 0)
                _exit(1);
        _exit(sd_event_loop(d.event) < 0);
}

/* --- vfioctl */

static const char *program;

void vfioctl_set_program(const char *path) {
        program = path;
}

static int listen_somewhere(char **ret_address) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        size_t size = sizeof(address.sun_path) - 1;
        int n, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        n = snprintf(address.sun_path + 1, size, "vfioctl-test-%d", (int)getpid());
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)),
                         0);
        ck_assert_int_eq(listen(fd, 1), 0);
        *ret_address = string_format("unix:abstract=%s", address.sun_path + 1);
        return fd;
}

static void become_vfioctl(const char *address, char *const *arguments, int out, int err) {
        _cleanup_strv_ char **argv = NULL;
        int in = isatty(err) ? err : open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (strv_push(&argv, program) < 0)
                _exit(126);
        for (; *arguments; arguments++)
                if (strv_push(&argv, *arguments) < 0)
                        _exit(126);
        if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
            dup2(err, STDERR_FILENO) < 0 || setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1) < 0 ||
            setenv("TERM", "vt100", 1) < 0 || unsetenv("COLUMNS") < 0 ||
            setenv("LC_ALL", "C", 1) < 0)
                _exit(126);
        execv(program, argv);
        _exit(126);
}

static void start(Vfioctl *v, const Script *script, char *const *arguments, int stderr_ends[2]) {
        _cleanup_close_ int listener = -EBADF;
        _cleanup_free_ char *address = NULL;
        int log[2], out[2];

        listener = listen_somewhere(&address);
        ck_assert_int_eq(pipe2(log, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
        v->daemon = fork();
        ck_assert_int_ge(v->daemon, 0);
        if (v->daemon == 0) {
                /* Its copy of the read ends would keep them from their end. */
                (void)fd_close(stderr_ends[1]);
                (void)fd_close(out[1]);
                serve(listener, script, log[1]);
        }
        v->pid = fork();
        ck_assert_int_ge(v->pid, 0);
        if (v->pid == 0)
                become_vfioctl(address, arguments, out[1], stderr_ends[1]);
        (void)fd_close(log[1]);
        (void)fd_close(out[1]);
        (void)fd_close(stderr_ends[1]);
        v->log = log[0];
        v->in[0] = out[0];
        v->in[1] = stderr_ends[0];
}

void vfioctl_start(Vfioctl *v, const Script *script, char *const *arguments) {
        int ends[2];

        *v = (Vfioctl){.log = -EBADF};
        ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
        start(v, script, arguments, ends);
}

/*
 * A new terminal's two ends. A chroot may have no /dev/pts, but its root may make a file system of
 * terminals that is mounted nowhere.
 */
static void open_terminal(int ends[2]) {
        int unlocked = 0;

        ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (ends[0] < 0) {
                _cleanup_close_ int context = fsopen("devpts", FSOPEN_CLOEXEC), mount = -EBADF;

                ck_assert_int_ge(context, 0);
                ck_assert_int_eq(fsconfig(context, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0), 0);
                ck_assert_int_eq(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
                mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
                ck_assert_int_ge(mount, 0);
                ends[0] = openat(mount, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        }
        ck_assert_int_ge(ends[0], 0);
        ck_assert_int_eq(ioctl(ends[0], TIOCSPTLCK, &unlocked), 0);
        ends[1] = ioctl(ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        ck_assert_int_ge(ends[1], 0);
}

void vfioctl_start_on_terminal(Vfioctl *v, const Script *script, char *const *arguments) {
        struct winsize size = {.ws_col = 120, .ws_row = 24};
        int ends[2];

        *v = (Vfioctl){.log = -EBADF};
        open_terminal(ends);
        ck_assert_int_eq(ioctl(ends[1], TIOCSWINSZ, &size), 0);
        start(v, script, arguments, ends);
}

/* What there is on one of them; false at its end. A terminal ends in EIO. */
static bool take_text(Vfioctl *v, size_t which) {
        char buffer[4096];
        ssize_t n = read(v->in[which], buffer, sizeof(buffer) - 1);

        if (n <= 0) {
                v->in[which] = fd_close(v->in[which]);
                return false;
        }
        buffer[n] = '\0';
        ck_assert_int_ge(string_append(&v->text[which], "%s", buffer), 0);
        return true;
}

/* Waits for text, until both have ended (false). */
static bool wait_for_text(Vfioctl *v) {
        struct pollfd fds[] = {{.fd = v->in[0], .events = POLLIN},
                               {.fd = v->in[1], .events = POLLIN}};

        if (v->in[0] < 0 && v->in[1] < 0)
                return false;
        ck_assert_msg(poll(fds, ELEMENTS(fds), PATIENCE_MS) > 0, "vfioctl says nothing; so far: %s",
                      vfioctl_stderr(v));
        for (size_t i = 0; i < ELEMENTS(fds); i++)
                if (fds[i].revents)
                        (void)take_text(v, i);
        return true;
}

void vfioctl_wait_for(Vfioctl *v, const char *part) {
        while (!strstr(vfioctl_stderr(v), part))
                ck_assert_msg(wait_for_text(v), "vfioctl ended and did not say '%s', but: %s", part,
                              vfioctl_stderr(v));
}

static void read_log(Vfioctl *v) {
        char buffer[4096];
        ssize_t n;

        while ((n = read(v->log, buffer, sizeof(buffer) - 1)) > 0) {
                buffer[n] = '\0';
                ck_assert_int_ge(string_append(&v->heard, "%s", buffer), 0);
        }
}

void vfioctl_finish(Vfioctl *v) {
        int status;

        while (wait_for_text(v))
                continue;
        ck_assert_int_eq(waitpid(v->pid, &status, 0), v->pid);
        v->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        ck_assert_int_eq(waitpid(v->daemon, &status, 0), v->daemon);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the scripted daemon failed");
        read_log(v);
        if (!v->heard)
                v->heard = strdup("");
}

void vfioctl_done(Vfioctl *v) {
        for (size_t i = 0; i < ELEMENTS(v->in); i++) {
                v->in[i] = fd_close(v->in[i]);
                free(v->text[i]);
        }
        v->log = fd_close(v->log);
        free(v->heard);
}

unsigned vfioctl_count_heard(const Vfioctl *v, const char *part) {
        unsigned n = 0;

        for (const char *at = v->heard; (at = strstr(at, part)); at += strlen(part))
                n++;
        return n;
}
