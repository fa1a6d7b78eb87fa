/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * acquire: takes a lease and holds it until it is interrupted or the lease ends. What it is good
 * for: keeping devices from everybody else, and trying things out; programs use exec.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>

#include "client/report.h"
#include "client/verb.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

static int print_json(const vfiod_lease *lease) {
        _cleanup_json_ json_object *document = json_object_new_object();
        json_object *files = json_object_new_array();
        const vfiod_file *file;
        int r;

        if (!document) {
                json_object_put(files);
                return -ENOMEM;
        }
        r = json_add(document, "Lease", json_object_new_string(vfiod_lease_get_path(lease)));
        if (r < 0)
                json_object_put(files);
        else
                r = json_add(document, "Fds", files);
        for (size_t i = 0; r >= 0 && (file = vfiod_lease_get_file(lease, i)); i++) {
                json_object *entry = json_object_new_object();

                r = json_append(files, entry);
                if (r >= 0)
                        r = json_add(entry, "Kind", json_object_new_string(file->kind));
                if (r >= 0)
                        r = json_add(entry, "Name", json_object_new_string(file->name));
        }
        if (r < 0)
                return r;
        json_write_line(stdout, document);
        return 0;
}

static int print_lease(const Arguments *a, const vfiod_lease *lease) {
        const vfiod_file *file;

        if (a->json)
                return print_json(lease);
        printf("lease %s\n", vfiod_lease_get_path(lease));
        for (size_t i = 0; (file = vfiod_lease_get_file(lease, i)); i++)
                printf("%s%s%s\n", file->kind, file->name[0] ? " " : "", file->name);
        fflush(stdout);
        return 0;
}

static int open_signals(void) {
        sigset_t mask;
        int fd;

        sigemptyset(&mask);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        fd = signalfd(-1, &mask, SFD_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

typedef struct Told {
        bool asked_back;
        bool ended;
        char *reason; /* of the first who asked; "" where it is not known */
} Told;

static void told_done(Told *told) {
        free(told->reason);
}

static void on_event(_unused_ vfiod_lease *lease, const vfiod_lease_event *event, void *userdata) {
        Told *told = userdata;

        if (event->type == VFIOD_LEASE_ENDED)
                told->ended = true;
        if (event->type != VFIOD_LEASE_RELEASE_REQUESTED || told->asked_back)
                return;
        told->asked_back = true;
        (void)string_set(&told->reason, event->reason);
}

/* Until a signal comes, or the lease has ended or is wanted back. */
static int hold(vfiod_connection *c, const Told *told) {
        _cleanup_close_ int signals = open_signals();
        struct pollfd fds[] = {
                {.fd = signals, .events = POLLIN},
                {.fd = vfiod_connection_get_fd(c), .events = POLLIN},
        };

        if (signals < 0)
                return signals;
        while (!fds[0].revents && !told->asked_back && !told->ended) {
                int r;

                if (poll(fds, ELEMENTS(fds), -1) < 0 && errno != EINTR)
                        return -errno;
                r = vfiod_connection_process(c);
                if (r < 0 && !told->ended)
                        return r;
        }
        return 0;
}

static int finish(vfiod_lease *lease, const Told *told) {
        const char *path = vfiod_lease_get_path(lease);

        if (told->ended)
                return report(STATUS_NO, NULL, "%s has ended", path);
        (void)vfiod_lease_release(lease);
        if (!told->asked_back)
                return STATUS_OK;
        if (string_is_empty(told->reason))
                return report(STATUS_NO, NULL, "vfiod asked for %s back: given back", path);
        return report(STATUS_NO, NULL, "vfiod asked for %s back: %s; given back", path,
                      told->reason);
}

static int acquire(const Arguments *a, vfiod_connection *c, char **targets) {
        _cleanup_(told_done) Told told = {0};
        _cleanup_lease_ vfiod_lease *lease = NULL;
        int r;

        r = vfiod_acquire(c, constant(targets), &a->acquire, &lease);
        if (r < 0)
                return connection_report(c, r);
        vfiod_lease_set_callback(lease, on_event, &told);
        r = print_lease(a, lease);
        if (r < 0)
                return report_errno(r, "acquire");
        r = hold(c, &told);
        return r < 0 ? connection_report(c, r) : finish(lease, &told);
}

static int plan(const Arguments *a, vfiod_connection *c, char **targets) {
        char **steps;
        int r;

        r = vfiod_plan_acquire(c, constant(targets), &a->acquire, &steps);
        if (r >= 0)
                r = verb_print_steps(a, steps);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}

int verb_acquire(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r < 0)
                return connection_report(c, r);
        return a->dry_run ? plan(a, c, targets) : acquire(a, c, targets);
}
