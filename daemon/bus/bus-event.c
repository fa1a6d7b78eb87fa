/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Changes in the broker become signals on every connection, and the end of a lease a record. What a
 * signal says is rendered once: sd_bus_emit_properties_changed() and its like would do so for each
 * connection, and who opens many would make everybody wait for that.
 */

#include <errno.h>

#include "daemon/bus/bus-object.h"
#include "daemon/bus/bus-path.h"
#include "daemon/bus/flow.h"
#include "daemon/bus/journal.h"
#include "daemon/bus/readers.h"
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
                                          (char *)"Assignment",
                                          (char *)"State",
                                          (char *)"StuckReason",
                                          (char *)"Rebound",
                                          NULL};
static char *const lease_properties[] = {
        (char *)"Groups",        (char *)"Devices",   (char *)"State",
        (char *)"Deadline",      (char *)"DeviceIds", (char *)"IovaRanges",
        (char *)"IovaAlignment", (char *)"NoIommu",   NULL};

typedef enum Event {
        EVENT_ADDED,
        EVENT_CHANGED,
        EVENT_REMOVED,
} Event;

/* What has happened to which object. */
typedef struct News {
        Event event;
        const BusKind *kind;
        const char *path;
        char *const *properties; /* that may have changed */
} News;

static bool has_too_much(const Connection *connection) {
        uint64_t queued;

        return sd_bus_get_n_queued_write(connection->sd, &queued) >= 0 &&
               queued >= broker_world(connection->bus->broker)->config.limit_queued_messages;
}

static bool is_told(Connection *connection) {
        /* Nobody has asked for anything yet who has not authenticated, and what was queued for it
         * would keep it from being heard. */
        if (connection->doomed || sd_bus_is_ready(connection->sd) <= 0)
                return false;
        /* Whoever asks and does not read is not read from; but signals come unasked. */
        if (connection->is_peer && has_too_much(connection)) {
                connection_doom(connection);
                return false;
        }
        return readers_note_signal(connection);
}

static int new_signal(const News *news, sd_bus *sd, sd_bus_message **ret) {
        if (news->event == EVENT_CHANGED)
                return sd_bus_message_new_signal(sd, ret, news->path,
                                                 "org.freedesktop.DBus.Properties",
                                                 "PropertiesChanged");
        return sd_bus_message_new_signal(sd, ret, VFIOD_PATH, "org.freedesktop.DBus.ObjectManager",
                                         news->event == EVENT_ADDED ? "InterfacesAdded"
                                                                    : "InterfacesRemoved");
}

static int append_changed(sd_bus_message *m, const News *news, const World *world,
                          const void *object) {
        int r;

        r = sd_bus_message_append(m, "s", news->kind->interface);
        if (r >= 0)
                r = bus_append_some_properties(m, news->kind->properties, news->properties, world,
                                               object);
        return r < 0 ? r : sd_bus_message_append(m, "as", 0);
}

