/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.vfiod1.Device: properties of devices that have an IOMMU group. Each method has a file of its
 * own. */

#include <stdlib.h>

#include "daemon/bus/bus-inspect.h"
#include "daemon/bus/bus-mdev.h"
#include "daemon/bus/bus-object.h"
#include "daemon/bus/bus-path.h"
#include "daemon/bus/bus-reset.h"
#include "daemon/bus/bus-vfs.h"
#include "daemon/core/rebound.h"
#include "daemon/core/reset-set.h"
#include "daemon/core/stuck.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

/* A property that is one field of the facts. */
#define FACT(function, signature, expression)                                                      \
        static int function(const World *world _unused_, const void *object, sd_bus_message *m) {  \
                const Device *device = object;                                                     \
                                                                                                   \
                return sd_bus_message_append(m, signature, expression);                            \
        }                                                                                          \
        struct fact_needs_a_semicolon_##function

FACT(append_name, "s", device->facts.name);
FACT(append_bus, "s", device->facts.bus);
FACT(append_group, "u", device->facts.group);
FACT(append_driver, "s", string_or_empty(device->facts.driver));
FACT(append_override, "s", string_or_empty(device->facts.driver_override));
FACT(append_vfio, "b", (int)device->facts.vfio);
FACT(append_cdev, "s", string_or_empty(device->facts.cdev));
FACT(append_vendor, "q", device->facts.vendor);
FACT(append_device, "q", device->facts.device);
FACT(append_subsystem_vendor, "q", device->facts.subsystem_vendor);
FACT(append_subsystem_device, "q", device->facts.subsystem_device);
FACT(append_class, "u", device->facts.class_code);
FACT(append_vendor_name, "s", string_or_empty(device->facts.vendor_name));
FACT(append_device_name, "s", string_or_empty(device->facts.device_name));
FACT(append_class_name, "s", string_or_empty(device->facts.class_name));
FACT(append_numa_node, "i", device->facts.numa_node);
FACT(append_physical, "s", string_or_empty(device->facts.physfn));
FACT(append_total_vfs, "u", (uint32_t)device->facts.total_vfs);
FACT(append_vfs_autoprobe, "b", (int)device->facts.vfs_autoprobe);
FACT(append_mdev_type, "s", string_or_empty(device->facts.mdev_type));

/* Of one that somebody else has moved, Unbind only puts the override back. */
static int append_original(const World *world _unused_, const void *object, sd_bus_message *m) {
        const Device *device = object;

        return sd_bus_message_append(m, "s",
                                     device_original_is_suspended(device)
                                             ? ""
                                             : string_or_empty(device->original.driver));
}

static int append_interfaces(const World *world _unused_, const void *object, sd_bus_message *m) {
        const Device *device = object;

        return bus_append_strv(m, device->facts.interfaces);
}

static int append_reset_methods(const World *world _unused_, const void *object,
                                sd_bus_message *m) {
        const Device *device = object;

        return bus_append_strv(m, device->facts.reset_methods);
}

static int append_verdict(const World *world, const void *object, sd_bus_message *m) {
        return sd_bus_message_append(m, "s",
                                     verdict_name(device_verdict(&world->topology, object)));
}

