/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The methods of org.vfiod1.Manager and org.vfiod1.Lease that vfioctl calls, one function each.
 * Knows the protocol and no command line: this is where a client library would be cut off.
 * All return 0 or -errno; the D-Bus error stays in the Connection.
 */

#include <stdbool.h>

#include "client/connection.h"
#include "client/grant.h"

/* Options of Bind, Unbind, Acquire and Plan; what is NULL or false is left to the daemon. */
typedef struct OperationOptions {
        const char *driver;
        const char *label;
        const char *mode;
        const char *prepare;
        const char *policy; /* of Unbind */
        bool bind;
        bool has_timeout;
        uint64_t timeout_ms; /* for the policy */
} OperationOptions;

/*
 * ListGroups, ListDevices and ListLeases, and for a list of targets Explain, which tells their
 * groups and refuses bad ones: one round trip for all. `explain` is NULL without targets.
 */
typedef struct ListReplies {
        sd_bus_message *groups;
        sd_bus_message *devices;
        sd_bus_message *leases;
        sd_bus_message *explain;
} ListReplies;

int manager_list(Connection *c, char **targets, ListReplies *ret);

/* The same with Overview, in `groups`, instead of ListGroups and ListDevices. */
int manager_overview(Connection *c, char **targets, ListReplies *ret);
void list_replies_done(ListReplies *replies);

int manager_list_devices(Connection *c, sd_bus_message **ret);
int manager_list_leases(Connection *c, sd_bus_message **ret);

/*
 * GetGroup or GetDevice, and Explain, for each target: replies[2 * i] and replies[2 * i + 1], all
 * owned by the caller. One round trip.
 */
int manager_get(Connection *c, char **targets, sd_bus_message **replies);

int manager_explain(Connection *c, char **targets, sd_bus_message **ret);

/* `method` is "Bind" or "Unbind". */
int manager_change(Connection *c, const char *method, char **targets,
                   const OperationOptions *options);

/* Who has the devices of the targets open or mapped; for holder_list_read(). */
int manager_list_holders(Connection *c, char **targets, sd_bus_message **ret);

/*
 * The following send a call and return; the reply, or the error, goes to `callback` unless
 * *ret_slot is dropped before.
 *
 * Unbind may wait for holders for ever, so there is no limit of time to its answer. The other two
 * are asked beside it, again and again: never at the price of a question to the user.
 */
int manager_begin_unbind(Connection *c, char **targets, const OperationOptions *options,
                         sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret_slot);
int manager_begin_list_holders(Connection *c, char **targets, sd_bus_message_handler_t callback,
                               void *userdata, sd_bus_slot **ret_slot);
int lease_begin_get_deadline(Connection *c, const char *path, sd_bus_message_handler_t callback,
                             void *userdata, sd_bus_slot **ret_slot);

/* `operation` is "bind", "unbind" or "acquire". */
int manager_plan(Connection *c, const char *operation, char **targets,
                 const OperationOptions *options, sd_bus_message **ret);

/* Acquire, by pages where there are more files than one message carries. */
int manager_acquire(Connection *c, char **targets, const OperationOptions *options, Grant *ret);

int lease_release(Connection *c, const char *path);

/*
 * Why the lease is asked back: the reason in the ReleaseRequested that vfiod sends beside the byte
 * in lease_fd. *ret is NULL when it does not come in time (microseconds).
 */
int lease_wait_for_reason(Connection *c, const Grant *grant, uint64_t timeout, char **ret);

/* Starts the daemon if the bus can, and waits until it answers. */
int manager_ping(Connection *c);

#define _cleanup_list_replies_ _cleanup_(list_replies_done)
