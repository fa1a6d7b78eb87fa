/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What `vfioctl list` needs of Overview and ListLeases, as plain rows. Strings are borrowed from
 * the replies, which the Listing keeps: a listing of many devices is read without copying.
 */

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "daemon/util/cleanup.h"

/* Booleans are ints: sd_bus_message_read() writes an int for a D-Bus boolean. */
typedef struct GroupRow {
        uint32_t number;
        const char *type;
        int viable;
        int bound;
        const char *lease; /* path, "/" for none */
} GroupRow;

typedef struct DeviceRow {
        const char *name;
        const char *bus;
        uint32_t group;
        const char *driver;
        const char *verdict;
        const char *state;
        uint16_t vendor;
        uint16_t device;
        const char *vendor_name;
        const char *device_name;
        char **interfaces; /* owned */
        const char *assignment;
        char *trouble; /* owned; NULL unless it is stuck or rebound and was asked why */
} DeviceRow;

typedef struct LeaseRow {
        const char *path;
        uint32_t owner;
        const char *label;
        const char *state;
        char *user; /* owned; name of `owner`, NULL where it has none */
} LeaseRow;

typedef struct Listing {
        GroupRow *groups; /* by number */
        size_t n_groups;
        DeviceRow *devices; /* by group, then name */
        size_t n_devices;
        LeaseRow *leases;
        size_t n_leases;
        sd_bus_message *replies[2];
} Listing;

#define LISTING_NULL {.n_groups = 0}

void listing_done(Listing *listing);

/* Replies of Overview and ListLeases. Keeps a reference on each. */
int listing_read(sd_bus_message *overview, sd_bus_message *leases, Listing *ret);

/* Names of the owners; asks the user database, and only where there are leases. */
int listing_name_owners(Listing *listing);

#define _cleanup_listing_ _cleanup_(listing_done)
