/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Virtual functions of a PCI device (Documentation/PCI/pci-iov-howto.rst;
 * Documentation/ABI/testing/sysfs-bus-pci, "sriov_*"). Functions return 0 or -errno.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/kernel/roots.h"

/*
 * Makes so many, or removes all of them with 0. Takes as long as the probes of drivers, and while
 * somebody has a function open that is to go it does not come back: for workers. -ENOENT: no
 * driver, or one that cannot; -EBUSY: there are some already; -ERANGE: more than there can be; what
 * else the driver says.
 */
int sriov_set_vfs(const Roots *roots, const char *device, uint32_t n);

/* How many there are, once whoever works on the device has finished: for workers too. */
int sriov_count_vfs(const Roots *roots, const char *device, uint32_t *ret);

/* Whether drivers take functions that appear, and those that are there when a driver comes. */
int sriov_set_autoprobe(const Roots *roots, const char *device, bool on);
