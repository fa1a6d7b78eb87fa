/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The names that people type. Only what the daemon cannot know is translated here: the name of a
 * network interface (it may differ between network namespaces) becomes that of its device. All the
 * rest is passed on as it was typed, right or wrong: the daemon is the one judge of targets.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/util/cleanup.h"

/* Could be a network interface by the kernel's rule (dev_valid_name() in net/core/dev.c). */
bool target_may_be_interface(const char *typed);

/*
 * The target to send for what was typed. `net_fd` is the directory /sys/class/net (-EBADF where
 * there is none): an interface's link there leads to the device that it sits on, or to a child of
 * it (virtio), so the nearest ancestor with an IOMMU group is taken.
 */
int target_resolve(int net_fd, const char *typed, char **ret);

/* The same for a NULL-terminated list; opens /sys/class/net only if a name asks for it. */
int targets_resolve(char *const *typed, char ***ret);

/* The number of "group/N", or -EINVAL for anything else. */
int target_to_group(const char *target, uint32_t *ret);

/* "7", "lease/7" or "/org/vfiod1/lease/7" to the path; -EINVAL for anything else. */
int target_to_lease(const char *typed, char **ret);
