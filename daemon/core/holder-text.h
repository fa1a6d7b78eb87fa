/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Holders in words, for refusals and the journal. */

#include "daemon/util/hold.h"

/*
 * "pid 812 (qemu, uid 1001, vm1.service): device 0000:01:00.0; pid 900 ...": the processes that
 * have a file of the group, or of any group if `group` is NULL; those that only have a container or
 * a lease's pipe are left out. The first few, and how many more. "" for none; allocated.
 */
char *holders_describe(const Holds *holds, const uint32_t *group);
