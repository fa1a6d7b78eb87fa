/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What groups, devices and leases have in common as D-Bus objects: they come and go, are found by
 * their path, and their properties are a table.
 */

#include "daemon/bus/bus-property.h"

typedef struct BusKind {
        const char *prefix; /* of the paths */
        const char *interface;
        const BusProperty *properties;
        /* The object at a path; NULL when there is none. */
        const void *(*find)(const World *world, const char *path);
        /* Appends the paths of all objects of the kind. */
        int (*list)(const World *world, char ***paths);
} BusKind;

extern const BusKind bus_kind_group;
extern const BusKind bus_kind_device;
extern const BusKind bus_kind_lease;

/* The getter for every property in the vtable of such an object. */
int bus_object_get_property(sd_bus *sd, const char *path, const char *interface,
                            const char *property, sd_bus_message *reply, void *userdata,
                            sd_bus_error *error);

/* Puts all objects of the kind on a connection, and then their names into introspection. */
int bus_object_add(Bus *bus, sd_bus *sd, const BusKind *kind, const sd_bus_vtable *vtable);
int bus_object_add_enumerator(Bus *bus, sd_bus *sd);

/* Answers GetManagedObjects of the ObjectManager instead of sd-bus: it reads everything, so it is
 * asked for like the lists (PERMISSION_LIST), and is one of the calls that have limits. */
int bus_object_add_object_manager(Bus *bus, sd_bus *sd);
