/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The twin of daemon/kernel/roots.c: the directories of the fake machine, and the true /proc. */

#include "daemon/kernel/roots.h"

#include <fcntl.h>

#include "daemon/util/fd.h"
#include "tests/bus/fake-machine.h"

/* Owns the path. */
static int open_directory(char *path) {
        _cleanup_free_ char *owned = path;
        int fd = open(owned, O_DIRECTORY | O_CLOEXEC | O_RDONLY);

        return fd < 0 ? -errno : fd;
}

int roots_open(Roots *roots) {
        *roots = (Roots)ROOTS_NULL;
        roots->sys_fd = open_directory(fake_machine_path("sys"));
        roots->dev_fd = open_directory(fake_machine_path("dev"));
        roots->modules_fd = open_directory(fake_machine_path("modules"));
        roots->proc_fd = open("/proc", O_DIRECTORY | O_CLOEXEC | O_RDONLY);
        if (roots->sys_fd >= 0 && roots->dev_fd >= 0 && roots->proc_fd >= 0)
                return 0;
        roots_done(roots);
        return -ENOENT;
}

void roots_done(Roots *roots) {
        roots->sys_fd = fd_close(roots->sys_fd);
        roots->dev_fd = fd_close(roots->dev_fd);
        roots->proc_fd = fd_close(roots->proc_fd);
        roots->modules_fd = fd_close(roots->modules_fd);
}
