/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/sysfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define ATTRIBUTE_MAX 4096

static inline void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

int sysfs_read(int dir_fd, const char *path, char **ret) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        char buffer[ATTRIBUTE_MAX + 1];
        ssize_t n;
        char *text;

        if (fd < 0)
                return -errno;
        n = read(fd, buffer, ATTRIBUTE_MAX);
        if (n < 0)
                return -errno;
        if (n > 0 && buffer[n - 1] == '\n')
                n--;
        text = strndup(buffer, (size_t)n);
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

static int return_empty(char **ret) {
        char *empty = strdup("");

        if (!empty)
                return -ENOMEM;
        *ret = empty;
        return 0;
}

int sysfs_read_optional(int dir_fd, const char *path, char **ret) {
        int r = sysfs_read(dir_fd, path, ret);

        return r == -ENOENT ? return_empty(ret) : r;
}

int sysfs_write(int dir_fd, const char *path, const char *text) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return -errno;
        if (write(fd, text, strlen(text)) < 0)
                return -errno;
        return 0;
}

int sysfs_read_link(int dir_fd, const char *path, char **ret) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(dir_fd, path, target, sizeof(target) - 1);
        const char *slash;
        char *name;

        if (n < 0)
                return errno == ENOENT ? return_empty(ret) : -errno;
        target[n] = '\0';
        slash = strrchr(target, '/');
        name = strdup(slash ? slash + 1 : target);
        if (!name)
                return -ENOMEM;
        *ret = name;
        return 0;
}

int sysfs_list(int dir_fd, const char *path, char ***ret) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closedirp) DIR *dir = NULL;
        _cleanup_strv_ char **names = NULL;
        struct dirent *entry;

        if (fd < 0) {
                if (errno != ENOENT)
                        return -errno;
                *ret = NULL;
                return 0;
        }
        dir = fdopendir(fd);
        if (!dir)
                return -errno;
        (void)TAKE_FD(fd);

        for (errno = 0; (entry = readdir(dir)); errno = 0)
                if (entry->d_name[0] != '.' && strv_push(&names, entry->d_name) < 0)
                        return -ENOMEM;
        if (errno != 0)
                return -errno;
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

bool sysfs_exists(int dir_fd, const char *path) {
        return faccessat(dir_fd, path, F_OK, 0) == 0;
}
