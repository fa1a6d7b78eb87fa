/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Binding devices to drivers through sysfs (Documentation/ABI/testing/sysfs-bus-pci). Every
 * function may block for as long as a driver's probe or remove takes, without a limit and
 * unkillably: call them from a worker. 0 or -errno straight from the write.
 */

#include <stdbool.h>

#include "daemon/kernel/roots.h"

/* "" clears it. */
int driver_set_override(const Roots *roots, const char *bus, const char *device,
                        const char *override);

/* -ENODEV when the device is not bound to that driver. Waits until nobody uses a vfio device. */
int driver_unbind(const Roots *roots, const char *bus, const char *device, const char *driver);

/* The probe's own errno. -ENODEV: the driver does not match the device; -ENOENT: no such driver. */
int driver_bind(const Roots *roots, const char *bus, const char *device, const char *driver);

/* Asks all drivers of the bus. Success says nothing: read the driver afterwards. */
int driver_probe(const Roots *roots, const char *bus, const char *device);

/* The driver bound now, "" for none; allocated. -ENOENT: no such device. */
int driver_read(const Roots *roots, const char *bus, const char *device, char **ret);

/* Whether the device sits on a vfio driver; the kernel's own word (see read_vfio in enumerate.c).
 */
bool driver_is_vfio(const Roots *roots, const char *bus, const char *device);
