/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/driver.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/kernel/sysfs.h"
#include "daemon/util/string.h"

#define PATH_SIZE 512

int driver_set_override(const Roots *roots, const char *bus, const char *device,
                        const char *override) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "bus/%s/devices/%s/driver_override", bus, device);
        /* An empty write is no write at all; a newline is what clears it on every kernel. */
        return sysfs_write(roots->sys_fd, path, string_is_empty(override) ? "\n" : override);
}

int driver_unbind(const Roots *roots, const char *bus, const char *device, const char *driver) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "bus/%s/drivers/%s/unbind", bus, driver);
        return sysfs_write(roots->sys_fd, path, device);
}

int driver_bind(const Roots *roots, const char *bus, const char *device, const char *driver) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "bus/%s/drivers/%s/bind", bus, driver);
        return sysfs_write(roots->sys_fd, path, device);
}

int driver_probe(const Roots *roots, const char *bus, const char *device) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "bus/%s/drivers_probe", bus);
        return sysfs_write(roots->sys_fd, path, device);
}

int driver_read(const Roots *roots, const char *bus, const char *device, char **ret) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "bus/%s/devices/%s", bus, device);
        if (!sysfs_exists(roots->sys_fd, path))
                return -ENOENT;
        (void)snprintf(path, sizeof(path), "bus/%s/devices/%s/driver", bus, device);
        return sysfs_read_link(roots->sys_fd, path, ret);
}

bool driver_is_vfio(const Roots *roots, const char *bus, const char *device) {
        _cleanup_free_ char *driver = NULL;
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "bus/%s/devices/%s/vfio-dev", bus, device);
        if (sysfs_exists(roots->sys_fd, path))
                return true;
        return !sysfs_exists(roots->sys_fd, "class/vfio-dev") &&
               driver_read(roots, bus, device, &driver) >= 0 && strstr(driver, "vfio");
}
