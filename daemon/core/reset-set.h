/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which devices a hot reset of one resets (VFIO_DEVICE_PCI_HOT_RESET). vfio-pci puts a device on a
 * root bus, and a virtual function, into a set of its own; others go with their slot where hotplug
 * can reset that, else with their bus (drivers/vfio/pci/vfio_pci_core.c,
 * vfio_pci_core_register_device), and the reset goes on to the buses below
 * (vfio_pci_for_each_slot_or_bus).
 *
 * sysfs does not say whether a slot can be reset. It makes no difference but for functions 8 and up
 * of one device (ARI) in a hotplug slot: the kernel counts them in no slot, yet pciehp resets the
 * whole link. So the set is always that of the bus. Only devices with an IOMMU group are counted.
 */

#include "daemon/core/topology.h"

/* Whether a hot reset of `device` resets `other`; of a PCI device, itself too. */
bool reset_set_has(const DeviceFacts *device, const DeviceFacts *other);

/* A device without a method shows no attribute, and no device does on a kernel before 5.15. */
bool reset_methods_are_told(const Topology *topology);

/* Whether the reset method is one of the device's bus: "bus", "cxl_bus". */
bool reset_method_is_bus(const char *method);

/*
 * Whether the device can be reset without any other. True also where that is not known: off PCI,
 * and on kernels that tell no device's reset methods.
 */
bool reset_is_own(const Topology *topology, const DeviceFacts *device);