static int append_added(sd_bus_message *m, const News *news, const World *world,
                        const void *object) {
        int r;

        r = sd_bus_message_append(m, "o", news->path);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", news->kind->interface);
        if (r >= 0)
                r = bus_append_properties(m, news->kind->properties, world, object);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int render(sd_bus_message *m, const News *news, const World *world) {
        const void *object;

        if (news->event == EVENT_REMOVED)
                return sd_bus_message_append(m, "oas", news->path, 1, news->kind->interface);
        object = news->kind->find(world, news->path);
        if (!object)
                return -ENOENT;
        return news->event == EVENT_ADDED ? append_added(m, news, world, object)
                                          : append_changed(m, news, world, object);
}

static int copy(sd_bus_message *m, sd_bus_message *rendered) {
        int r = sd_bus_message_rewind(rendered, true);

        return r < 0 ? r : sd_bus_message_copy(m, rendered, true);
}

/* *rendered is what the first one was told. */
static void tell(const Connection *connection, const News *news, sd_bus_message **rendered) {
        sd_bus_message *m = NULL;
        int r;

        r = new_signal(news, connection->sd, &m);
        if (r >= 0)
                r = *rendered ? copy(m, *rendered)
                              : render(m, news, broker_world(connection->bus->broker));
        if (r >= 0)
                r = sd_bus_send(connection->sd, m, NULL);
        if (r >= 0 && !*rendered)
                *rendered = sd_bus_message_ref(m);
        sd_bus_message_unref(m);
}

static void emit(const Bus *bus, const News *news) {
        sd_bus_message *rendered = NULL;

        if (!news->path)
                return;
        list_for_each(link, &bus->connections) {
                Connection *connection = container_of(link, Connection, link);

                if (is_told(connection))
                        tell(connection, news, &rendered);
        }
        sd_bus_message_unref(rendered);
}

static void emit_group(const Bus *bus, uint32_t number, Event event) {
        _cleanup_free_ char *path = path_of_group(number);

        emit(bus, &(News){event, &bus_kind_group, path, group_properties});
}

static void emit_device(const Bus *bus, const char *name, Event event) {
        _cleanup_free_ char *path = path_of_device(name);

        emit(bus, &(News){event, &bus_kind_device, path, device_properties});
}

static void emit_lease(const Bus *bus, uint32_t id, Event event) {
        _cleanup_free_ char *path = path_of_lease(id);

        emit(bus, &(News){event, &bus_kind_lease, path, lease_properties});
}

/* A bus passes it on to the owner's connection alone; a peer is that connection or is not. */
static bool leads_to(const Connection *connection, const char *client) {
        if (connection->is_peer)
                return !connection->doomed && string_equal(connection->peer.caller.name, client);
        return client && client[0] == ':';
}

static void send_asked(Connection *connection, const Lease *lease, const char *path,
                       const char *reason) {
        sd_bus_message *m = NULL;

        if (!leads_to(connection, lease->client) || !readers_note_signal(connection))
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

static void record_lease(const Bus *bus, uint32_t id, void (*journal)(const Lease *lease)) {
        const Lease *lease = lease_table_find(&broker_world(bus->broker)->leases, id);

        if (lease)
                journal(lease);
}

static void record_end(const Bus *bus, uint32_t id) {
        const Lease *lease = lease_table_find(&broker_world(bus->broker)->leases, id);
        uint64_t now = clock_now(CLOCK_REALTIME);

        if (lease)
                journal_lease_over(lease, now > lease->since ? now - lease->since : 0);
}

void bus_on_change(void *userdata, const Change *change) {
        Bus *bus = userdata;

        switch (change->kind) {
        case CHANGE_GROUP_ADDED:
                emit_group(bus, change->number, EVENT_ADDED);
                break;
        case CHANGE_GROUP_CHANGED:
                emit_group(bus, change->number, EVENT_CHANGED);
                flow_recheck(bus);
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
                flow_recheck(bus);
                break;
        case CHANGE_LEASE_ASKED:
                emit_asked(bus, change->number, change->reason);
                break;
        case CHANGE_LEASE_STUCK:
                record_lease(bus, change->number, journal_lease_stuck);
                break;
        case CHANGE_LEASE_LEFT:
                record_lease(bus, change->number, journal_lease_left);
                break;
        case CHANGE_DEVICE_REBOUND:
                journal_rebound(change, false);
                break;
        case CHANGE_DEVICE_OVERRIDDEN:
                journal_rebound(change, true);
                break;
        case CHANGE_STATE:
                journal_state(change->error);
                break;
        case CHANGE_STATE_LOST:
                journal_state_lost(change->reason, change->error);
                break;
        case CHANGE_ORPHANS:
                journal_orphans(change->number);
                break;
        case CHANGE_PLAN_RECOVERED:
                journal_plan_recovered(change->reason, change->error);
                break;
        case CHANGE_LEASE_REMOVED:
                record_end(bus, change->number);
                emit_lease(bus, change->number, EVENT_REMOVED);
                flow_recheck(bus);
                break;
        }
}
