/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The methods of vfiod whose replies vfioctl prints as they are, or waits for while it does
 * something else, and those of administrators; all others are libvfiod's (client/lib/). All return
 * 0 or -errno; the D-Bus error stays in the connection.
 */

#include "client/connection.h"

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

int manager_list(vfiod_connection *c, char **targets, ListReplies *ret);

/* The same with Overview, in `groups`, instead of ListGroups and ListDevices. */
int manager_overview(vfiod_connection *c, char **targets, ListReplies *ret);
void list_replies_done(ListReplies *replies);

int manager_list_devices(vfiod_connection *c, sd_bus_message **ret);
int manager_list_leases(vfiod_connection *c, sd_bus_message **ret);

/*
 * GetGroup or GetDevice, and Explain, for each target: replies[2 * i] and replies[2 * i + 1], all
 * owned by the caller. One round trip.
 */
int manager_get(vfiod_connection *c, char **targets, sd_bus_message **replies);

int manager_explain(vfiod_connection *c, char **targets, sd_bus_message **ret);

/* What the caller may do; for its own sake, so nobody is asked for a password. Of the options
 * `mode`, `label` and `memlock` alone. */
int manager_check_authorization(vfiod_connection *c, char **targets, char **actions,
                                const vfiod_acquire_options *options, sd_bus_message **ret);

/* Who has the devices of the targets open or mapped; for holder_list_read(). */
int manager_list_holders(vfiod_connection *c, char **targets, sd_bus_message **ret);

/*
 * The following send a call and return; the reply, or the error, goes to `callback` unless
 * *ret_slot is dropped before.
 *
 * Unbind may wait for holders for ever, so there is no limit of time to its answer. The other two
 * are asked beside it, again and again: never at the price of a question to the user.
 */
int manager_begin_unbind(vfiod_connection *c, char **targets, const char *policy,
                         uint64_t timeout_ms, sd_bus_message_handler_t callback, void *userdata,
                         sd_bus_slot **ret_slot);
int manager_begin_list_holders(vfiod_connection *c, char **targets,
                               sd_bus_message_handler_t callback, void *userdata,
                               sd_bus_slot **ret_slot);
int lease_begin_get_deadline(vfiod_connection *c, const char *path,
                             sd_bus_message_handler_t callback, void *userdata,
                             sd_bus_slot **ret_slot);

/* Bind with override_safety, and what it would do; `driver` is NULL for the best one. */
int manager_bind_overriding(vfiod_connection *c, char **targets, const char *driver);
int manager_plan_bind_overriding(vfiod_connection *c, char **targets, const char *driver,
                                 char ***ret_steps);

/* Those of the parent, or of all where it is "". */
int manager_list_mdev_types(vfiod_connection *c, const char *parent, sd_bus_message **ret);

/* Device.Reset of a device by its name; `method` is "" for the kernel's choice. */
int device_reset(vfiod_connection *c, const char *device, const char *method);

/* Starts the daemon if the bus can, and waits until it answers. */
/* Whether Features has it: what this vfiod can do on this kernel. */
int manager_has_feature(vfiod_connection *c, const char *feature, bool *ret);
int manager_ping(vfiod_connection *c);

#define _cleanup_list_replies_ _cleanup_(list_replies_done)
