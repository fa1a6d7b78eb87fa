/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/bus/bus-object.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/call.h"
#include "daemon/bus/caller.h"
#include "protocol/names.h"

static Connection *connection_free(Connection *connection) {
        if (!connection)
                return NULL;
        call_drop_connection(connection->bus, connection);
        list_remove(&connection->link);
        if (connection->bus->authority == connection->sd)
                connection->bus->authority = NULL;
        sd_bus_slot_unref(connection->disconnected);
        (void)sd_bus_detach_event(connection->sd);
        sd_bus_flush_close_unref(connection->sd);
        free(connection);
        return NULL;
}

int bus_new(sd_event *event, Broker *broker, Bus **ret) {
        Bus *bus = calloc(1, sizeof(Bus));

        if (!bus)
                return -ENOMEM;
        bus->event = sd_event_ref(event);
        bus->broker = broker;
        list_init(&bus->connections);
        list_init(&bus->calls);
        list_init(&bus->callers);
        broker_set_listener(broker, bus_on_change, bus);
        *ret = bus;
        return 0;
}

Bus *bus_free(Bus *bus) {
        if (!bus)
                return NULL;
        broker_set_listener(bus->broker, NULL, NULL);
        list_for_each_safe(link, &bus->calls)
                call_free(container_of(link, Call, link));
        list_for_each_safe(link, &bus->connections)
                connection_free(container_of(link, Connection, link));
        caller_forget_all(bus);
        sd_event_unref(bus->event);
        free(bus);
        return NULL;
}

Connection *bus_connection_of(Bus *bus, sd_bus *sd) {
        list_for_each(link, &bus->connections) {
                Connection *connection = container_of(link, Connection, link);

                if (connection->sd == sd)
                        return connection;
        }
        return NULL;
}

/* A peer has gone: its calls go with it. Losing the system bus ends the daemon. */
static int on_disconnected(sd_bus_message *m _unused_, void *userdata,
                           sd_bus_error *error _unused_) {
        Connection *connection = userdata;

        if (connection->is_peer)
                connection_free(connection);
        else
                (void)sd_event_exit(connection->bus->event, -ECONNRESET);
        return 0;
}

static int add_objects(Bus *bus, sd_bus *sd) {
        int r;

        r = sd_bus_add_object_manager(sd, NULL, VFIOD_PATH);
        if (r >= 0)
                r = bus_add_manager(bus, sd);
        if (r >= 0)
                r = bus_add_groups(bus, sd);
        if (r >= 0)
                r = bus_add_devices(bus, sd);
        if (r >= 0)
                r = bus_add_leases(bus, sd);
        return r < 0 ? r : bus_object_add_enumerator(bus, sd);
}

int bus_add_connection(Bus *bus, sd_bus *sd, bool authority) {
        Connection *connection = calloc(1, sizeof(Connection));
        int r;

        if (!connection)
                return -ENOMEM;
        connection->bus = bus;
        connection->sd = sd_bus_ref(sd);
        connection->is_peer = !sd_bus_is_bus_client(sd);
        list_insert(&bus->connections, &connection->link);
        if (authority)
                bus->authority = sd;

        r = connection->is_peer ? caller_of_peer(sd, ++bus->last_peer, &connection->peer_caller)
                                : 0;
        if (r >= 0)
                r = sd_bus_match_signal_async(
                        sd, &connection->disconnected, "org.freedesktop.DBus.Local",
                        "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local", "Disconnected",
                        on_disconnected, NULL, connection);
        if (r >= 0)
                r = add_objects(bus, sd);
        if (r >= 0)
                r = sd_bus_attach_event(sd, bus->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                connection_free(connection);
        return r;
}

int bus_own_name(Bus *bus) {
        return sd_bus_request_name(bus->authority, VFIOD_BUS_NAME, 0);
}
