/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What somebody else than vfiod does to the drivers of devices that vfiod has bound, or whose group
 * is leased: by sysfs, driverctl, or a driver that is loaded. It stays as he wants it:
 *
 *   - A device that is off its vfio driver is not put back on the driver that was recorded. The
 *     record is forgotten, so that Unbind leaves the device alone and the next Bind records what
 *     it finds.
 *
 *   - Unless its driver_override is still the one that Bind has set. That is ours to take away,
 *     and a vfio driver that comes back (its module was reloaded, say) takes the device again: the
 *     record is suspended. Unbind puts the override back, and not the driver. The record is in
 *     force again when the device is on a vfio driver again.
 *
 *   - A driver_override that he has changed is left as it is by Unbind, and decides on the driver.
 *
 * Owns the rules and the sentences. When to look, and what is our own doing, is broker/rebound.c's.
 */

#include "daemon/core/decide.h"

/* What was read of a device before it changed. */
typedef struct Placement {
        char *driver;   /* "" for none */
        char *override; /* "" for none */
        bool vfio;
} Placement;

/* What has become of the record of a device's original driver. */
typedef enum ReboundRecord {
        REBOUND_RECORD_NONE,      /* there was none */
        REBOUND_RECORD_IN_FORCE,  /* Unbind gives the device back to it */
        REBOUND_RECORD_SUSPENDED, /* Unbind puts the override back alone */
        REBOUND_RECORD_FORGOTTEN,
} ReboundRecord;

int placement_take(Placement *placement, const Device *device);
void placement_done(Placement *placement);

#define _cleanup_placement_ _cleanup_(placement_done)

/* Puts the device's record right for where the device is now. */
ReboundRecord rebound_settle(Device *device);

/* Somebody cares where the members of the group are: it is leased, or vfiod has bound one. */
bool rebound_is_claimed(const World *world, const Group *group);

/* The move is worth a record: not one between drivers that keep out of the group's way. */
bool rebound_is_move(const World *world, const Device *device, const Placement *before);

/* Somebody has written another driver_override while the device stayed where it is. */
bool rebound_is_override(const Device *device, const Placement *before);

/*
 * A sentence for the journal: what has happened since `before`, and what vfiod makes of it.
 * Allocated; NULL when memory ran out.
 */
char *rebound_message(const World *world, const Device *device, const Placement *before,
                      ReboundRecord record);

/*
 * How the device differs from what vfiod has made of it, or has granted: one sentence, "" where it
 * does not, and while an operation works on its group. Allocated; NULL when memory ran out.
 */
char *rebound_describe(const World *world, const Device *device);
