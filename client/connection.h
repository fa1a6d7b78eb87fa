/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The connection to the system bus: opening it, calling, and turning what went wrong into one
 * sentence and an exit status. Knows no method of vfiod; those are in manager.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "daemon/util/cleanup.h"

typedef struct Connection {
        sd_bus *bus;
        sd_bus_error error; /* of the last call that failed */
} Connection;

#define CONNECTION_NULL {.bus = NULL}

/*
 * `interactive`: polkit may ask the user. `timeout`: of every call, in microseconds. The calls
 * of a Connection return 0 or -errno, with the D-Bus error kept for connection_report().
 */
int connection_open(Connection *c, bool interactive, uint64_t timeout);
void connection_done(Connection *c);

int connection_new_call(Connection *c, const char *path, const char *interface, const char *member,
                        sd_bus_message **ret);

/* *ret may be NULL where the reply is empty. */
int connection_call(Connection *c, sd_bus_message *call, sd_bus_message **ret);

/*
 * Sends all the calls before it waits for the first answer, so that n of them cost one round trip.
 * Fails with the error of the first (in order of `calls`) that failed; then `replies` is all NULL.
 */
int connection_call_all(Connection *c, sd_bus_message *const *calls, size_t n,
                        sd_bus_message **replies);

/* Signals that match `rule` go to `callback`, in connection_run(). Waits until the bus has it. */
int connection_match(Connection *c, const char *rule, sd_bus_message_handler_t callback,
                     const void *userdata);

/* Handles what arrives until the connection breaks, which it returns as -errno. */
int connection_run(Connection *c);

/* The same until *done, which a callback sets, or until the time (microseconds) is over. */
int connection_run_until(Connection *c, const bool *done, uint64_t timeout);

/* The error left by the call that returned `r` < 0, on stderr. Returns the exit status. */
int connection_report(Connection *c, int r);

#define _cleanup_connection_ _cleanup_(connection_done)
