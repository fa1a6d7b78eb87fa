/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What sysfs says about IOMMU groups and their members, on every bus: /sys/kernel/iommu_groups is
 * the kernel's own table of membership (Documentation/ABI/testing/sysfs-kernel-iommu_groups), and
 * libudev has no notion of it. Facts are read, not judged. 0 or -errno.
 */

#include "daemon/kernel/roots.h"
#include "daemon/util/facts.h"

/* Numbers of all groups, ascending. Allocated. */
int enumerate_groups(const Roots *roots, uint32_t **ret, size_t *ret_n);

/* Names of the members of a group, sorted; NULL for a group that is gone. */
int enumerate_members(const Roots *roots, uint32_t group, char ***ret);

/*
 * Names of the virtual functions of a PCI device, in no order; NULL for none. They come and go one
 * by one, and are listed without waiting for it.
 */
int enumerate_vfs(const Roots *roots, const char *device, char ***ret);

/* -ENOENT for a group that is not there. */
int read_group_facts(const Roots *roots, uint32_t group, GroupFacts *ret);

/*
 * -ENOENT for a device that is not in the group, or not there any more. The three names stay NULL.
 * `known`: what was read of it before, for a device that the kernel may be at work on: what cannot
 * be read without waiting for that is taken from there. NULL: all is read. `unbinding`: it is at
 * work on it only if the device is on no driver.
 */
int read_device_facts(const Roots *roots, uint32_t group, const char *name,
                      const DeviceFacts *known, bool unbinding, DeviceFacts *ret);

/* The group of the device at `syspath` (below /sys, without it): -ENOENT where it has none. */
int read_device_group(const Roots *roots, const char *syspath, uint32_t *ret);
