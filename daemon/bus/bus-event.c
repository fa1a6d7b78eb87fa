/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes in the broker become signals on every connection, and the end of a lease a record. */

#include "daemon/bus/bus-path.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/journal.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

/* What can follow from a change; a signal with a value that stayed the same does no harm. */
static char *const group_properties[] = {
        (char *)"Type",  (char *)"ReservedRegions", (char *)"Devices", (char *)"Viable",
        (char *)"Bound", (char *)"Blockers",        (char *)"Lease",   NULL};
static char *const device_properties[] = {(char *)"Group",
                                          (char *)"Driver",
                                          (char *)"DriverOverride",
                                          (char *)"OriginalDriver",
                                          (char *)"Vfio",
                                          (char *)"Cdev",
                                          (char *)"VendorId",
                                          (char *)"DeviceId",
                                          (char *)"SubsystemVendorId",
                                          (char *)"SubsystemDeviceId",
                                          (char *)"Class",
                                          (char *)"VendorName",
                                          (char *)"DeviceName",
                                          (char *)"ClassName",
                                          (char *)"NumaNode",
                                          (char *)"Interfaces",
                                          (char *)"Verdict",
                                          (char *)"ResetMethods",
                                          (char *)"ResetSet",
                                          (char *)"PhysicalFunction",
                                          (char *)"TotalVfs",
                                          (char *)"NumVfs",
                                          (char *)"VfsAutoprobe",
                                          (char *)"State",
                                          (char *)"StuckReason",
                                          NULL};
static char *const lease_properties[] = {
        (char *)"Groups",    (char *)"Devices",    (char *)"State",         (char *)"Deadline",
        (char *)"DeviceIds", (char *)"IovaRanges", (char *)"IovaAlignment", NULL};

typedef enum Event {
        EVENT_ADDED,
        EVENT_CHANGED,
        EVENT_REMOVED,
} Event;

static bool has_too_much(const Connection *connection) {
        uint64_t queued;

        return sd_bus_get_n_queued_write(connection->sd, &queued) >= 0 &&
               queued >= broker_world(connection->bus->broker)->config.limit_queued_messages;
}

static void emit(const Bus *bus, const char *path, Event event, const char *interface,
                 char *const *properties) {
        if (!path)
                return;
        list_for_each(link, &bus->connections) {
                Connection *connection = container_of(link, Connection, link);
                sd_bus *sd = connection->sd;

                /* Nobody has asked for anything yet who has not authenticated, and what was queued
                 * for it would keep it from being heard. */
                if (connection->doomed || sd_bus_is_ready(sd) <= 0)
                        continue;
                /* Whoever asks and does not read is not read from; but signals come unasked. */
                if (connection->is_peer && has_too_much(connection)) {
                        connection_doom(connection);
                        continue;
                }
                switch (event) {
                case EVENT_ADDED:
                        (void)sd_bus_emit_interfaces_added(sd, path, interface, NULL);
                        break;
                case EVENT_CHANGED:
                        (void)sd_bus_emit_properties_changed_strv(sd, path, interface,
                                                                  (char **)properties);
                        break;
                case EVENT_REMOVED:
                        (void)sd_bus_emit_interfaces_removed(sd, path, interface, NULL);
                        break;
                }
        }
}

static void emit_group(const Bus *bus, uint32_t number, Event event) {
        _cleanup_free_ char *path = path_of_group(number);

        emit(bus, path, event, VFIOD_INTERFACE_GROUP, group_properties);
}

static void emit_device(const Bus *bus, const char *name, Event event) {
        _cleanup_free_ char *path = path_of_device(name);

        emit(bus, path, event, VFIOD_INTERFACE_DEVICE, device_properties);
}

static void emit_lease(const Bus *bus, uint32_t id, Event event) {
        _cleanup_free_ char *path = path_of_lease(id);

        emit(bus, path, event, VFIOD_INTERFACE_LEASE, lease_properties);
}

/* A bus passes it on to the owner's connection alone; a peer is that connection or is not. */
static bool leads_to(const Connection *connection, const char *client) {
        if (connection->is_peer)
                return !connection->doomed && string_equal(connection->peer.caller.name, client);
        return client && client[0] == ':';
}

static void send_asked(const Connection *connection, const Lease *lease, const char *path,
                       const char *reason) {
        sd_bus_message *m = NULL;

        if (!leads_to(connection, lease->client))
                return;
        if (sd_bus_message_new_signal(connection->sd, &m, path, VFIOD_INTERFACE_LEASE,
                                      "ReleaseRequested") >= 0 &&
            sd_bus_message_append(m, "ts", lease->deadline, reason) >= 0)
                (void)(connection->is_peer
                               ? sd_bus_send(connection->sd, m, NULL)
                               : sd_bus_send_to(connection->sd, m, lease->client, NULL));
        sd_bus_message_unref(m);
}

static void emit_asked(const Bus *bus, uint32_t id, const char *reason) {
        const Lease *lease = lease_table_find(&broker_world(bus->broker)->leases, id);
        _cleanup_free_ char *path = path_of_lease(id);

        if (!lease || !path)
                return;
        journal_lease_asked(lease, reason);
        list_for_each(link, &bus->connections)
                send_asked(container_of(link, Connection, link), lease, path, reason);
}

static void record_stuck(const Bus *bus, uint32_t id) {
        const Lease *lease = lease_table_find(&broker_world(bus->broker)->leases, id);

        if (lease)
                journal_lease_stuck(lease);
}

static void record_end(const Bus *bus, uint32_t id) {
        const Lease *lease = lease_table_find(&broker_world(bus->broker)->leases, id);
        uint64_t now = clock_now(CLOCK_REALTIME);

        if (lease)
                journal_lease_over(lease, now > lease->since ? now - lease->since : 0);
}

void bus_on_change(void *userdata, const Change *change) {
        const Bus *bus = userdata;

        switch (change->kind) {
        case CHANGE_GROUP_ADDED:
                emit_group(bus, change->number, EVENT_ADDED);
                break;
        case CHANGE_GROUP_CHANGED:
                emit_group(bus, change->number, EVENT_CHANGED);
                break;
        case CHANGE_GROUP_REMOVED:
                emit_group(bus, change->number, EVENT_REMOVED);
                break;
        case CHANGE_DEVICE_ADDED:
                emit_device(bus, change->device, EVENT_ADDED);
                break;
        case CHANGE_DEVICE_CHANGED:
                emit_device(bus, change->device, EVENT_CHANGED);
                break;
        case CHANGE_DEVICE_REMOVED:
                emit_device(bus, change->device, EVENT_REMOVED);
                break;
        case CHANGE_LEASE_ADDED:
                emit_lease(bus, change->number, EVENT_ADDED);
                break;
        case CHANGE_LEASE_CHANGED:
                emit_lease(bus, change->number, EVENT_CHANGED);
                break;
        case CHANGE_LEASE_ASKED:
                emit_asked(bus, change->number, change->reason);
                break;
        case CHANGE_LEASE_STUCK:
                record_stuck(bus, change->number);
                break;
        case CHANGE_LEASE_REMOVED:
                record_end(bus, change->number);
                emit_lease(bus, change->number, EVENT_REMOVED);
                break;
        }
}
