/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The ioctls that daemon/kernel/inspect.c understands, bare: what a test puts in the kernel's
 * place. Each fills the struct, whose size and index are set by the caller; 0, or -errno.
 */

#include <linux/vfio.h>

#include "daemon/kernel/iommufd-abi.h"

int inspect_get_device_info(int device, struct vfio_device_info *info);
int inspect_get_region_info(int device, struct vfio_region_info *info);
int inspect_get_irq_info(int device, struct vfio_irq_info *info);
int inspect_get_hw_info(int iommufd, struct iommufd_hw_info_v1 *info);
