/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/vfio-pci.h"

#include <endian.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/kernel/sysfs.h"
#include "daemon/util/cleanup.h"

static int check_pci(int device) {
        struct vfio_device_info info = {.argsz = sizeof(info)};

        if (ioctl(device, VFIO_DEVICE_GET_INFO, &info) < 0)
                return -errno;
        return info.flags & VFIO_DEVICE_FLAGS_PCI ? 0 : -EOPNOTSUPP;
}

int vfio_pci_request(int device) {
        struct vfio_irq_set set = {
                .argsz = sizeof(set),
                .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
                .index = VFIO_PCI_REQ_IRQ_INDEX,
                .start = 0,
                .count = 1,
        };
        int r = check_pci(device);

        if (r < 0)
                return r;
        return ioctl(device, VFIO_DEVICE_SET_IRQS, &set) < 0 ? -errno : 0;
}

/* Where the command register is in the file. */
static int command_offset(int device, off_t *ret) {
        struct vfio_region_info region = {.argsz = sizeof(region),
                                          .index = VFIO_PCI_CONFIG_REGION_INDEX};
        int r = check_pci(device);

        if (r < 0)
                return r;
        if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region) < 0)
                return -errno;
        *ret = (off_t)region.offset + PCI_COMMAND;
        return 0;
}

static int write_command(int device, off_t offset, uint16_t command) {
        const uint16_t bytes = htole16(command);
        ssize_t n = pwrite(device, &bytes, sizeof(bytes), offset);

        if (n < 0)
                return -errno;
        return n == sizeof(bytes) ? 0 : -EIO;
}

int vfio_pci_quiesce(int device, uint16_t *ret_command) {
        uint16_t bytes, command;
        off_t offset = 0;
        ssize_t n;
        int r;

        r = command_offset(device, &offset);
        if (r < 0)
                return r;
        n = pread(device, &bytes, sizeof(bytes), offset);
        if (n != sizeof(bytes))
                return n < 0 ? -errno : -EIO;
        command = le16toh(bytes);
        r = write_command(
                device, offset,
                command & (uint16_t)~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
        if (r >= 0)
                *ret_command = command;
        return r;
}

int vfio_pci_restore(int device, uint16_t command) {
        off_t offset = 0;
        int r = command_offset(device, &offset);

        return r < 0 ? r : write_command(device, offset, command);
}

int vfio_device_reset(int device) {
        return ioctl(device, VFIO_DEVICE_RESET) < 0 ? -errno : 0;
}

int vfio_pci_hot_reset(int device, const int *groups, size_t n_groups) {
        size_t size = sizeof(struct vfio_pci_hot_reset) + n_groups * sizeof(int32_t);
        _cleanup_free_ struct vfio_pci_hot_reset *reset = calloc(1, size);

        if (!reset)
                return -ENOMEM;
        reset->argsz = (uint32_t)size;
        reset->count = (uint32_t)n_groups;
        for (size_t i = 0; i < n_groups; i++)
                reset->group_fds[i] = groups[i];
        return ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, reset) < 0 ? -errno : 0;
}

int pci_set_reset_method(const Roots *roots, const char *device, const char *methods) {
        char path[512];

        (void)snprintf(path, sizeof(path), "bus/pci/devices/%s/reset_method", device);
        return sysfs_write(roots->sys_fd, path, methods);
}

int pci_reset(const Roots *roots, const char *device) {
        char path[512];

        (void)snprintf(path, sizeof(path), "bus/pci/devices/%s/reset", device);
        return sysfs_write(roots->sys_fd, path, "1");
}
