/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * iommufd (Documentation/userspace-api/iommufd.rst) and the cdevs of VFIO devices
 * (Documentation/driver-api/vfio.rst, "VFIO Device cdev"), one call a function. Functions that open
 * return a close-on-exec fd that the caller owns; all return -errno straight from the kernel.
 */

#include <stddef.h>
#include <stdint.h>

#include "daemon/kernel/roots.h"
#include "daemon/util/facts.h"

/* Costs next to nothing. */
void iommufd_read_support(const Roots *roots, IommufdSupport *ret);

/*
 * /dev/iommu, with locked memory charged to each process by itself (IOMMU_OPTION_RLIMIT_MODE 1):
 * the default is one budget for all processes of a uid. -EPERM without CAP_SYS_RESOURCE, -ENOENT
 * without iommufd.
 */
int iommufd_open(const Roots *roots);

int iommufd_alloc_ioas(int iommufd, uint32_t *ret_ioas);

/*
 * Where the IOAS can be mapped, as the devices attached to it allow. *ret is allocated, in the
 * kernel's order; *ret_alignment is in bytes.
 */
int iommufd_read_iovas(int iommufd, uint32_t ioas, IovaRange **ret, size_t *ret_n,
                       uint64_t *ret_alignment);

/* The device's node under /dev/vfio/devices. -ENODEV: it is on no vfio driver; -ENOENT: no node. */
int cdev_open(const Roots *roots, const char *bus, const char *device);

/*
 * Gives the device to the iommufd; the first such call opens it, which resets it and may block for
 * seconds. -EBUSY: a file of its group is open; -EINVAL: this or another file of the device is
 * bound already; -EPERM: its group is another's, or has a host driver.
 */
int cdev_bind(int cdev, int iommufd, uint32_t *ret_device_id);

/* To an IOAS or a page table of the iommufd it is bound to. Replaces what it was attached to. */
int cdev_attach(int cdev, uint32_t pt);

/* From whatever it is attached to; harmless if that is nothing. No DMA goes through after that. */
int cdev_detach(int cdev);
