/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * acquire: takes a lease and holds it until it is interrupted or the lease ends. What it is good
 * for: keeping devices from everybody else, and trying things out; programs use exec.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "client/report.h"
#include "client/verb.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

static int print_json(const Grant *grant) {
        _cleanup_json_ json_object *document = json_object_new_object();
        json_object *files = json_object_new_array();
        int r;

        if (!document) {
                json_object_put(files);
                return -ENOMEM;
        }
        r = json_add(document, "Lease", json_object_new_string(grant->lease));
        if (r < 0)
                json_object_put(files);
        else
                r = json_add(document, "Fds", files);
        for (size_t i = 0; i < grant->n_files && r >= 0; i++) {
                json_object *file = json_object_new_object();

                r = json_append(files, file);
                if (r >= 0)
                        r = json_add(file, "Kind", json_object_new_string(grant->files[i].kind));
                if (r >= 0)
                        r = json_add(file, "Name", json_object_new_string(grant->files[i].name));
        }
        if (r < 0)
                return r;
        json_write_line(stdout, document);
        return 0;
}

static int print_grant(const Arguments *a, const Grant *grant) {
        if (a->json)
                return print_json(grant);
        printf("lease %s\n", grant->lease);
        for (size_t i = 0; i < grant->n_files; i++)
                printf("%s%s%s\n", grant->files[i].kind, grant->files[i].name[0] ? " " : "",
                       grant->files[i].name);
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

/* 1 when a signal came, 0 when the lease has ended or is wanted back, -errno. */
static int hold(const Grant *grant) {
        _cleanup_close_ int signals = open_signals();
        struct pollfd fds[] = {
                {.fd = signals, .events = POLLIN},
                {.fd = grant->lease_fd, .events = POLLIN},
        };

        if (signals < 0)
                return signals;
        while (poll(fds, ELEMENTS(fds), -1) < 0)
                if (errno != EINTR)
                        return -errno;
        return fds[0].revents != 0;
}

/* vfiod sends its signal and the byte together, but by different ways. */
#define REASON_PATIENCE UINT64_C(1000000)

/*
 * The lease ends when lease_fd is closed, but some time after: Release returns when it is over, so
 * that whoever waits for this process finds the group free.
 */
static int give_back(Connection *c, Grant *grant) {
        grant_close_files(grant);
        (void)lease_release(c, grant->lease);
        return STATUS_OK;
}

static int asked_back(Connection *c, Grant *grant) {
        _cleanup_free_ char *reason = NULL;

        (void)lease_wait_for_reason(c, grant, REASON_PATIENCE, &reason);
        (void)give_back(c, grant);
        if (string_is_empty(reason))
                return report(STATUS_NO, NULL, "vfiod asked for %s back: given back", grant->lease);
        return report(STATUS_NO, NULL, "vfiod asked for %s back: %s; given back", grant->lease,
                      reason);
}

static int lease_ended(Connection *c, Grant *grant) {
        char byte;

        /* A byte asks for the lease; end-of-file says that it is gone. */
        if (read(grant->lease_fd, &byte, 1) > 0)
                return asked_back(c, grant);
        return report(STATUS_NO, NULL, "%s has ended", grant->lease);
}

int verb_acquire(const Arguments *a) {
        _cleanup_connection_ Connection c = CONNECTION_NULL;
        _cleanup_grant_ Grant grant = GRANT_NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        if (a->dry_run)
                return verb_dry_run(a, "acquire");
        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = manager_acquire(&c, targets, &a->options, &grant);
        if (r >= 0)
                r = print_grant(a, &grant);
        if (r < 0)
                return connection_report(&c, r);

        r = hold(&grant);
        if (r < 0)
                return report_errno(r, "cannot wait");
        return r > 0 ? give_back(&c, &grant) : lease_ended(&c, &grant);
}
