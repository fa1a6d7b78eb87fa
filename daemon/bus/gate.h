/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Calls on their way to sd-bus, which answers some by itself (Properties, Introspectable, Peer),
 * before anything of ours sees them: no handler, no limit. What could harm everybody by that is
 * kept from it here.
 */

#include "daemon/bus/bus-private.h"

/* From a filter: 0 to go on, 1 for no further, or -errno with the error to answer. The message is
 * as it was. */
int gate_pass(Connection *connection, sd_bus_message *m, sd_bus_error *error);
