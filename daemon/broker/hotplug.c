/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Keeps the topology true: reads everything once, then what udev points at, and whatever a request
 * is about. What somebody else binds, unbinds, plugs in or pulls out shows like our own doing.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/rebound.h"
#include "daemon/core/reset-set.h"
#include "daemon/kernel/enumerate.h"
#include "daemon/kernel/pci-names.h"
#include "daemon/util/string.h"

static const ChangeKind group_changes[] = {
        [TOPOLOGY_ADDED] = CHANGE_GROUP_ADDED,
        [TOPOLOGY_CHANGED] = CHANGE_GROUP_CHANGED,
};

static const ChangeKind device_changes[] = {
        [TOPOLOGY_ADDED] = CHANGE_DEVICE_ADDED,
        [TOPOLOGY_CHANGED] = CHANGE_DEVICE_CHANGED,
};

/* A revocation that is under way, or a Remove: the owner has been told in its own words. */
static bool is_our_doing(const Broker *broker, const Lease *lease) {
        return activity_find_any(&broker->world.activities, lease->groups, lease->n_groups);
}

static void tell_owner(Broker *broker, const Lease *lease, const Holding *holding,
                       const char *device) {
        _cleanup_free_ char *reason =
                string_format("%s is being unplugged, or taken from its driver", device);

        if (holding)
                holding_ask(holding);
        broker_emit_asked(broker, lease, string_or_empty(reason));
}

/*
 * A device that has left its vfio driver under a lease: the kernel waits until all files of it are
 * closed, ours among them (drivers/vfio/vfio_main.c, vfio_unregister_group_dev).
 */
static void let_go_of_device(Broker *broker, const char *name) {
        list_for_each(link, &broker->world.leases.leases) {
                Lease *lease = container_of(link, Lease, link);
                Holding *holding = broker_find_holding(broker, lease->id);
                Handles files = HANDLES_NULL;

                if (!lease_has_device(lease, name))
                        continue;
                if (!is_our_doing(broker, lease))
                        tell_owner(broker, lease, holding, name);
                if (holding && handles_move_device(&holding->files, name, &files) >= 0)
                        release_files(broker, &files);
                lease_remove_device(lease, name);
                broker_emit(broker, CHANGE_LEASE_CHANGED, lease->id, NULL);
                return;
        }
}

static void let_go_of_group(Broker *broker, uint32_t group) {
        Lease *lease = lease_table_find_group(&broker->world.leases, group);
        Holding *holding;
        Handles files = HANDLES_NULL;

        if (!lease)
                return;
        if (lease->n_groups == 1) {
                release_begin(broker, lease, LEASE_EVENT_UNPLUGGED);
                return;
        }
        holding = broker_find_holding(broker, lease->id);
        if (holding && handles_move_group(&holding->files, group, &files) >= 0)
                release_files(broker, &files);
        lease_remove_group(lease, group);
        broker_emit(broker, CHANGE_LEASE_CHANGED, lease->id, NULL);
}

/* The devices whose reset set the device is in, and the one that it is a virtual function of: they
 * look different without it. */
static char **find_affected(const Broker *broker, const char *name) {
        const Topology *topology = &broker->world.topology;
        const Device *device = topology_find_device(topology, name);
        char **names = NULL;

        for (size_t i = 0; broker->listener && device && i < topology->n_devices; i++)
                if (topology->devices[i] != device &&
                    (reset_set_has(&topology->devices[i]->facts, &device->facts) ||
                     device_is_vf_of(device, topology->devices[i])))
                        (void)strv_push(&names, topology->devices[i]->facts.name);
        return names;
}

static void emit_devices(Broker *broker, char *const *names) {
        for (; names && *names; names++)
                broker_emit(broker, CHANGE_DEVICE_CHANGED, 0, *names);
}

static void remove_device(Broker *broker, const char *name) {
        Topology *topology = &broker->world.topology;
        const Device *device = topology_find_device(topology, name);
        _cleanup_strv_ char **affected = find_affected(broker, name);
        uint32_t group;

        if (!device)
                return;
        group = device->facts.group;
        let_go_of_device(broker, name);
        broker_emit(broker, CHANGE_DEVICE_REMOVED, group, name);
        (void)topology_remove_device(topology, name);
        emit_devices(broker, affected);
        if (topology_find_group(topology, group)) {
                broker_emit(broker, CHANGE_GROUP_CHANGED, group, NULL);
                return;
        }
        broker_emit(broker, CHANGE_GROUP_REMOVED, group, NULL);
        let_go_of_group(broker, group);
        wait_poke(broker);
}

