/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/persist/state-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

static int write_all(int fd, const char *text) {
        size_t n = strlen(text);

        while (n > 0) {
                ssize_t written = write(fd, text, n);

                if (written < 0 && errno != EINTR)
                        return -errno;
                if (written > 0) {
                        text += written;
                        n -= (size_t)written;
                }
        }
        return fsync(fd) < 0 ? -errno : 0;
}

/* One that was left by a writer that was killed is nobody's: there is one daemon. */
static int create(int directory, const char *name, mode_t mode) {
        _cleanup_close_ int fd = -EBADF;

        if (unlinkat(directory, name, 0) < 0 && errno != ENOENT)
                return -errno;
        fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 || (mode != 0600 && fchmod(fd, mode) < 0))
                return -errno;
        return TAKE_FD(fd);
}

int state_file_write(int directory, const char *name, const char *text) {
        return state_file_write_mode(directory, name, 0600, text);
}

int state_file_write_mode(int directory, const char *name, mode_t mode, const char *text) {
        _cleanup_free_ char *fresh = string_format("%s.new", name);
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (!fresh)
                return -ENOMEM;
        fd = create(directory, fresh, mode);
        if (fd < 0)
                return fd;
        r = write_all(fd, text);
        if (r >= 0 && renameat(directory, fresh, directory, name) < 0)
                r = -errno;
        if (r < 0) {
                (void)unlinkat(directory, fresh, 0);
                return r;
        }
        return fsync(directory) < 0 ? -errno : 0;
}

static int check_file(int fd, uid_t owner, size_t *ret_size) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode) || status.st_uid != owner ||
            (status.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        if (status.st_size > (off_t)STATE_FILE_MAX)
                return -EFBIG;
        *ret_size = (size_t)status.st_size;
        return 0;
}

int state_file_read(int directory, const char *name, uid_t owner, char **ret) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *text = NULL;
        size_t size = 0, at = 0;
        ssize_t n;
        int r;

        fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return errno == ELOOP ? -EPERM : -errno;
        r = check_file(fd, owner, &size);
        if (r < 0)
                return r;
        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        while (at < size && (n = read(fd, text + at, size - at)) != 0) {
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0)
                        at += (size_t)n;
        }
        text[at] = '\0';
        if (strlen(text) != at)
                return -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}
