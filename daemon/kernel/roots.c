/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/roots.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

static int open_directory(const char *path) {
        int fd = open(path, O_DIRECTORY | O_CLOEXEC | O_RDONLY);

        return fd < 0 ? -errno : fd;
}

static int open_modules(void) {
        _cleanup_free_ char *path = NULL;
        struct utsname name;

        if (uname(&name) < 0)
                return -errno;
        path = string_format("/lib/modules/%s", name.release);
        return path ? open_directory(path) : -ENOMEM;
}

int roots_open(Roots *roots) {
        int r;

        *roots = (Roots)ROOTS_NULL;
        r = roots->sys_fd = open_directory("/sys");
        if (r >= 0)
                r = roots->dev_fd = open_directory("/dev");
        if (r >= 0)
                r = roots->proc_fd = open_directory("/proc");
        if (r < 0) {
                roots_done(roots);
                return r;
        }
        roots->modules_fd = open_modules();
        roots->run_fd = open_directory("/run");
        return 0;
}

void roots_done(Roots *roots) {
        roots->sys_fd = fd_close(roots->sys_fd);
        roots->dev_fd = fd_close(roots->dev_fd);
        roots->proc_fd = fd_close(roots->proc_fd);
        roots->modules_fd = fd_close(roots->modules_fd);
        roots->run_fd = fd_close(roots->run_fd);
}
