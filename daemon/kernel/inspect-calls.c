/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/inspect-calls.h"

#include <errno.h>
#include <sys/ioctl.h>

int inspect_get_device_info(int device, struct vfio_device_info *info) {
        return ioctl(device, VFIO_DEVICE_GET_INFO, info) < 0 ? -errno : 0;
}

int inspect_get_region_info(int device, struct vfio_region_info *info) {
        return ioctl(device, VFIO_DEVICE_GET_REGION_INFO, info) < 0 ? -errno : 0;
}

int inspect_get_irq_info(int device, struct vfio_irq_info *info) {
        return ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, info) < 0 ? -errno : 0;
}

int inspect_get_hw_info(int iommufd, struct iommufd_hw_info_v1 *info) {
        return ioctl(iommufd, IOMMUFD_GET_HW_INFO, info) < 0 ? -errno : 0;
}
