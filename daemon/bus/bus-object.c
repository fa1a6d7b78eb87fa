/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-object.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/bus/call.h"
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

/* What every object has, and sd-bus answers; no property of ours is in them. */
static const char *const standard_interfaces[] = {"org.freedesktop.DBus.Peer",
                                                  "org.freedesktop.DBus.Introspectable",
                                                  "org.freedesktop.DBus.Properties"};

static int append_interfaces(sd_bus_message *m, const BusKind *kind, const World *world,
                             const void *object) {
        int r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");

        for (size_t i = 0; r >= 0 && i < ELEMENTS(standard_interfaces); i++)
                r = sd_bus_message_append(m, "{sa{sv}}", standard_interfaces[i], 0);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", kind->interface);
        if (r >= 0)
                r = bus_append_properties(m, kind->properties, world, object);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_managed(sd_bus_message *m, const BusKind *kind, const World *world,
                          const char *path) {
        int r = sd_bus_message_open_container(m, 'e', "oa{sa{sv}}");

        if (r >= 0)
                r = sd_bus_message_append(m, "o", path);
        if (r >= 0)
                r = append_interfaces(m, kind, world, kind->find(world, path));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_all_managed(sd_bus_message *m, const Call *call) {
        const World *world = broker_world(call->bus->broker);
        int r = sd_bus_message_open_container(m, 'a', "{oa{sa{sv}}}");

        for (size_t i = 0; r >= 0 && i < ELEMENTS(kinds); i++) {
                _cleanup_strv_ char **paths = calloc(1, sizeof(char *));

                r = paths ? kinds[i]->list(world, &paths) : -ENOMEM;
                for (char **path = paths; r >= 0 && path && *path; path++)
                        r = append_managed(m, kinds[i], world, *path);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void run_managed(Call *call) {
        call_reply_with(call, append_all_managed);
}

static int on_get_managed_objects(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Request request = {0};

        if (!sd_bus_message_is_method_call(m, "org.freedesktop.DBus.ObjectManager",
                                           "GetManagedObjects"))
                return 0;
        /* A whole message is kept while polkit thinks. */
        if (!sd_bus_message_is_empty(m))
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "GetManagedObjects has no arguments");
        return call_begin(userdata, m, PERMISSION_LIST, run_managed, &request, false);
}

int bus_object_add_object_manager(Bus *bus, sd_bus *sd) {
        int r = sd_bus_add_object_manager(sd, NULL, VFIOD_PATH);

        return r < 0 ? r : sd_bus_add_object(sd, NULL, VFIOD_PATH, on_get_managed_objects, bus);
}
