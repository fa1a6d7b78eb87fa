/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/sriov.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/kernel/sysfs.h"
#include "daemon/util/string.h"

#define PATH_SIZE 512

int sriov_set_vfs(const Roots *roots, const char *device, uint32_t n) {
        char path[PATH_SIZE], number[16];

        (void)snprintf(path, sizeof(path), "bus/pci/devices/%s/sriov_numvfs", device);
        (void)snprintf(number, sizeof(number), "%u", n);
        return sysfs_write(roots->sys_fd, path, number);
}

int sriov_count_vfs(const Roots *roots, const char *device, uint32_t *ret) {
        _cleanup_free_ char *text = NULL;
        char path[PATH_SIZE];
        uint64_t number;
        int r;

        (void)snprintf(path, sizeof(path), "bus/pci/devices/%s/sriov_numvfs", device);
        r = sysfs_read(roots->sys_fd, path, &text);
        if (r < 0)
                return r;
        if (string_to_u64(text, UINT32_MAX, &number) < 0)
                return -EIO;
        *ret = (uint32_t)number;
        return 0;
}

int sriov_set_autoprobe(const Roots *roots, const char *device, bool on) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "bus/pci/devices/%s/sriov_drivers_autoprobe", device);
        return sysfs_write(roots->sys_fd, path, on ? "1" : "0");
}
