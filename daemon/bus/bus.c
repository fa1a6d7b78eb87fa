/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-object.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/call.h"
#include "daemon/bus/caller.h"
#include "daemon/bus/flow.h"
#include "daemon/bus/gate.h"
#include "daemon/bus/hurry.h"
#include "daemon/bus/journal-rate.h"
#include "daemon/bus/journal.h"
#include "daemon/bus/limit.h"
#include "daemon/bus/listener.h"
#include "daemon/bus/readers.h"
#include "daemon/bus/reply-size.h"
#include "daemon/bus/trim.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

/* So many connections above the limits are told so; more are closed at once. */
#define SURPLUS_MAX 16

/* What a peer has not read by now is not waited for, and what it has sent neither. */
static void close_socket(Connection *connection) {
        if (connection->is_peer) {
                hurry_begin();
                sd_bus_close_unref(connection->sd);
                hurry_end();
        } else {
                (void)sd_bus_detach_event(connection->sd);
                sd_bus_flush_close_unref(connection->sd);
        }
}

/*
 * Nothing may keep a peer's connection after this: files of a message of which only a part has come
 * are closed by the last unref.
 */
Connection *connection_free(Connection *connection) {
        if (!connection)
                return NULL;
        call_drop_connection(connection->bus, connection);
        list_remove(&connection->link);
        if (connection->bus->authority == connection->sd)
                connection->bus->authority = NULL;
        pump_stop(&connection->pump);
        sd_bus_slot_unref(connection->disconnected);
        sd_bus_slot_unref(connection->filter);
        sd_bus_slot_unref(connection->departures);
        close_socket(connection);
        if (connection->is_peer)
                trim_soon(connection->bus->trim);
        peer_done(&connection->peer);
        free(connection);
        return NULL;
}

void connection_doom(Connection *connection) {
        connection->doomed = true;
        pump_soon(&connection->pump);
}

int bus_new(sd_event *event, Broker *broker, Bus **ret) {
        Bus *bus = calloc(1, sizeof(Bus));
        int r;

        if (!bus)
                return -ENOMEM;
        bus->event = sd_event_ref(event);
        bus->broker = broker;
        bus->reply_bytes_max = REPLY_BYTES_MAX;
        list_init(&bus->connections);
        list_init(&bus->calls);
        list_init(&bus->callers);
        list_init(&bus->refusals);
        flow_init(bus);
        readers_init(&bus->readers);
        r = polkit_line_init(&bus->line, event);
        if (r >= 0)
                r = trim_new(event, &bus->trim);
        if (r < 0) {
                bus_free(bus);
                return r;
        }
        broker_set_listener(broker, bus_on_change, bus);
        *ret = bus;
        return 0;
}

Bus *bus_free(Bus *bus) {
        if (!bus)
                return NULL;
        broker_set_listener(bus->broker, NULL, NULL);
        listener_free(bus->listener);
        list_for_each_safe(link, &bus->calls)
                call_free(container_of(link, Call, link));
        polkit_line_done(&bus->line);
        list_for_each_safe(link, &bus->connections)
                connection_free(container_of(link, Connection, link));
        caller_forget_all(bus);
        flow_forget_bus(bus);
        readers_forget(&bus->readers);
        journal_rate_done(bus);
        sd_event_source_unref(bus->trim);
        sd_event_unref(bus->event);
        free(bus);
        return NULL;
}

bool bus_is_idle(const Bus *bus) {
        return list_is_empty(&bus->delivery.waiting);
}

Connection *bus_connection_of(Bus *bus, sd_bus *sd) {
        list_for_each(link, &bus->connections) {
                Connection *connection = container_of(link, Connection, link);

                if (connection->sd == sd)
                        return connection;
        }
        return NULL;
}

/*
 * A peer has gone: its calls go with it, once sd-bus has left the connection. Losing the system bus
 * ends the daemon, unless there is the socket: leases go on, and polkit is not to be had.
 */
