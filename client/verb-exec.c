/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * exec: acquires, and becomes the program, which inherits the files and lease_fd: the lease lives
 * as long as the program, or any child of it that has lease_fd. Nothing of vfioctl stays behind.
 */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

/*
 * Before anything is asked of the daemon: what is wrong with the command in any case, and the mode
 * that its placeholders are of.
 */
static int check_command(const Arguments *a, vfiod_acquire_options *options) {
        for (char **word = a->command + 1; *word; word++) {
                char *sentence = NULL;
                int r;

                r = substitute_check(*word, options->prepare, &options->mode, &sentence);
                if (r < 0)
                        return report_placeholder(r, sentence);
        }
        return STATUS_OK;
}

static int fill_in_command(const Arguments *a, const vfiod_lease *lease, char ***ret) {
        _cleanup_strv_ char **command = NULL;
        int r;

        r = strv_push(&command, a->command[0]);
        for (char **word = a->command + 1; *word && r >= 0; word++) {
                char *filled = NULL, *sentence = NULL;

                r = substitute(*word, lease, &filled, &sentence);
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

static int inherit_all(const vfiod_lease *lease) {
        const vfiod_file *file;
        int r;

        r = inherit(vfiod_lease_get_fd(lease, VFIOD_KIND_LEASE, NULL));
        for (size_t i = 0; r >= 0 && (file = vfiod_lease_get_file(lease, i)); i++)
                r = inherit(file->fd);
        return r;
}

/* "container:=5 group:3=6 device:0000:01:00.0=7": kind up to the first ':', fd behind the last '='
 */
static int describe_files(const vfiod_lease *lease, char **ret) {
        _cleanup_free_ char *text = strdup("");
        const vfiod_file *file;

        for (size_t i = 0; text && (file = vfiod_lease_get_file(lease, i)); i++)
                if (string_append(&text, "%s%s:%s=%d", i > 0 ? " " : "", file->kind, file->name,
                                  file->fd) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(text);
        return *ret ? 0 : -ENOMEM;
}

static int set_number(const char *variable, uint64_t number) {
        _cleanup_free_ char *text = string_format("%" PRIu64, number);

        if (!text)
                return -ENOMEM;
        return setenv(variable, text, 1) < 0 ? -errno : 0;
}

static int set_environment(const vfiod_lease *lease) {
        _cleanup_free_ char *files = NULL;
        int r;

        r = describe_files(lease, &files);
        if (r < 0)
                return r;
        if (setenv("VFIOD_LEASE", vfiod_lease_get_path(lease), 1) < 0 ||
            setenv("VFIOD_FDS", files, 1) < 0)
                return -errno;
        if (vfiod_lease_get_ioas(lease) != 0)
                r = set_number("VFIOD_IOAS", vfiod_lease_get_ioas(lease));
        if (r < 0)
                return r;
        return set_number("VFIOD_LEASE_FD",
                          (uint64_t)vfiod_lease_get_fd(lease, VFIOD_KIND_LEASE, NULL));
}

static int become(const vfiod_lease *lease, char **command) {
        int r;

        assert(command);
        r = set_environment(lease);
        if (r >= 0)
                r = inherit_all(lease);
        if (r < 0)
                return report_errno(r, "cannot hand the files on");

        execvp(command[0], command);
        r = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
        return report((ExitStatus)r, NULL, "%s: %s", command[0], strerror(errno));
}

int verb_exec(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_lease_ vfiod_lease *lease = NULL;
        _cleanup_strv_ char **targets = NULL, **command = NULL;
        vfiod_acquire_options options = a->acquire;
        int r;

        r = check_command(a, &options);
        if (r != STATUS_OK)
                return r;
        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = vfiod_acquire(c, constant(targets), &options, &lease);
        if (r < 0)
                return connection_report(c, r);

        r = fill_in_command(a, lease, &command);
        if (r != STATUS_OK)
                return r;
        return become(lease, command);
}
