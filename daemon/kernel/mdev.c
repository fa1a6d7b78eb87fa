/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/mdev.h"

#include <stdio.h>

#include "daemon/kernel/sysfs.h"

#define PATH_SIZE 1024

int mdev_create(const Roots *roots, const char *parent, const char *type, const char *uuid) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "class/mdev_bus/%s/mdev_supported_types/%s/create",
                       parent, type);
        return sysfs_write(roots->sys_fd, path, uuid);
}

int mdev_remove(const Roots *roots, const char *uuid) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "bus/mdev/devices/%s/remove", uuid);
        return sysfs_write(roots->sys_fd, path, "1");
}
