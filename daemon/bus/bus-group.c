/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.vfiod1.Group: properties of IOMMU groups. */

#include <stdlib.h>

#include "daemon/bus/bus-holders.h"
#include "daemon/bus/bus-object.h"
#include "daemon/bus/bus-path.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static int append_number(const World *world _unused_, const void *object, sd_bus_message *m) {
        const Group *group = object;

        return sd_bus_message_append(m, "u", group->facts.number);
}

/* The kernel says "unknown" of all groups that have no default domain. */
const char *bus_group_type(const Group *group) {
        return group_has_no_iommu(group) ? "no-iommu" : string_or_empty(group->facts.type);
}

static int append_type(const World *world _unused_, const void *object, sd_bus_message *m) {
        return sd_bus_message_append(m, "s", bus_group_type(object));
}

static int append_regions(const World *world _unused_, const void *object, sd_bus_message *m) {
        const Group *group = object;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(tts)");
        for (size_t i = 0; r >= 0 && i < group->facts.n_regions; i++) {
                const ReservedRegion *region = &group->facts.regions[i];

                r = sd_bus_message_append(m, "(tts)", region->first, region->last, region->kind);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_devices(const World *world _unused_, const void *object, sd_bus_message *m) {
        const Group *group = object;
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        for (size_t i = 0; r >= 0 && i < group->n_members; i++)
                r = sd_bus_message_append(m, "s", group->members[i]->facts.name);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_viable(const World *world, const void *object, sd_bus_message *m) {
        return sd_bus_message_append(m, "b", group_is_viable(&world->topology, object));
}

static int append_bound(const World *world, const void *object, sd_bus_message *m) {
        return sd_bus_message_append(m, "b", group_is_bound(&world->topology, object));
}

static int append_blocker(sd_bus_message *m, Verdict verdict, const DeviceFacts *facts) {
        _cleanup_free_ char *reason = verdict_reason(verdict, facts);
        _cleanup_free_ char *remedy = verdict_remedy(verdict, facts);
        _cleanup_free_ char *sentence = NULL;

        if (!reason || !remedy)
                return -ENOMEM;
        sentence = string_format("%s %s; %s", facts->name, reason, remedy);
        return sentence ? sd_bus_message_append(m, "(ss)", facts->name, sentence) : -ENOMEM;
}

static int append_blockers(const World *world, const void *object, sd_bus_message *m) {
        const Group *group = object;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(ss)");
        for (size_t i = 0; r >= 0 && i < group->n_members; i++) {
                Verdict verdict = device_verdict(&world->topology, group->members[i]);

                if (!verdict_is_bound(verdict))
                        r = append_blocker(m, verdict, &group->members[i]->facts);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

char *bus_group_lease(const World *world, const Group *group) {
        const Lease *lease = lease_table_find_group(&world->leases, group->facts.number);

        return lease ? path_of_lease(lease->id) : strdup("/");
}

static int append_lease(const World *world, const void *object, sd_bus_message *m) {
        _cleanup_free_ char *path = bus_group_lease(world, object);

        return path ? sd_bus_message_append(m, "o", path) : -ENOMEM;
}

const BusProperty bus_group_properties[] = {
        {"Number", "u", append_number},
        {"Type", "s", append_type},
        {"ReservedRegions", "a(tts)", append_regions},
        {"Devices", "as", append_devices},
        {"Viable", "b", append_viable},
        {"Bound", "b", append_bound},
        {"Blockers", "a(ss)", append_blockers},
        {"Lease", "o", append_lease},
        {NULL, NULL, NULL},
};

static const void *find_group(const World *world, const char *path) {
        uint32_t number;

        return path_to_group(path, &number) < 0 ? NULL
                                                : topology_find_group(&world->topology, number);
}

static int list_groups(const World *world, char ***paths) {
        for (size_t i = 0; i < world->topology.n_groups; i++) {
                char *path = path_of_group(world->topology.groups[i]->facts.number);

                if (!path || strv_push_consume(paths, path) < 0)
                        return -ENOMEM;
        }
        return 0;
}

const BusKind bus_kind_group = {
        .prefix = VFIOD_PATH_GROUP,
        .interface = VFIOD_INTERFACE_GROUP,
        .properties = bus_group_properties,
        .find = find_group,
        .list = list_groups,
};

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Number", "u", bus_object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Type", "s", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ReservedRegions", "a(tts)", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Devices", "as", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Viable", "b", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Bound", "b", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Blockers", "a(ss)", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_METHOD_WITH_ARGS("ListHolders", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", holders),
                                holders_method_list_of_group, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("RefCount", "u", holders_get_ref_count, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("Lease", "o", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

int bus_add_groups(Bus *bus, sd_bus *sd) {
        int r = bus_object_add(bus, sd, &bus_kind_group, vtable);

        return r < 0 ? r : holders_add_ref_count(bus, sd);
}
