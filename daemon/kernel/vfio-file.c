/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/vfio-file.h"

#include <fcntl.h>
#include <sys/stat.h>

/* By device number, since udev may have made the node anew; what has none is known by its inode. */
bool vfio_file_is_node(const Roots *roots, int fd, const char *node) {
        struct stat file, wanted;

        if (fstat(fd, &file) < 0 || fstatat(roots->dev_fd, node, &wanted, 0) < 0 ||
            (file.st_mode & S_IFMT) != (wanted.st_mode & S_IFMT))
                return false;
        if (S_ISCHR(file.st_mode))
                return file.st_rdev == wanted.st_rdev;
        return file.st_dev == wanted.st_dev && file.st_ino == wanted.st_ino;
}

bool vfio_file_is_write_end(int fd) {
        struct stat status;
        int flags = fcntl(fd, F_GETFL);

        return flags >= 0 && (flags & O_ACCMODE) == O_WRONLY && fstat(fd, &status) == 0 &&
               S_ISFIFO(status.st_mode);
}
