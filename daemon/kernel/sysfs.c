/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/sysfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define ATTRIBUTE_MAX 4096
#define DEVICES "/devices/"

static inline void fclosep(FILE **file) {
        if (*file)
                (void)fclose(*file);
}

static inline void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

static int return_copy(const char *text, char **ret) {
        char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

int sysfs_read(int dir_fd, const char *path, char **ret) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        char buffer[ATTRIBUTE_MAX + 1];
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, buffer, ATTRIBUTE_MAX);
        if (n < 0)
                return -errno;
        if (n > 0 && buffer[n - 1] == '\n')
                n--;
        buffer[n] = '\0';
        return return_copy(buffer, ret);
}

int sysfs_read_optional(int dir_fd, const char *path, char **ret) {
        int r = sysfs_read(dir_fd, path, ret);

        return r == -ENOENT ? return_copy("", ret) : r;
}

int sysfs_write(int dir_fd, const char *path, const char *text) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return -errno;
        if (write(fd, text, strlen(text)) < 0)
                return -errno;
        return 0;
}

int sysfs_read_lines(int dir_fd, const char *path, int (*line)(void *userdata, const char *line),
                     void *userdata) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        _cleanup_(fclosep) FILE *file = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size = 0;

        if (fd < 0)
                return -errno;
        file = fdopen(fd, "re");
        if (!file)
                return -errno;
        (void)TAKE_FD(fd);

        while (getline(&text, &size, file) >= 0) {
                int r = line(userdata, text);

                if (r < 0)
                        return r;
        }
        return ferror(file) || !feof(file) ? -EIO : 0;
}

/* What the link says goes to `target`, of PATH_MAX bytes; "" where there is none. */
static int read_link(int dir_fd, const char *path, char *target) {
        ssize_t n = readlinkat(dir_fd, path, target, PATH_MAX - 1);
        int r = n < 0 && errno != ENOENT ? -errno : 0;

        target[n < 0 ? 0 : n] = '\0';
        return r;
}

int sysfs_read_target(int dir_fd, const char *path, char **ret) {
        char target[PATH_MAX];
        int r = read_link(dir_fd, path, target);

        return r < 0 ? r : return_copy(target, ret);
}

int sysfs_read_place(int dir_fd, const char *path, char **ret) {
        char target[PATH_MAX];
        const char *place;
        int r = read_link(dir_fd, path, target);

        if (r < 0 && r != -EINVAL)
                return r;
        place = strstr(target, DEVICES);
        return return_copy(place ? place + strlen(DEVICES) : "", ret);
}

int sysfs_read_link(int dir_fd, const char *path, char **ret) {
        char target[PATH_MAX];
        const char *slash;
        int r = read_link(dir_fd, path, target);

        if (r < 0)
                return r;
        slash = strrchr(target, '/');
        return return_copy(slash ? slash + 1 : target, ret);
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
