/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Properties as data: one table a kind of object, used for Properties.Get, for the bulk reads of
 * the manager and for signals, so that all of them say the same.
 */

#include "daemon/bus/bus-private.h"

typedef int (*PropertyAppend)(const World *world, const void *object, sd_bus_message *m);

typedef struct BusProperty {
        const char *name;
        const char *signature;
        PropertyAppend append;
} BusProperty;

/* Ends with a NULL name. */
extern const BusProperty bus_group_properties[];
extern const BusProperty bus_device_properties[];
extern const BusProperty bus_lease_properties[];

/* An a{sv} of all properties of the object. */
int bus_append_properties(sd_bus_message *m, const BusProperty *properties, const World *world,
                          const void *object);

/* The same of those that are named; NULL for all. */
int bus_append_some_properties(sd_bus_message *m, const BusProperty *properties, char *const *names,
                               const World *world, const void *object);

/* The value of one, without a variant around it. */
int bus_append_property(sd_bus_message *m, const BusProperty *properties, const char *name,
                        const World *world, const void *object);

/* "as" of a strv that may be NULL. */
int bus_append_strv(sd_bus_message *m, char *const *strv);

/* Values that are more than one field: Device.State and Group.Type (borrowed), Group.Lease
 * (allocated; NULL: no memory). */
const char *bus_device_state(const World *world, const Device *device);
const char *bus_group_type(const Group *group);
char *bus_group_lease(const World *world, const Group *group);
