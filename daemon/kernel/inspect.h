/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the kernel tells of a device through an open file of it (linux/vfio.h), of the IOMMU behind
 * it (linux/iommufd.h), and of the ways to reset it. All of it is only read. Each function appends
 * findings about `device` and returns 0 or -errno: straight from the kernel, or -EPROTO for an
 * answer that makes no sense.
 */

#include <stdint.h>

#include "daemon/kernel/roots.h"
#include "daemon/util/finding.h"

/*
 * FINDING_DEVICE_FLAGS, then each region (FINDING_REGION, and a FINDING_AREA for each area of it
 * that may be mapped), then each interrupt (FINDING_IRQ). What the device does not have, the kernel
 * refuses to speak of (-EINVAL), and it is left out. The file is one got from a group, or a cdev
 * that is bound: -EINVAL for one that is not.
 */
int inspect_read_device(int file, const char *device, Findings *findings);

/*
 * FINDING_HW_INFO, and the structure of its type in as many FINDING_HW_DATA as it takes. Nothing
 * where the kernel does not tell: -ENOTTY before Linux 6.6, -ENOENT where the id is of no device
 * with an IOMMU of its own (mdev), -EOPNOTSUPP where the IOMMU's driver has nothing to say.
 */
int inspect_read_iommu(int iommufd, uint32_t device_id, const char *device, Findings *findings);

/* A FINDING_RESET for each method a PCI device has switched on, in the order in which the kernel
 * tries them (Documentation/ABI/testing/sysfs-bus-pci, "reset_method", Linux 5.15). */
int inspect_read_resets(const Roots *roots, const char *device, Findings *findings);
