/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/unit/fixture-vfioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/status.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"

/* Sanitisers on a busy machine are slow. */
#define PATIENCE_MS 30000

static const char *program;

void vfioctl_set_program(const char *path) {
        program = path;
}

/* Behind its socket it is the only one to be found. */
static int set_address(const Script *script, const char *address) {
        if (!script->peer)
                return setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
        return setenv("DBUS_SYSTEM_BUS_ADDRESS", NO_BUS, 1) < 0
                       ? -1
                       : setenv(VFIOD_SOCKET_VARIABLE, address, 1);
}

static void become_vfioctl(const Script *script, const char *address, char *const *arguments,
                           int out, int err) {
        _cleanup_strv_ char **argv = NULL;
        int in = isatty(err) ? err : open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (strv_push(&argv, program) < 0)
                _exit(126);
        for (; *arguments; arguments++)
                if (strv_push(&argv, *arguments) < 0)
                        _exit(126);
        if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
            dup2(err, STDERR_FILENO) < 0 || set_address(script, address) < 0 ||
            setenv("TERM", "vt100", 1) < 0 || unsetenv("COLUMNS") < 0 ||
            setenv("LC_ALL", "C", 1) < 0)
                _exit(126);
        execv(program, argv);
        _exit(126);
}

static void start(Vfioctl *v, const Script *script, char *const *arguments, int stderr_ends[2]) {
        _cleanup_free_ char *address = NULL;
        int out[2];

        ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
        /* Its copy of the write ends would keep the others from their end. */
        v->daemon = daemon_start(script, (int[2]){stderr_ends[1], out[1]}, &address, &v->log);
        v->unasked = script->unasked;
        v->pid = fork();
        ck_assert_int_ge(v->pid, 0);
        if (v->pid == 0)
                become_vfioctl(script, address, arguments, out[1], stderr_ends[1]);
        (void)fd_close(out[1]);
        (void)fd_close(stderr_ends[1]);
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
        bool unasked;
        int status;

        while (wait_for_text(v))
                continue;
        ck_assert_int_eq(waitpid(v->pid, &status, 0), v->pid);
        v->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        /* Wrong usage asks nothing: it is still waiting for somebody. */
        unasked = v->unasked || v->status == STATUS_USAGE;
        if (unasked)
                ck_assert_int_eq(kill(v->daemon, SIGKILL), 0);
        ck_assert_int_eq(waitpid(v->daemon, &status, 0), v->daemon);
        ck_assert_msg(unasked || (WIFEXITED(status) && WEXITSTATUS(status) == 0),
                      "the scripted daemon failed");
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
