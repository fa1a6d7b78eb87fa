/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the arguments of a method to a Request. No state is looked at. */

#include "daemon/bus/bus-private.h"

/* Which options a method knows. */
typedef enum OptionSet {
        OPTIONS_BIND,
        OPTIONS_UNBIND,
        OPTIONS_ACQUIRE,
        OPTIONS_ADD,
        OPTIONS_CHECK,
        OPTIONS_VFS,
        OPTIONS_MDEV,
        OPTIONS_ASSIGN,
        OPTIONS_UNASSIGN,
} OptionSet;

/*
 * Reads "as" into the request. 0, or a negative errno with *error set to a refusal of ours; also
 * for a message that cannot be read at all.
 */
int bus_read_targets(sd_bus_message *m, const Bus *bus, Request *request, sd_bus_error *error);

/* The same for targets that are at hand already. */
int bus_set_targets(const Bus *bus, Request *request, char *const *targets, sd_bus_error *error);

/* The same for the device that the message was sent to. */
int bus_set_own_target(sd_bus_message *m, const Bus *bus, Request *request, sd_bus_error *error);

/* Of a text that is only compared with others: 0, or a negative errno with *error set. */
int bus_check_text(const char *text, sd_bus_error *error);

/*
 * Reads "as": of more strings than `limit`, no more than shows it, and the array is not left then.
 * sd_bus_message_read_strv(3) takes all, and its time is the square of their number.
 */
int bus_read_strv(sd_bus_message *m, size_t limit, char ***ret);

/* Reads "a{sv}". */
int bus_read_options(sd_bus_message *m, const Bus *bus, OptionSet set, Request *request,
                     sd_bus_error *error);
