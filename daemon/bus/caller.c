/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The bus driver is asked once a connection: a unique name is never given to another connection,
 * and the credentials behind it are those of its connect(2) (D-Bus specification, "Unique
 * Connection Name" and GetConnectionCredentials). Asking is asynchronous, so that no answer is
 * waited for.
 */

#include "daemon/bus/caller.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/util/string.h"

#define KNOWN_CALLERS_MAX 256

typedef struct KnownCaller {
        Caller caller;
        List link; /* Bus.callers */
} KnownCaller;

typedef struct Question {
        Bus *bus;
        CallerFound found;
        void *userdata;
        char name[sizeof((Caller){0}.name)];
} Question;

static KnownCaller *find_known(const Bus *bus, const char *name) {
        list_for_each(link, &bus->callers) {
                KnownCaller *known = container_of(link, KnownCaller, link);

                if (strcmp(known->caller.name, name) == 0)
                        return known;
        }
        return NULL;
}

static void forget(Bus *bus, KnownCaller *known) {
        list_remove(&known->link);
        bus->n_callers--;
        free(known);
}

void caller_forget_all(Bus *bus) {
        list_for_each_safe(link, &bus->callers)
                forget(bus, container_of(link, KnownCaller, link));
}

static void remember(Bus *bus, const Caller *caller) {
        KnownCaller *known = calloc(1, sizeof(KnownCaller));

        if (!known)
                return;
        known->caller = *caller;
        list_insert(bus->callers.next, &known->link);
        bus->n_callers++;
        if (bus->n_callers > KNOWN_CALLERS_MAX)
                forget(bus, container_of(bus->callers.previous, KnownCaller, link));
}

/* a{sv} with at least UnixUserID; the other entries are passed over. */
static int read_credentials(sd_bus_message *reply, Caller *caller) {
        bool has_uid = false;
        const char *key;
        uint32_t value;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read(reply, "s", &key);
                if (r < 0)
                        return r;
                if (strcmp(key, "UnixUserID") == 0 || strcmp(key, "ProcessID") == 0) {
                        r = sd_bus_message_read(reply, "v", "u", &value);
                        if (r >= 0 && key[0] == 'U') {
                                caller->uid = value;
                                has_uid = true;
                        } else if (r >= 0)
                                caller->pid = (pid_t)value;
                } else
                        r = sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        if (r < 0)
                return r;
        return has_uid ? 0 : -ENODATA;
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        Question *question = userdata;
        Caller caller = {.pid = 0};
        bool ok = !sd_bus_message_is_method_error(reply, NULL) &&
                  read_credentials(reply, &caller) >= 0;

        (void)snprintf(caller.name, sizeof(caller.name), "%s", question->name);
        if (ok) {
                broker_identify(question->bus->broker, &caller);
                remember(question->bus, &caller);
        }
        question->found(question->userdata, ok ? &caller : NULL);
        return 0;
}

static int ask(Connection *connection, const char *sender, CallerFound found, void *userdata,
               sd_bus_slot **ret_slot) {
        Question *question = calloc(1, sizeof(Question));
        sd_bus_slot *slot;
        int r;

        if (!question)
                return -ENOMEM;
        *question = (Question){.bus = connection->bus, .found = found, .userdata = userdata};
        (void)snprintf(question->name, sizeof(question->name), "%s", sender);
        r = sd_bus_call_method_async(connection->sd, &slot, "org.freedesktop.DBus",
                                     "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                     "GetConnectionCredentials", on_credentials, question, "s",
                                     sender);
        if (r < 0) {
                free(question);
                return r;
        }
        (void)sd_bus_slot_set_destroy_callback(slot, free);
        *ret_slot = slot;
        return 0;
}

bool caller_is_known(const Connection *connection, sd_bus_message *m) {
        const char *sender = sd_bus_message_get_sender(m);

        return connection->is_peer || (sender && find_known(connection->bus, sender));
}

int caller_find(Connection *connection, sd_bus_message *m, CallerFound found, void *userdata,
                sd_bus_slot **ret_slot) {
        const char *sender = sd_bus_message_get_sender(m);
        KnownCaller *known;

        *ret_slot = NULL;
        if (connection->is_peer) {
                found(userdata, &connection->peer.caller);
                return 0;
        }
        if (!sender || strlen(sender) >= sizeof((Caller){0}.name))
                return -EBADMSG;
        known = find_known(connection->bus, sender);
        if (!known)
                return ask(connection, sender, found, userdata, ret_slot);
        list_remove(&known->link);
        list_insert(connection->bus->callers.next, &known->link);
        found(userdata, &known->caller);
        return 0;
}
