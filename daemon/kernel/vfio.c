/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/vfio.h"

#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <sys/ioctl.h>

static int open_node(const Roots *roots, const char *path) {
        int fd = openat(roots->dev_fd, path, O_RDWR | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int vfio_open_container(const Roots *roots) {
        return open_node(roots, "vfio/vfio");
}

int vfio_container_set_iommu(int container, int type) {
        return ioctl(container, VFIO_SET_IOMMU, (long)type) < 0 ? -errno : 0;
}

int vfio_open_group(const Roots *roots, uint32_t group, bool no_iommu) {
        char path[32];

        (void)snprintf(path, sizeof(path), "vfio/%s%u", no_iommu ? "noiommu-" : "", group);
        return open_node(roots, path);
}

int vfio_group_is_viable(int group, bool *ret) {
        struct vfio_group_status status = {.argsz = sizeof(status)};

        if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) < 0)
                return -errno;
        *ret = status.flags & VFIO_GROUP_FLAGS_VIABLE;
        return 0;
}

int vfio_group_set_container(int group, int container) {
        return ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0 ? -errno : 0;
}

int vfio_group_unset_container(int group) {
        return ioctl(group, VFIO_GROUP_UNSET_CONTAINER) < 0 ? -errno : 0;
}

bool vfio_is_device(int fd) {
        struct vfio_device_info info = {.argsz = sizeof(info)};

        return ioctl(fd, VFIO_DEVICE_GET_INFO, &info) == 0;
}

int vfio_group_get_device(int group, const char *device) {
        int fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device);

        return fd < 0 ? -errno : fd;
}
