/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What can be done to a PCI device through an open file of it (linux/vfio.h,
 * drivers/vfio/pci/vfio_pci_core.c). Functions return 0 or -errno straight from the kernel;
 * -EOPNOTSUPP where the file is not one of a PCI device.
 */

#include <stddef.h>
#include <stdint.h>

#include "daemon/kernel/roots.h"

/*
 * Fires the device-request interrupt: whoever has registered an eventfd for it is asked to let the
 * device go, exactly as the kernel asks when the device is being unbound. -EINVAL or -ENOTTY where
 * the device has no such interrupt; success where nobody has registered for it.
 */
int vfio_pci_request(int device);

/*
 * Clears memory space, I/O space and bus mastering in the command register: mappings of the BARs
 * are torn down, so that the next access is a SIGBUS, and the device starts no DMA any more.
 * *ret_command is the register as it was. Waits while the holder is changing it.
 */
int vfio_pci_quiesce(int device, uint16_t *ret_command);

/* Writes the command register back. */
int vfio_pci_restore(int device, uint16_t command);

/*
 * Resets the function behind an open file of the device; its mappings are torn down meanwhile.
 * -EINVAL: it could not be reset when it was opened, or is not set up; -ENOTTY: it cannot be;
 * -EAGAIN: the kernel is working on it.
 */
int vfio_device_reset(int device);

/*
 * Resets the slot or the bus of the device. `groups` are the open files of the groups of everything
 * that is reset, none for a device that was opened as a cdev. -ENODEV: neither can be reset;
 * -EINVAL: something that would be reset is not in these groups, or in this cdev's iommufd, or on
 * no vfio driver; -EBUSY, -EAGAIN: somebody is using it at this moment.
 */
int vfio_pci_hot_reset(int device, const int *groups, size_t n_groups);

/*
 * The methods that resets of the device use, in order, blanks between them. -EINVAL: it does not
 * have one of them; -ENOENT: the kernel does not let it be chosen (before 5.15).
 */
int pci_set_reset_method(const Roots *roots, const char *device, const char *methods);

/*
 * Resets the function by the first method that works it has
 * (Documentation/ABI/testing/sysfs-bus-pci, "reset"). Must not be done to a device that somebody
 * uses. -ENOENT, -ENOTTY: it has none.
 */
int pci_reset(const Roots *roots, const char *device);
