/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The inside of the bus layer. Not for other folders. */

#include "daemon/bus/bus.h"
#include "daemon/bus/polkit-line.h"
#include "daemon/bus/pump.h"
#include "daemon/core/request.h"
#include "daemon/util/list.h"

typedef struct Listener Listener;

/* The client at the other end of a connection without a bus. */
typedef struct Peer {
        Caller caller;
        int pidfd; /* of caller.pid; -EBADF where that is not known or was gone already */
} Peer;

#define PEER_NULL {.pidfd = -EBADF}

typedef struct Connection {
        Bus *bus;
        sd_bus *sd;
        bool is_peer;     /* a socket to one client, without a bus between us */
        bool doomed;      /* is_peer: ends as soon as nobody is at work on it */
        bool surplus;     /* is_peer: above a limit; its first call is refused, and then it ends */
        Peer peer;        /* is_peer */
        Pump pump;        /* is_peer */
        uint64_t n_calls; /* not answered yet: those of Bus.calls that are its */
        uint64_t files_unread; /* is_peer: of those that were sent, at most so many */
        sd_bus_slot *disconnected;
        sd_bus_slot *filter;
        sd_bus_slot *departures; /* a bus: the rule by which it tells who leaves; NULL for none */
        bool tells_departures;   /* it is in force */
        size_t n_watching;       /* calls that want to know */
        List link;               /* Bus.connections */
} Connection;

/* Replies with files over the bus (flow-bus.c). */
typedef struct Delivery {
        List receivers;         /* Receiver.link */
        List waiting;           /* Call.delivery: for room */
        sd_bus_slot *question;  /* about a receiver */
        sd_event_source *pause; /* between two rounds of questions */
        bool is_untold;         /* the bus does not tell how many files a receiver has not read */
} Delivery;

/* Who reads the answers that he asks for, and whether signals are read (readers.c). */
typedef struct Readers {
        List readers; /* Reader.link: who has called since the bus kept little of vfiod's */
        size_t n_readers;
        uint64_t weight;        /* of calls of which the bus has not told yet */
        uint64_t asked;         /* of those, what it is asked about */
        uint64_t signals;       /* of signals, likewise */
        uint64_t asked_signals; /* of those, likewise */
        sd_bus_slot *question;  /* to the bus */
        bool is_untold;         /* the bus does not tell */
        bool is_muted;          /* no signals are sent over the bus */
} Readers;

struct Bus {
        sd_event *event;
        Broker *broker;
        List connections;  /* Connection.link */
        sd_bus *authority; /* where polkit is asked; borrowed from its connection, NULL for none */
        PolkitLine line;   /* of questions to polkit, which is at the authority */
        List calls;        /* Call.link */
        List callers;      /* KnownCaller.link, the one asked for last first */
        size_t n_callers;
        List refusals; /* see journal-rate.h */
        Delivery delivery;
        Readers readers;
        uint64_t last_peer;
        uint64_t reply_bytes_max; /* of a reply's body: REPLY_BYTES_MAX, less in tests */
        Listener *listener;       /* NULL for none */
        sd_event_source *trim;    /* see trim.h */
};

Connection *bus_connection_of(Bus *bus, sd_bus *sd);

/* Another connection of the uid to the socket is too many, and so are those that are told so. */
bool bus_turns_away(const Bus *bus, uid_t uid);

/* A peer's connection is to end. It does so from the event loop, so that whoever has it in hand may
 * go on. */
void connection_doom(Connection *connection);
Connection *connection_free(Connection *connection);

/* bus-manager.c, bus-group.c, bus-device.c, bus-lease.c: the objects on one connection. */
int bus_add_manager(Bus *bus, sd_bus *sd);
int bus_add_groups(Bus *bus, sd_bus *sd);
int bus_add_devices(Bus *bus, sd_bus *sd);
int bus_add_leases(Bus *bus, sd_bus *sd);

/* bus-event.c: the broker's listener. */
void bus_on_change(void *userdata, const Change *change);
