/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * vfiod as the world sees it: the objects of protocol/ on one or more connections, in front of one
 * broker. Calls are read, authorised, handed to the broker and answered; changes become signals.
 */

#include <systemd/sd-bus.h>

#include "daemon/broker/broker.h"

typedef struct Bus Bus;

/* Both are borrowed and must live longer than the Bus. */
int bus_new(sd_event *event, Broker *broker, Bus **ret);
Bus *bus_free(Bus *bus);

/*
 * Puts the objects on a connection, which is referenced and attached to the event loop.
 * `authority`: this is the system bus, where polkit is asked. The name is not requested yet: see
 * bus_own_name(). What is no client of a bus is a peer: the server's side of a socket.
 */
int bus_add_connection(Bus *bus, sd_bus *connection, bool authority);

/* Makes a peer's connection of the socket to it, which is taken over, also when it fails. -EUSERS:
 * there is no room for it, nor for telling it so. */
int bus_add_peer(Bus *bus, int fd);

/* Where peers arrive; one of the two, once. */
int bus_listen(Bus *bus, int fd);              /* takes over a socket that listens */
int bus_listen_at(Bus *bus, const char *path); /* makes one, and unlinks it at the end */

/* Whether nothing that was done is still to be answered, for want of room for files. */
bool bus_is_idle(const Bus *bus);

/* The name on the system bus; clients may call from now on. -EEXIST: another vfiod has it. */
int bus_own_name(Bus *bus);

DEFINE_TRIVIAL_CLEANUP(Bus *, bus_free, NULL);
