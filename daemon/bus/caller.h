/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who sent a message. The only place where identity is read: from the bus driver for a bus, from
 * the socket for a peer; never from anything the message says of itself.
 */

#include "daemon/bus/bus-private.h"

/* `caller` is NULL when the sender could not be identified (it has left). Called once. */
typedef void (*CallerFound)(void *userdata, const Caller *caller);

/*
 * Finds out who sent `m`, at once where that is known already. *ret_slot, when not NULL afterwards,
 * is the pending question; unreferencing it forgets the question, and `found` is not called.
 */
int caller_find(Connection *connection, sd_bus_message *m, CallerFound found, void *userdata,
                sd_bus_slot **ret_slot);

/* Reads the credentials of a peer connection's other end, which is called "peer-NUMBER". */
int caller_of_peer(sd_bus *sd, uint32_t number, Caller *ret);

void caller_forget_all(Bus *bus);
