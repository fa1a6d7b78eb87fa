/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What can be done to a PCI device through an open file of it (linux/vfio.h,
 * drivers/vfio/pci/vfio_pci_core.c). Functions return 0 or -errno straight from the kernel;
 * -EOPNOTSUPP where the file is not one of a PCI device.
 */

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
 * Resets the function by the best method it has (Documentation/ABI/testing/sysfs-bus-pci, "reset").
 * Must not be done to a device that somebody uses. -ENOENT, -ENOTTY: it has none.
 */
int pci_reset(const Roots *roots, const char *device);
