/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether who has called is there still. While anybody's leaving is waited for, the bus tells of
 * everybody's, by one match rule for all calls: dbus-daemon lets a connection have 512 rules, no
 * matter whose it is, and sd-bus takes one more, unless it is asked about it, for the connection's
 * end.
 */

#include "daemon/bus/call.h"
#include "daemon/util/string.h"

#define BUS_DRIVER "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

void call_unwatch_sender(Call *call) {
        Connection *connection = call->connection;

        call->sender_question = sd_bus_slot_unref(call->sender_question);
        if (!call->sender_gone)
                return;
        call->sender_gone = NULL;
        if (--connection->n_watching == 0)
                connection->departures = sd_bus_slot_unref(connection->departures);
}

static void leave(Call *call) {
        CallGone gone = call->sender_gone;

        call_unwatch_sender(call);
        gone(call);
}

static Call *find_watching(const Connection *connection, const char *name) {
        list_for_each(link, &connection->bus->calls) {
                Call *call = container_of(link, Call, link);

                if (call->connection == connection && call->sender_gone &&
                    strcmp(call->request.caller.name, name) == 0)
                        return call;
        }
        return NULL;
}

/*
 * Only the bus's own word counts. Anybody may send us such a signal, and to sd-bus every unique
 * name is that of a well-known one in a match (libsystemd, bus-match.c, value_node_test()). One
 * call's end may be that of others.
 */
static int on_departure(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Connection *connection = userdata;
        const char *name;
        Call *call;

        if (!string_equal(sd_bus_message_get_sender(m), BUS_DRIVER) ||
            sd_bus_message_read(m, "s", &name) < 0)
                return 0;
        while ((call = find_watching(connection, name)))
                leave(call);
        return 0;
}

static int on_sender_told(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Call *call = userdata;
        int is_there;

        if (sd_bus_message_read(m, "b", &is_there) >= 0 && !is_there && call->sender_gone)
                leave(call);
        return 0;
}

static int ask_about_sender(Call *call) {
        return sd_bus_call_method_async(call->connection->sd, &call->sender_question, BUS_DRIVER,
                                        BUS_PATH, BUS_DRIVER, "NameHasOwner", on_sender_told, call,
                                        "s", call->request.caller.name);
}

/* sd-bus runs a match for nothing that has come before the bus's answer to AddMatch. A bus that
 * refuses it is asked again for the next call. */
static int on_rule(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Connection *connection = userdata;

        if (sd_bus_message_is_method_error(m, NULL)) {
                connection->departures = sd_bus_slot_unref(connection->departures);
                return 1;
        }
        connection->tells_departures = true;
        list_for_each(link, &connection->bus->calls) {
                Call *call = container_of(link, Call, link);

                if (call->connection == connection && call->sender_gone && call->sender_unsure)
                        (void)ask_about_sender(call);
        }
        return 1;
}

static int need_rule(Connection *connection) {
        if (connection->departures)
                return 0;
        connection->tells_departures = false;
        return sd_bus_add_match_async(connection->sd, &connection->departures,
                                      "type='signal',sender='" BUS_DRIVER "',path='" BUS_PATH
                                      "',interface='" BUS_DRIVER
                                      "',member='NameOwnerChanged',arg2=''",
                                      on_departure, on_rule, connection);
}

/* A peer's leaving is its connection's end (call_drop_connection()). */
static int watch_sender(Call *call, CallGone gone, bool unsure) {
        Connection *connection = call->connection;
        int r = connection->is_peer ? 0 : need_rule(connection);

        if (r < 0)
                return r;
        call->sender_question = sd_bus_slot_unref(call->sender_question);
        if (!call->sender_gone)
                connection->n_watching++;
        call->sender_gone = gone;
        call->sender_unsure = unsure;
        return unsure && connection->tells_departures ? ask_about_sender(call) : 0;
}

int call_watch_sender(Call *call, CallGone gone) {
        return watch_sender(call, gone, false);
}

int call_watch_sender_surely(Call *call, CallGone gone) {
        return watch_sender(call, gone, true);
}

static void call_off(Call *call) {
        broker_cancel(call->bus->broker, call);
}

void call_off_without_sender(Call *call) {
        (void)call_watch_sender_surely(call, call_off);
}
