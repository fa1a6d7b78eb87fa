/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How many refusals of a uid are recorded. Who may do nothing can be refused as fast as he asks,
 * and journald drops what comes from a service that writes too much (journald.conf(5),
 * RateLimitBurst=): what was done must not get lost among what was not. Only refusals are counted,
 * and none of root's.
 */

#include "daemon/bus/bus-private.h"

/* Whether another refusal of the uid is recorded. How many were not is, once their time is over and
 * anybody is refused again. */
bool journal_rate_allows(Bus *bus, uid_t uid);

/* Records what is left to be said, and forgets all. */
void journal_rate_done(Bus *bus);
