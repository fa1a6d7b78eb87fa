/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Making and removing mediated devices (Documentation/driver-api/vfio-mediated-device.rst;
 * Documentation/ABI/testing/sysfs-bus-vfio-mdev). 0 or -errno straight from the write; both wait
 * for the parent's driver, without a limit: call them from a worker.
 */

#include "daemon/kernel/roots.h"

/*
 * Makes one with this UUID, there and on its driver when this returns. -ENOENT: no such parent or
 * type; -EEXIST: the UUID is taken; -EUSERS, or what the driver likes (-ENOSPC): no instance of the
 * type is left; -ENODEV: the parent is going away.
 */
int mdev_create(const Roots *roots, const char *parent, const char *type, const char *uuid);

/* Waits until nobody has it open. -EAGAIN: it is not quite there yet; -ENODEV: being removed. */
int mdev_remove(const Roots *roots, const char *uuid);