/* A device whose names are those of these ids. */
static const Device *find_alike(const Topology *topology, const DeviceFacts *facts) {
        for (size_t i = 0; i < topology->n_devices; i++) {
                const DeviceFacts *other = &topology->devices[i]->facts;

                if (other->vendor == facts->vendor && other->device == facts->device &&
                    other->class_code == facts->class_code)
                        return topology->devices[i];
        }
        return NULL;
}

/* Opening the database takes long, and hundreds of virtual functions come at once: it is opened for
 * ids that no device has. */
static int look_up_names(const Topology *topology, PciNames **names, DeviceFacts *facts) {
        const Device *alike = find_alike(topology, facts);

        if (alike)
                return string_set(&facts->vendor_name, alike->facts.vendor_name) < 0 ||
                                       string_set(&facts->device_name, alike->facts.device_name) <
                                               0 ||
                                       string_set(&facts->class_name, alike->facts.class_name) < 0
                               ? -ENOMEM
                               : 0;
        if (!*names)
                *names = pci_names_open();
        return *names ? pci_names_look_up(*names, facts) : -ENOMEM;
}

/* A device that comes was on nothing. */
static int take_placement(const Device *device, Placement *ret) {
        if (device)
                return placement_take(ret, device);
        return string_set(&ret->driver, "") < 0 ? -ENOMEM : string_set(&ret->override, "");
}

/* A device never changes its group: it was taken out, and is there again. What it was is over. */
static void drop_moved(Broker *broker, const char *name, uint32_t group) {
        const Device *device = topology_find_device(&broker->world.topology, name);

        if (device && device->facts.group != group)
                remove_device(broker, name);
}

/* The group must be in the topology. */
static int put_device(Broker *broker, PciNames **names, DeviceFacts *facts) {
        Topology *topology = &broker->world.topology;
        const Device *device = topology_find_device(topology, facts->name);
        _cleanup_free_ char *name = strdup(facts->name);
        _cleanup_strv_ char **affected = NULL;
        _cleanup_placement_ Placement before = {0};
        bool is_vfio = facts->vfio;
        uint32_t group = facts->group;
        int r;

        if (!name || take_placement(device, &before) < 0)
                return -ENOMEM;
        r = look_up_names(topology, names, facts);
        if (r < 0)
                return r;
        r = topology_put_device(topology, facts);
        if (r <= TOPOLOGY_UNCHANGED)
                return r;
        if (before.vfio && !is_vfio)
                let_go_of_device(broker, name);
        if (r == TOPOLOGY_ADDED)
                assign_note_serial(broker, name);
        broker_emit(broker, device_changes[r], group, name);
        broker_emit(broker, CHANGE_GROUP_CHANGED, group, NULL);
        /* Found again, since it is another one if it was added. */
        rebound_notice(broker, topology_find_device(topology, name), &before);
        if (r == TOPOLOGY_ADDED)
                affected = find_affected(broker, name);
        emit_devices(broker, affected);
        return 0;
}

static int read_group(Broker *broker, uint32_t number) {
        _cleanup_group_facts_ GroupFacts facts = GROUP_FACTS_NULL;
        int r;

        r = read_group_facts(&broker->roots, number, &facts);
        if (r < 0)
                return r;
        r = topology_put_group(&broker->world.topology, &facts);
        if (r > TOPOLOGY_UNCHANGED)
                broker_emit(broker, group_changes[r], number, NULL);
        return r;
}

/* Members that the kernel does not list any more. */
static void drop_missing(Broker *broker, uint32_t number, char *const *members) {
        const Group *group = topology_find_group(&broker->world.topology, number);
        _cleanup_strv_ char **gone = NULL;

        for (size_t i = 0; group && i < group->n_members; i++)
                if (!strv_contains(members, group->members[i]->facts.name))
                        (void)strv_push(&gone, group->members[i]->facts.name);
        for (char **name = gone; name && *name; name++)
                remove_device(broker, *name);
}

/* What is known of a member, NULL where nothing is. */
static const DeviceFacts *known_facts(const Broker *broker, uint32_t group, const char *name) {
        const Device *device = topology_find_device(&broker->world.topology, name);

        return device && device->facts.group == group ? &device->facts : NULL;
}

