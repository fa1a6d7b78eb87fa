/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which types of mediated devices there are. Any device can be a parent, also one without an IOMMU
 * group: /sys/class/mdev_bus has them all.
 */

#include <stdbool.h>

#include "daemon/kernel/roots.h"
#include "daemon/util/finding.h"

/* What a FINDING_MDEV_TEXT is. */
typedef enum MdevField {
        MDEV_FIELD_TYPE, /* "i915-GVTg_V5_4", the name of its directory */
        MDEV_FIELD_NAME, /* for people; most drivers give one */
        MDEV_FIELD_API,  /* "vfio-pci", ... */
        MDEV_FIELD_DESCRIPTION,
        _MDEV_FIELD_MAX,
} MdevField;

bool mdev_is_parent(const Roots *roots, const char *name);

/*
 * The types of one parent, or of all (NULL), by parent and type, into findings: FINDING_MDEV_TYPE
 * begins one, FINDING_MDEV_TEXT are its texts piece by piece. Drivers count instances under locks
 * of their own: call it from a worker. -ENOENT: no such parent.
 */
int mdev_read_types(const Roots *roots, const char *parent, Findings *findings);
