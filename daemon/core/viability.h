/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How each member of a group counts for the group: by the kernel's rule of the running version
 * (Documentation/driver-api/vfio.rst, "Groups, Devices, and IOMMUs"; drivers/iommu/iommu.c,
 * iommu_device_use_default_domain), and by vfiod's stricter one: a group's file leaves our hands
 * only when every member is on a vfio driver or needs none.
 */

#include <stdbool.h>

#include "daemon/util/facts.h"

typedef enum ViabilityRule {
        VIABILITY_BY_DRIVER, /* up to 5.18: drivers are judged by name, any driver may sit on a
                                bridge */
        VIABILITY_BY_OWNER,  /* from 5.19: a bound driver owns the group's DMA unless it manages it
                              */
} ViabilityRule;

typedef enum Verdict {
        VERDICT_VFIO,          /* bound to a vfio driver */
        VERDICT_NO_DRIVER,     /* viable for the kernel, but the host could bind it at any moment */
        VERDICT_BRIDGE,        /* a bridge that needs no vfio driver */
        VERDICT_MANAGED,       /* on pci-stub: does no DMA */
        VERDICT_HOST_DRIVER,   /* driven by the host */
        VERDICT_BRIDGE_DRIVER, /* a bridge whose driver claims the group's DMA, such as shpchp */
        _VERDICT_MAX,
} Verdict;

/* The rule of the kernel whose uname release is given ("6.12.94-amd64"). */
ViabilityRule viability_rule(const char *kernel_release);

Verdict verdict_of(ViabilityRule rule, const DeviceFacts *facts);

bool verdict_is_viable(Verdict verdict);
bool verdict_is_bound(Verdict verdict);
const char *verdict_name(Verdict verdict);

/* "is bound to e1000": completes a sentence that begins with the device. Allocated. */
char *verdict_reason(Verdict verdict, const DeviceFacts *facts);

/* What to do about it, "" where nothing is to be done. Allocated. */
char *verdict_remedy(Verdict verdict, const DeviceFacts *facts);

/*
 * A group that the kernel has made up for devices that no IOMMU stands behind, because of
 * enable_unsafe_noiommu_mode (drivers/vfio/group.c, vfio_noiommu_group_alloc): whoever has such a
 * device can read and write all memory. `bus`: of a member. The groups of mediated devices have the
 * same name, and are safe: their parent's driver does the DMA.
 */
bool group_is_unsafe(const GroupFacts *facts, const char *bus);

/* A bridge of any kind: it is left on the driver it has. */
bool device_is_bridge(const DeviceFacts *facts);

/* A bridge on a driver of its own, or on none: no part of what is done to its group. */
bool device_is_bystander(const DeviceFacts *facts);

/* A part of the chipset that the running host cannot do without: its ISA bridge. */
bool device_is_chipset(const DeviceFacts *facts);
