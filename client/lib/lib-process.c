/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Being asked back. vfiod tells it twice: by a byte in lease_fd, which whoever has the lease gets,
 * and by the signal ReleaseRequested to one connection, with deadline and reason.
 *
 *  1. A signal is noted when the bus hands it over, in whatever call that happens.
 *  2. A byte may be all that comes. vfiod is asked for the deadline: a signal to us, which it sent
 *     before it answers, is here then as well.
 *  3. Each lease that something is noted of is told, one after the other, beginning anew each time:
 *     a callback may free any of them.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

#define EVENTS_MAX 16

static vfiod_lease *lease_of(List *link) {
        return container_of(link, vfiod_lease, link);
}

/* A lease outlives the vfiod that has granted it, and with the next one comes another name. */
static bool is_vfiod_now(vfiod_connection *c, const char *sender) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *owner;

        return sd_bus_call_method(c->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                  "org.freedesktop.DBus", "GetNameOwner", NULL, &reply, "s",
                                  VFIOD_BUS_NAME) >= 0 &&
               sd_bus_message_read(reply, "s", &owner) >= 0 && string_equal(sender, owner);
}

/* Only the daemon's word counts: anybody may send signals. */
static bool is_from_vfiod(vfiod_connection *c, vfiod_lease *lease, sd_bus_message *m) {
        const char *sender = sd_bus_message_get_sender(m);

        if (string_equal(sender, lease->granter))
                return true;
        return sender && lease->granter && is_vfiod_now(c, sender) &&
               string_set(&lease->granter, sender) >= 0;
}

static void note_request(vfiod_connection *c, vfiod_lease *lease, sd_bus_message *m) {
        const char *reason;
        uint64_t deadline;

        if (!string_equal(sd_bus_message_get_path(m), lease->path) || !is_from_vfiod(c, lease, m) ||
            sd_bus_message_read(m, "ts", &deadline, &reason) < 0 ||
            string_set(&lease->reason, reason) < 0)
                return;
        lease->deadline = deadline;
        lease->requested = true;
        lease->byte = false;
}

int on_release_requested(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *reterr) {
        vfiod_connection *c = userdata;

        if (!sd_bus_message_is_signal(m, VFIOD_INTERFACE_LEASE, "ReleaseRequested"))
                return 0;
        list_for_each(link, &c->leases) {
                (void)sd_bus_message_rewind(m, true);
                note_request(c, lease_of(link), m);
        }
        connection_kick(c);
        return 0;
}

static int note_files(vfiod_connection *c) {
        struct epoll_event events[EVENTS_MAX];
        int n;

        do {
                n = epoll_wait(c->poll_fd, events, EVENTS_MAX, 0);
                if (n < 0 && errno != EINTR)
                        return -errno;
                for (int i = 0; i < n; i++) {
                        vfiod_lease *lease = events[i].data.ptr;

                        if (!lease)
                                continue;
                        /* A byte that nobody has read stays readable at the end. */
                        if (events[i].events & EPOLLHUP)
                                lease->ended = true;
                        else
                                lease->byte = true;
                }
        } while (n == EVENTS_MAX);
        return 0;
}

static int process_bus(vfiod_connection *c) {
        int r;

        do
                r = sd_bus_process(c->bus, NULL);
        while (r > 0);
        return r;
}

/* The byte alone: when it is not known how long there is, the event is told all the same. */
static int ask_deadline(vfiod_lease *lease) {
        LeaseFacts facts = {0};
        int r;

        if (lease_facts_get(lease, true, &facts) < 0)
                sd_bus_error_free(&lease->connection->error);
        r = process_bus(lease->connection);
        if (lease->byte) {
                lease->byte = false;
                lease->requested = true;
                lease->deadline = facts.deadline;
                lease->reason = (free(lease->reason), NULL);
        }
        lease_facts_done(&facts);
        return r;
}

static int ask_deadlines(vfiod_connection *c) {
        int r = 0;

        list_for_each(link, &c->leases)
                if (lease_of(link)->byte && !lease_of(link)->ended && r >= 0)
                        r = ask_deadline(lease_of(link));
        return r;
}

static void tell(vfiod_lease *lease, vfiod_lease_event_type type, uint64_t deadline,
                 const char *reason) {
        vfiod_lease_event event = {type, deadline, reason};

        if (lease->callback)
                lease->callback(lease, &event, lease->userdata);
}

/* Whether there was something to tell. */
static bool tell_one(vfiod_lease *lease) {
        if (lease->requested && !lease->ended) {
                _cleanup_free_ char *reason = TAKE_PTR(lease->reason);

                lease->requested = false;
                tell(lease, VFIOD_LEASE_RELEASE_REQUESTED, lease->deadline,
                     string_or_empty(reason));
                return true;
        }
        if (lease->ended) {
                lease->ended = lease->requested = lease->byte = false;
                tell(lease, VFIOD_LEASE_ENDED, 0, "");
                return true;
        }
        return false;
}

static bool tell_next(vfiod_connection *c) {
        list_for_each(link, &c->leases)
                if (tell_one(lease_of(link)))
                        return true;
        return false;
}

/* The end of a lease is told also when the bus went down with vfiod. */
static int process(vfiod_connection *c) {
        eventfd_t ignored;
        int r, broken;

        if (!c->bus)
                return -ENOTCONN;
        r = note_files(c);
        if (r < 0)
                return r;
        broken = process_bus(c);
        if (broken >= 0)
                broken = ask_deadlines(c);
        (void)eventfd_read(c->kick_fd, &ignored);
        while (tell_next(c))
                continue;
        return broken;
}

int vfiod_connection_process(vfiod_connection *c) {
        int r;

        connection_begin(c);
        r = process(c);
        return connection_end(c, r == -ENOTCONN && c->bus ? -ECONNRESET : r);
}
