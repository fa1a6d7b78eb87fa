/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The Device Serial Number of a PCIe device (PCI Express Base Specification, 7.9.3), which tells a
 * card from another of its model: "52-54-00-ff-ff-12-34-56", "" where it has none. It is beyond
 * the 256 bytes of configuration space that the kernel shows to everybody: reading it takes
 * CAP_SYS_ADMIN (drivers/pci/pci-sysfs.c, pci_read_config), which vfiod.service does not have. So
 * a process without it asks udev, whose rule for us (boot/) reads it.
 */

#include "daemon/kernel/roots.h"

/* -EPERM: this process is not shown that much. -ENOENT: no such device. */
int pci_read_serial(const Roots *roots, const char *device, char **ret);

/*
 * Asks udev by a change event of ours, and waits for its answer, some seconds at most: call it from
 * a worker. -ETIMEDOUT: no udev answers. -ENODATA: it has no rule of ours.
 */
int pci_ask_serial(const Roots *roots, const char *device, char **ret);

/* What udev has noted of the device, by an event of ours or because it is assigned. -ENODATA: it
 * has noted nothing. */
int pci_known_serial(const char *device, char **ret);
