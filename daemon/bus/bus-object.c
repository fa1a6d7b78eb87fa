/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-object.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/util/string.h"
#include "protocol/names.h"

static const BusKind *const kinds[] = {&bus_kind_group, &bus_kind_device, &bus_kind_lease};

/* sd-bus asks for those alone that are registered. */
static const BusKind *kind_of_interface(const char *interface) {
        const BusKind *kind = NULL;

        for (size_t i = 0; i < ELEMENTS(kinds) && !kind; i++)
                if (strcmp(kinds[i]->interface, interface) == 0)
                        kind = kinds[i];
        assert(kind);
        return kind;
}

int bus_object_get_property(sd_bus *sd _unused_, const char *path, const char *interface,
                            const char *property, sd_bus_message *reply, void *userdata,
                            sd_bus_error *error _unused_) {
        const World *world = broker_world(((const Bus *)userdata)->broker);
        const BusKind *kind = kind_of_interface(interface);

        return bus_append_property(reply, kind->properties, property, world,
                                   kind->find(world, path));
}

static int find_object(sd_bus *sd _unused_, const char *path, const char *interface, void *userdata,
                       void **ret_found, sd_bus_error *error _unused_) {
        const World *world = broker_world(((const Bus *)userdata)->broker);

        if (!kind_of_interface(interface)->find(world, path))
                return 0;
        *ret_found = userdata;
        return 1;
}

/* One enumerator for all kinds: the prefix that it is asked with says nothing of which is meant. */
static int enumerate(sd_bus *sd _unused_, const char *prefix _unused_, void *userdata,
                     char ***ret_nodes, sd_bus_error *error _unused_) {
        const World *world = broker_world(((const Bus *)userdata)->broker);
        _cleanup_strv_ char **paths = calloc(1, sizeof(char *));
        int r = paths ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < ELEMENTS(kinds); i++)
                r = kinds[i]->list(world, &paths);
        if (r < 0)
                return r;
        *ret_nodes = TAKE_PTR(paths);
        return 0;
}

int bus_object_add(Bus *bus, sd_bus *sd, const BusKind *kind, const sd_bus_vtable *vtable) {
        return sd_bus_add_fallback_vtable(sd, NULL, kind->prefix, kind->interface, vtable,
                                          find_object, bus);
}

int bus_object_add_enumerator(Bus *bus, sd_bus *sd) {
        return sd_bus_add_node_enumerator(sd, NULL, VFIOD_PATH, enumerate, bus);
}