/* We have a file of the device itself. */
static bool is_open(const Broker *broker, uint32_t group, const char *name) {
        const Lease *lease = lease_table_find_group(&broker->world.leases, group);
        const Holding *holding = lease ? broker_find_holding(broker, lease->id) : NULL;

        return holding && (handles_find(&holding->files, HANDLE_DEVICE, group, name) >= 0 ||
                           handles_find(&holding->files, HANDLE_CDEV, group, name) >= 0);
}

/*
 * *names: the database, NULL while nobody has wanted it. `idle`: no worker is at the group. Who
 * takes a device that is open from its driver takes its link to that away first, and then waits,
 * with the device's lock, for all who have it open.
 */
static void refresh_group(Broker *broker, uint32_t number, bool idle, PciNames **names) {
        _cleanup_strv_ char **members = NULL;

        if (enumerate_members(&broker->roots, number, &members) < 0)
                return;
        drop_missing(broker, number, members);
        if (!members || read_group(broker, number) < 0)
                return;
        for (char **member = members; *member; member++) {
                bool all = idle && !is_open(broker, number, *member);
                _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL;

                if (read_device_facts(&broker->roots, number, *member,
                                      all ? NULL : known_facts(broker, number, *member), idle,
                                      &facts) < 0)
                        continue;
                drop_moved(broker, *member, number);
                (void)put_device(broker, names, &facts);
        }
}

static bool is_idle(const Broker *broker, uint32_t group) {
        return !activity_find_group(&broker->world.activities, group);
}

void broker_refresh_group(Broker *broker, uint32_t group) {
        _cleanup_(pci_names_closep) PciNames *names = NULL;

        refresh_group(broker, group, is_idle(broker, group), &names);
}

void broker_refresh_worked_on(Broker *broker, uint32_t group) {
        _cleanup_(pci_names_closep) PciNames *names = NULL;

        refresh_group(broker, group, true, &names);
}

static int refresh_all(Broker *broker) {
        _cleanup_(pci_names_closep) PciNames *names = NULL;
        _cleanup_free_ uint32_t *numbers = NULL, *known = NULL;
        const Topology *topology = &broker->world.topology;
        size_t n = 0, n_known = topology->n_groups;
        int r;

        known = calloc(n_known + 1, sizeof(uint32_t));
        if (!known)
                return -ENOMEM;
        for (size_t i = 0; i < n_known; i++)
                known[i] = topology->groups[i]->facts.number;
        r = enumerate_groups(&broker->roots, &numbers, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                refresh_group(broker, numbers[i], is_idle(broker, numbers[i]), &names);
        for (size_t i = 0; i < n_known; i++)
                refresh_group(broker, known[i], is_idle(broker, known[i]), &names);
        return 0;
}

static void on_event(Broker *broker, const MonitorEvent *event) {
        const Device *device = topology_find_device(&broker->world.topology, event->name);
        uint32_t old = device ? device->facts.group : 0, group;
        bool known = device;

        if (event->removed) {
                /* Its address may be taken again already: believe sysfs, not the event. */
                if (known)
                        broker_refresh_group(broker, old);
                return;
        }
        if (read_device_group(&broker->roots, event->syspath, &group) < 0) {
                if (known)
                        broker_refresh_group(broker, old);
                return;
        }
        if (known && old != group)
                broker_refresh_group(broker, old);
        broker_refresh_group(broker, group);
}

static int on_monitor(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
                      void *userdata) {
        Broker *broker = userdata;
        MonitorEvent event;
        int r;

        while ((r = monitor_receive(broker->monitor, &event)) > 0) {
                on_event(broker, &event);
                monitor_event_done(&event);
        }
        if (r < 0)
                (void)refresh_all(broker);
        return 0;
}

/* Watching begins before reading, so that nothing can happen in between unseen. */
int hotplug_start(Broker *broker) {
        int r;

        r = monitor_new(&broker->monitor);
        if (r >= 0)
                r = sd_event_add_io(broker->event, &broker->monitor_source,
                                    monitor_fd(broker->monitor), EPOLLIN, on_monitor, broker);
        return r < 0 ? r : refresh_all(broker);
}

void hotplug_stop(Broker *broker) {
        broker->monitor_source = sd_event_source_disable_unref(broker->monitor_source);
        broker->monitor = monitor_free(broker->monitor);
}