static int append_reset_set(const World *world, const void *object, sd_bus_message *m) {
        const Topology *topology = &world->topology;
        const Device *device = object;
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        for (size_t i = 0; r >= 0 && i < topology->n_devices; i++)
                if (reset_set_has(&device->facts, &topology->devices[i]->facts))
                        r = sd_bus_message_append(m, "s", topology->devices[i]->facts.name);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_mdev_parent(const World *world _unused_, const void *object, sd_bus_message *m) {
        _cleanup_free_ char *parent = device_mdev_parent(object);

        return parent ? sd_bus_message_append(m, "s", parent) : -ENOMEM;
}

static int append_num_vfs(const World *world, const void *object, sd_bus_message *m) {
        return sd_bus_message_append(m, "u",
                                     (uint32_t)topology_count_vfs(&world->topology, object));
}

static int append_stuck(const World *world, const void *object, sd_bus_message *m) {
        const Device *device = object;

        return sd_bus_message_append(m, "s",
                                     string_or_empty(stuck_reason(world, device->facts.group)));
}

static bool is_rebound(const World *world, const Device *device) {
        _cleanup_free_ char *sentence = rebound_describe(world, device);

        return !string_is_empty(sentence);
}

static int append_assignment(const World *world, const void *object, sd_bus_message *m) {
        _cleanup_free_ char *state = assignment_state(world, object);

        return state ? sd_bus_message_append(m, "s", state) : -ENOMEM;
}

const char *bus_device_state(const World *world, const Device *device) {
        if (stuck_reason(world, device->facts.group))
                return "stuck";
        if (activity_find_group(&world->activities, device->facts.group))
                return "busy";
        if (is_rebound(world, device))
                return "rebound";
        return lease_table_find_group(&world->leases, device->facts.group) ? "leased" : "idle";
}

static int append_rebound(const World *world, const void *object, sd_bus_message *m) {
        _cleanup_free_ char *sentence = rebound_describe(world, object);

        return sentence ? sd_bus_message_append(m, "s", sentence) : -ENOMEM;
}

static int append_state(const World *world, const void *object, sd_bus_message *m) {
        return sd_bus_message_append(m, "s", bus_device_state(world, object));
}

const BusProperty bus_device_properties[] = {
        {"Name", "s", append_name},
        {"Bus", "s", append_bus},
        {"Group", "u", append_group},
        {"Driver", "s", append_driver},
        {"DriverOverride", "s", append_override},
        {"OriginalDriver", "s", append_original},
        {"Vfio", "b", append_vfio},
        {"Cdev", "s", append_cdev},
        {"VendorId", "q", append_vendor},
        {"DeviceId", "q", append_device},
        {"SubsystemVendorId", "q", append_subsystem_vendor},
        {"SubsystemDeviceId", "q", append_subsystem_device},
        {"Class", "u", append_class},
        {"VendorName", "s", append_vendor_name},
        {"DeviceName", "s", append_device_name},
        {"ClassName", "s", append_class_name},
        {"NumaNode", "i", append_numa_node},
        {"Interfaces", "as", append_interfaces},
        {"Verdict", "s", append_verdict},
        {"ResetMethods", "as", append_reset_methods},
        {"ResetSet", "as", append_reset_set},
        {"PhysicalFunction", "s", append_physical},
        {"TotalVfs", "u", append_total_vfs},
        {"NumVfs", "u", append_num_vfs},
        {"VfsAutoprobe", "b", append_vfs_autoprobe},
        {"MdevParent", "s", append_mdev_parent},
        {"MdevType", "s", append_mdev_type},
        {"Assignment", "s", append_assignment},
        {"State", "s", append_state},
        {"StuckReason", "s", append_stuck},
        {"Rebound", "s", append_rebound},
        {NULL, NULL, NULL},
};

static const void *find_device(const World *world, const char *path) {
        _cleanup_free_ char *name = NULL;

        return path_to_device(path, &name) < 0 ? NULL
                                               : topology_find_device(&world->topology, name);
}

static int list_devices(const World *world, char ***paths) {
        for (size_t i = 0; i < world->topology.n_devices; i++) {
                char *path = path_of_device(world->topology.devices[i]->facts.name);

                if (!path || strv_push_consume(paths, path) < 0)
                        return -ENOMEM;
        }
        return 0;
}

const BusKind bus_kind_device = {
        .prefix = VFIOD_PATH_DEVICE,
        .interface = VFIOD_INTERFACE_DEVICE,
        .properties = bus_device_properties,
        .find = find_device,
        .list = list_devices,
};

#define CONSTANT(name, signature)                                                                  \
        SD_BUS_PROPERTY(name, signature, bus_object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST)
#define CHANGING(name, signature)                                                                  \
        SD_BUS_PROPERTY(name, signature, bus_object_get_property, 0,                               \
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Inspect", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", info),
                                inspect_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reset", SD_BUS_ARGS("s", method), SD_BUS_NO_RESULT, reset_method,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetVfs", SD_BUS_ARGS("u", num_vfs, "a{sv}", options),
                                SD_BUS_NO_RESULT, vfs_method_set, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RemoveMdev", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, mdev_method_remove,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        CONSTANT("Name", "s"),
        CONSTANT("Bus", "s"),
        CHANGING("Group", "u"),
        CHANGING("Driver", "s"),
        CHANGING("DriverOverride", "s"),
        CHANGING("OriginalDriver", "s"),
        CHANGING("Vfio", "b"),
        CHANGING("Cdev", "s"),
        CHANGING("VendorId", "q"),
        CHANGING("DeviceId", "q"),
        CHANGING("SubsystemVendorId", "q"),
        CHANGING("SubsystemDeviceId", "q"),
        CHANGING("Class", "u"),
        CHANGING("VendorName", "s"),
        CHANGING("DeviceName", "s"),
        CHANGING("ClassName", "s"),
        CHANGING("NumaNode", "i"),
        CHANGING("Interfaces", "as"),
        CHANGING("Verdict", "s"),
        CHANGING("ResetMethods", "as"),
        CHANGING("ResetSet", "as"),
        CHANGING("PhysicalFunction", "s"),
        CHANGING("TotalVfs", "u"),
        CHANGING("NumVfs", "u"),
        CHANGING("VfsAutoprobe", "b"),
        CONSTANT("MdevParent", "s"),
        CONSTANT("MdevType", "s"),
        CHANGING("Assignment", "s"),
        CHANGING("State", "s"),
        CHANGING("StuckReason", "s"),
        CHANGING("Rebound", "s"),
        SD_BUS_VTABLE_END,
};

int bus_add_devices(Bus *bus, sd_bus *sd) {
        return bus_object_add(bus, sd, &bus_kind_device, vtable);
}
