/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What vfioctl does with a connection of libvfiod beside its public operations: many calls at once,
 * signals, and the error as a line and an exit status. Knows no method of vfiod; those whose
 * replies are printed as they are, are in manager.c.
 */

#include <systemd/sd-bus.h>

#include "client/lib/lib-private.h"

/*
 * Sends all the calls before it waits for the first answer, so that n of them cost one round trip.
 * Fails with the error of the first (in order of `calls`) that failed; then `replies` is all NULL.
 */
int connection_call_all(vfiod_connection *c, sd_bus_message *const *calls, size_t n,
                        sd_bus_message **replies);

/* Signals that match `rule` go to `callback`, in connection_run(). Waits until the bus has it. */
int connection_match(vfiod_connection *c, const char *rule, sd_bus_message_handler_t callback,
                     const void *userdata);

/* Handles what arrives until the connection breaks, which it returns as -errno. */
int connection_run(vfiod_connection *c);

/* The error left by the call that returned `r` < 0, on stderr; `c` is NULL where not even that was
 * there. Returns the exit status. */
int connection_report(vfiod_connection *c, int r);

/* The same with `more` at the end of the sentence. */
int connection_report_more(vfiod_connection *c, int r, const char *more);

/* The same of a call to a lease: one that is not there is named as people know it. */
int connection_report_lease(vfiod_connection *c, int r, const char *path);
