/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The inside of the bus layer. Not for other folders. */

#include "daemon/bus/bus.h"
#include "daemon/core/request.h"
#include "daemon/util/list.h"

typedef struct Connection {
        Bus *bus;
        sd_bus *sd;
        bool is_peer;       /* a socket to one client, without a bus between us */
        Caller peer_caller; /* is_peer: who that client is */
        sd_bus_slot *disconnected;
        List link; /* Bus.connections */
} Connection;

struct Bus {
        sd_event *event;
        Broker *broker;
        List connections;  /* Connection.link */
        sd_bus *authority; /* where polkit is asked; borrowed from its connection, NULL for none */
        List calls;        /* Call.link */
        List callers;      /* KnownCaller.link, the one asked for last first */
        size_t n_callers;
        uint64_t last_cancellation;
        uint32_t last_peer;
};

Connection *bus_connection_of(Bus *bus, sd_bus *sd);

/* bus-manager.c, bus-group.c, bus-device.c, bus-lease.c: the objects on one connection. */
int bus_add_manager(Bus *bus, sd_bus *sd);
int bus_add_groups(Bus *bus, sd_bus *sd);
int bus_add_devices(Bus *bus, sd_bus *sd);
int bus_add_leases(Bus *bus, sd_bus *sd);

/* bus-event.c: the broker's listener. */
void bus_on_change(void *userdata, const Change *change);
