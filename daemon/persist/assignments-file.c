/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/persist/assignments-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon/persist/state-file.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

/* Everybody may know: the directory says who reads the configuration. */
#define MODE 0644

static int open_directory(const char *path) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static const char *problem_text(int error) {
        return error == -EPERM     ? "it must be a plain file of root that nobody else can write to"
               : error == -EFBIG   ? "it is too large"
               : error == -EBADMSG ? "it has a NUL in it"
                                   : strerror(-error);
}

static int read_bounded(const char *directory, char **ret) {
        _cleanup_close_ int fd = open_directory(directory);
        _cleanup_free_ char *text = NULL;
        int r = fd < 0 ? fd : state_file_read(fd, ASSIGNMENTS_FILE, geteuid(), &text);

        if (r == -ENOENT)
                return 0;
        if (r >= 0 && strlen(text) > ASSIGNMENTS_FILE_MAX)
                return -EFBIG;
        if (r >= 0)
                *ret = TAKE_PTR(text);
        return r;
}

int assignments_file_read(const char *directory, char **ret, char **ret_problem) {
        int r = read_bounded(directory, ret);

        if (r < 0)
                *ret_problem =
                        string_format("%s/" ASSIGNMENTS_FILE ": %s", directory, problem_text(r));
        return r;
}

int assignments_file_write(const char *directory, const char *text) {
        _cleanup_close_ int fd = open_directory(directory);

        if (fd < 0)
                return fd;
        if (text)
                return state_file_write_mode(fd, ASSIGNMENTS_FILE, MODE, text);
        if (unlinkat(fd, ASSIGNMENTS_FILE, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return fsync(fd) < 0 ? -errno : 0;
}

int assignments_file_lock(const char *directory) {
        _cleanup_close_ int fd = open_directory(directory);

        if (fd < 0)
                return fd;
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return -errno;
        return TAKE_FD(fd);
}
