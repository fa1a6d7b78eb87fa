/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the two ways of files, to a peer and over the bus, have in common. Not for other files. */

#include "daemon/bus/call.h"

/* How many files of replies are unread, or may be. */
typedef struct Unread {
        uint64_t of_uid; /* the call's; root's are not counted apart */
        uint64_t in_all;
} Unread;

/* Whether so many may be, with those of the call's reply among them. */
bool flow_is_within(const Call *call, const Unread *unread, const Unread *most);

/* The call is refused for them, and freed. The limits' names begin with `prefix`. */
void flow_refuse(Call *call, const Unread *unread, const Unread *most, const char *prefix);

/* The reply leaves, and the call is freed. */
void flow_deliver(Call *call, sd_bus_message *reply);

/* flow-bus.c. The same as flow_send(), for a call that came over the bus. */
void flow_send_over_bus(Call *call, sd_bus_message *reply);
