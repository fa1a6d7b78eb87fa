/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/host-table.h"

#include <errno.h>

#include "daemon/kernel/sysfs.h"

int host_table_read(const Roots *roots, const char *const *paths,
                    int (*line)(void *userdata, const char *line), void *userdata) {
        int r = -ENOENT;

        for (; r == -ENOENT && *paths; paths++)
                r = sysfs_read_lines(roots->proc_fd, *paths, line, userdata);
        return r == -ENOENT ? 0 : r;
}
