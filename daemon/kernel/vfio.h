/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The classic VFIO interface (linux/vfio.h, Documentation/driver-api/vfio.rst), one call a
 * function. Functions that open return a close-on-exec fd that the caller owns; all return -errno
 * straight from the kernel. What may block says so.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/kernel/roots.h"

/* /dev/vfio/vfio. */
int vfio_open_container(const Roots *roots);

/* -EINVAL without a group in it, -EPERM without interrupt remapping, or for VFIO_NOIOMMU_IOMMU
 * without CAP_SYS_RAWIO. */
int vfio_container_set_iommu(int container, int type);

/*
 * /dev/vfio/GROUP, and /dev/vfio/noiommu-GROUP of a group without an IOMMU, which takes
 * CAP_SYS_RAWIO (-EPERM). -EBUSY: open somewhere, or a device of it open or bound as cdev; -ENOENT:
 * no device of the group is on a vfio driver. Waits while another open or close of the group resets
 * a device.
 */
int vfio_open_group(const Roots *roots, uint32_t group, bool no_iommu);

/* Whether the kernel calls the group viable. */
int vfio_group_is_viable(int group, bool *ret);

/* -EPERM: the group is not viable. */
int vfio_group_set_container(int group, int container);

/* -EBUSY while a device of the group is open. */
int vfio_group_unset_container(int group);

/* An open device: bound to a vfio driver, and not an unbound cdev. */
bool vfio_is_device(int fd);

/* Opens a device of an attached group. The first open resets it and may block for seconds. */
int vfio_group_get_device(int group, const char *device);