static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Connection *connection = userdata;
        Bus *bus = connection->bus;

        /* sd-bus says it itself; what others say comes with their name, at which no match looks. */
        if (!string_equal(sd_bus_message_get_sender(m), "org.freedesktop.DBus.Local"))
                return 0;
        if (connection->is_peer) {
                connection->doomed = true;
                return 0;
        }
        if (!bus->listener)
                return sd_event_exit(bus->event, -ECONNRESET);
        journal_bus_lost();
        (void)connection_free(connection);
        caller_forget_all(bus);
        flow_forget_bus(bus);
        readers_forget(&bus->readers);
        return 0;
}

/* In words, since whoever is only disconnected would try again. */
static int refuse_surplus(Connection *connection, sd_bus_message *m) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;

        if (limit_connection(connection->bus, connection->peer.caller.uid, connection, &refusal) ==
            REFUSAL_NONE) {
                connection->surplus = false;
                return 0;
        }
        (void)bus_error_set_refusal(&error, &refusal);
        (void)sd_bus_reply_method_error(m, &error);
        sd_bus_error_free(&error);
        connection_doom(connection);
        return 1;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Connection *connection = userdata;

        if (connection->is_peer)
                pump_message(&connection->pump);
        if (connection->surplus && sd_bus_message_is_method_call(m, NULL, NULL) > 0)
                return refuse_surplus(connection, m);
        return gate_pass(connection, m, error);
}

static size_t count_surplus(const Bus *bus) {
        size_t n = 0;

        list_for_each(link, &bus->connections)
                n += container_of(link, Connection, link)->surplus;
        return n;
}

bool bus_turns_away(const Bus *bus, uid_t uid) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        return count_surplus(bus) >= SURPLUS_MAX && limit_connection(bus, uid, NULL, &refusal);
}

static void note_surplus(Connection *connection) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        connection->surplus = limit_connection(connection->bus, connection->peer.caller.uid,
                                               connection, &refusal) != REFUSAL_NONE;
}

static int add_objects(Bus *bus, sd_bus *sd) {
        int r;

        r = bus_object_add_object_manager(bus, sd);
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

static int attach_peer(Connection *connection) {
        int r = sd_bus_get_fd(connection->sd);

        if (r >= 0)
                r = peer_identify(connection->bus, r, ++connection->bus->last_peer,
                                  &connection->peer);
        if (r >= 0)
                note_surplus(connection);
        return r < 0 ? r : pump_start(connection);
}

static int attach(Connection *connection) {
        return connection->is_peer ? attach_peer(connection)
                                   : sd_bus_attach_event(connection->sd, connection->bus->event,
                                                         SD_EVENT_PRIORITY_NORMAL);
}

int bus_add_connection(Bus *bus, sd_bus *sd, bool authority) {
        Connection *connection = calloc(1, sizeof(Connection));
        int r;

        if (!connection)
                return -ENOMEM;
        *connection = (Connection){
                .bus = bus,
                .sd = sd_bus_ref(sd),
                .is_peer = !sd_bus_is_bus_client(sd),
                .peer = PEER_NULL,
                .pump = PUMP_NULL,
        };
        list_insert(&bus->connections, &connection->link);
        if (authority)
                bus->authority = sd;

        r = sd_bus_match_signal_async(sd, &connection->disconnected, "org.freedesktop.DBus.Local",
                                      "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                      "Disconnected", on_disconnected, NULL, connection);
        if (r >= 0)
                r = sd_bus_add_filter(sd, &connection->filter, on_message, connection);
        if (r >= 0)
                r = add_objects(bus, sd);
        if (r >= 0)
                r = attach(connection);
        if (r < 0)
                (void)connection_free(connection);
        return r;
}

int bus_own_name(Bus *bus) {
        return sd_bus_request_name(bus->authority, VFIOD_BUS_NAME, 0);
}

int bus_listen(Bus *bus, int fd) {
        return listener_add(bus, fd);
}

int bus_listen_at(Bus *bus, const char *path) {
        return listener_add_path(bus, path);
}
