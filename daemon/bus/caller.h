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

/* Without asking anybody. */
bool caller_is_known(const Connection *connection, sd_bus_message *m);

/* Whose the other end of a socket is. */
int peer_read_uid(int socket, uid_t *ret);

/* Reads who is at the other end of a socket, which is called "peer-NUMBER". Once, at accept. */
int peer_identify(const Bus *bus, int socket, uint64_t number, Peer *ret);

/* Its process is known and has not ended, so that its number is its own. */
bool peer_is_alive(const Peer *peer);
void peer_done(Peer *peer);

void caller_forget_all(Bus *bus);
