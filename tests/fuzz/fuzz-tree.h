/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A machine's /sys, /proc, /dev and modules that an input describes, a line each, in the format of
 * recordings (tests/data/record-machine.sh) below the four:
 *
 *      sys/kernel/iommu_groups/3/type<TAB>DMA\n
 *      sys/kernel/iommu_groups/3/devices/0000:03:01.0 ->
 * ../../../../devices/pci0000:00/0000:03:01.0 sys/class/vfio-dev
 *
 * Lines that would lead out of the tree, or that make no sense, are passed over.
 */

#include "daemon/kernel/roots.h"

typedef struct FuzzTree {
        char *path;
        Roots roots;
} FuzzTree;

/* Ends the program where there is no place for it. `text` is taken apart. */
void fuzz_tree_init(FuzzTree *tree, char *text);
void fuzz_tree_done(FuzzTree *tree);
