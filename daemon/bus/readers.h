/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who on the bus calls, and whether he reads the answers; and whether signals are read. dbus-daemon
 * keeps what is not read on the account of its sender, vfiod, and reads no more from it above
 * max_incoming_bytes (127 MiB unless it is configured otherwise): vfiod could then answer nobody,
 * and would gather answers and signals itself.
 */

#include "daemon/bus/bus-private.h"

void readers_init(Readers *readers);

/* The bus has gone, and all that it keeps. */
void readers_forget(Readers *readers);

/*
 * Of a call that has come over the bus: 0, or if its sender does not read, -errno with the error to
 * answer, or 1 for nothing at all, not even that.
 */
int readers_note_call(Connection *connection, sd_bus_message *m, sd_bus_error *error);

/* Of a signal that is to go to the connection: false if it is to be left out. */
bool readers_note_signal(Connection *connection);
