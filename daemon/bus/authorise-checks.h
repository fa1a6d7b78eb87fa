/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which questions a call means: one for each action and device. No bus in here. */

#include "daemon/bus/call.h"

/*
 * Fills call->checks from the facts of this moment. Refuses targets that are not there, and leases
 * of others where polkit has no say.
 */
RefusalKind checks_prepare(Call *call, Refusal *refusal);

/* After the last answer: the devices must still be those that were asked about (CHANGED), in the
 * same leases, or in none if these have ended. */
RefusalKind checks_confirm(const Call *call, Refusal *refusal);

void authorise_checks_free(Call *call);

/* For whoever prepares questions of its own: each is zeroed but for its action, and for the second
 * one the device and the lease that has its group. NULL when memory ran out. */
Check *checks_add(Call *call, const char *action);
Check *checks_add_device(Call *call, const char *action, const DeviceFacts *facts);

/* Tells of a lease (NULL for none), or of the one that the request is about. -1 for memory. */
int check_describe_lease(Check *check, const Lease *lease);
int check_describe_request(Check *check, const Call *call);

/* The mode that the request is asked about, once `auto` is settled. */
void checks_settle_mode(Call *call);
