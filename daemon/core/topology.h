/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The groups and devices of the machine as last read, and the few things about them that cannot be
 * read back, such as the original driver of a device that vfiod moved. What follows from the facts
 * (viable, bound) is computed when asked for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/viability.h"
#include "daemon/util/facts.h"

typedef struct Group Group;
typedef struct Device Device;

/* What Bind found and Unbind puts back. */
typedef struct Original {
        bool recorded;
        char *driver;   /* "" for none */
        char *module;   /* of that driver, "" where built in or none */
        char *override; /* "" where unset */
        char *bound; /* the vfio driver that Bind put it on, and set as its driver_override; NULL as
                        long as it has not */
} Original;

struct Device {
        DeviceFacts facts;
        Group *group; /* borrowed */
        Original original;
        /* What the host uses of it (daemon/kernel/usage.h), read for each request that would bind
         * it or asks, and not kept up to date. NULL for nothing. */
        char **in_use;
        char *serial; /* where udev has been told to note it (kernel/pci-serial.h); NULL: unknown */
};

struct Group {
        GroupFacts facts;
        Device **members; /* borrowed, ordered by name */
        size_t n_members;
};

typedef struct Topology {
        Group **groups; /* ordered by number */
        size_t n_groups;
        Device **devices; /* ordered by name */
        size_t n_devices;
        char **ungrouped; /* devices that were asked for and are in no group; NULL: none */
        ViabilityRule rule;
} Topology;

typedef enum TopologyChange {
        TOPOLOGY_UNCHANGED,
        TOPOLOGY_ADDED,
        TOPOLOGY_CHANGED,
        TOPOLOGY_REMOVED,
} TopologyChange;

void topology_init(Topology *topology, ViabilityRule rule);
void topology_done(Topology *topology);

Group *topology_find_group(const Topology *topology, uint32_t number);
Device *topology_find_device(const Topology *topology, const char *name);

/*
 * Takes over what was read; the facts are emptied whatever happens. A group must be put before its
 * members, and goes when its last member is removed. A device found in another group is another
 * one: that which is known is to be removed first. Returns a TopologyChange or -ENOMEM (-ENOENT for
 * a device without its group, -EEXIST for one that is known in another).
 */
int topology_put_group(Topology *topology, GroupFacts *facts);
int topology_put_device(Topology *topology, DeviceFacts *facts);
TopologyChange topology_remove_device(Topology *topology, const char *name);

/* Whether it is a virtual function of the other (SR-IOV). */
bool device_is_vf_of(const Device *device, const Device *other);

/* The parent of a mediated device, by its path; "" for other devices. Allocated. */
char *device_mdev_parent(const Device *device);
bool device_is_mdev_of(const Device *device, const char *parent, const char *type);

/* One of the mediated devices of the device; NULL for none. */
const Device *topology_find_mdev(const Topology *topology, const Device *parent);

/* How many virtual functions of the device there are (SR-IOV). */
size_t topology_count_vfs(const Topology *topology, const Device *device);

Verdict device_verdict(const Topology *topology, const Device *device);
bool group_is_viable(const Topology *topology, const Group *group);
bool group_is_bound(const Topology *topology, const Group *group);
/* There is an IOMMU that is switched on. */
bool topology_has_iommu(const Topology *topology);

/* Whether there is such a device, but no group that it is in; to be told for each request that
 * names one. */
void topology_set_ungrouped(Topology *topology, const char *name, bool ungrouped);
bool topology_is_ungrouped(const Topology *topology, const char *name);

/* It is one of unsafe no-IOMMU mode (core/viability.h). */
bool group_has_no_iommu(const Group *group);

/*
 * Records what `device` is on now, unless a record is in force. Of one that is suspended only the
 * override is kept: the one that there is now is ours.
 */
int device_record_original(Device *device);
void device_forget_original(Device *device);

/* Bind has put the device where it is now. */
int device_set_bound(Device *device);

/* Somebody else has taken the device from its vfio driver, and left the driver_override that Bind
 * has set (core/rebound.h). */
bool device_original_is_suspended(const Device *device);
