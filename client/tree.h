/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The tree that `vfioctl list` prints: groups, and under each its members. Pure: rows in, text out.
 *
 *     group/3  viable  DMA-FQ
 *     |-- 0000:03:01.0  e1000     eth0: Intel Corporation 82540EM Gigabit Ethernet Controller
 *     `-- 0000:03:02.0  vfio-pci  Intel Corporation 82540EM Gigabit Ethernet Controller
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/listing.h"
#include "client/output.h"

/* Which groups to show; all where `numbers` is NULL. */
typedef struct GroupSet {
        uint32_t *numbers;
        size_t n;
} GroupSet;

bool group_set_has(const GroupSet *set, uint32_t number);

int tree_print(FILE *f, const Style *style, const Listing *listing, const GroupSet *wanted);
