/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * exec: acquires, and becomes the program, which inherits the files and lease_fd: the lease lives
 * as long as the program, or any child of it that has lease_fd. Nothing of vfioctl stays behind.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/report.h"
#include "client/substitute.h"
#include "client/verb.h"
#include "daemon/util/string.h"

/* As of the shell: what was asked for is not there, or cannot be run. */
#define EXIT_NOT_FOUND 127
#define EXIT_NOT_EXECUTABLE 126

static int report_placeholder(int r, char *sentence) {
        _cleanup_free_ char *owned = sentence;

        if (r == -EINVAL && owned)
                return report(STATUS_USAGE, NULL, "%s", owned);
        return report_errno(r, "placeholders");
}

/* Before anything is asked of the daemon: what is wrong with the command in any case. */
static int check_command(const Arguments *a) {
        bool devices = !string_equal(a->options.prepare, "open");

        for (char **word = a->command + 1; *word; word++) {
                char *sentence = NULL;
                int r;

                r = substitute_check(*word, devices, &sentence);
                if (r < 0)
                        return report_placeholder(r, sentence);
        }
        return STATUS_OK;
}

static int fill_in_command(const Arguments *a, const Grant *grant, char ***ret) {
        _cleanup_strv_ char **command = NULL;
        int r;

        r = strv_push(&command, a->command[0]);
        for (char **word = a->command + 1; *word && r >= 0; word++) {
                char *filled = NULL, *sentence = NULL;

                r = substitute(*word, grant, &filled, &sentence);
                if (r < 0)
                        return report_placeholder(r, sentence);
                r = strv_push_consume(&command, filled);
        }
        if (r < 0)
                return report_errno(r, "placeholders");
        *ret = TAKE_PTR(command);
        return STATUS_OK;
}

static int inherit(int fd) {
        return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
}

static int inherit_all(const Grant *grant) {
        int r;

        r = inherit(grant->lease_fd);
        for (size_t i = 0; i < grant->n_files && r >= 0; i++)
                r = inherit(grant->files[i].fd);
        return r;
}

static int set_environment(const Grant *grant) {
        _cleanup_free_ char *files = grant_describe(grant);
        _cleanup_free_ char *lease_fd = string_format("%d", grant->lease_fd);

        if (!files || !lease_fd)
                return -ENOMEM;
        if (setenv("VFIOD_LEASE", grant->lease, 1) < 0 ||
            setenv("VFIOD_LEASE_FD", lease_fd, 1) < 0 || setenv("VFIOD_FDS", files, 1) < 0)
                return -errno;
        return 0;
}

static int become(const Grant *grant, char **command) {
        int r;

        r = set_environment(grant);
        if (r >= 0)
                r = inherit_all(grant);
        if (r < 0)
                return report_errno(r, "cannot hand the files on");

        execvp(command[0], command);
        r = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
        return report((ExitStatus)r, NULL, "%s: %s", command[0], strerror(errno));
}

int verb_exec(const Arguments *a) {
        _cleanup_connection_ Connection c = CONNECTION_NULL;
        _cleanup_grant_ Grant grant = GRANT_NULL;
        _cleanup_strv_ char **targets = NULL, **command = NULL;
        int r;

        r = check_command(a);
        if (r != STATUS_OK)
                return r;
        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = manager_acquire(&c, targets, &a->options, &grant);
        if (r < 0)
                return connection_report(&c, r);

        r = fill_in_command(a, &grant, &command);
        if (r != STATUS_OK)
                return r;
        return become(&grant, command);
}
