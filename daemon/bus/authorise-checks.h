/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which questions a call means: one for each action and device. No bus in here. */

#include "daemon/bus/call.h"

/*
 * Fills call->checks from the facts of this moment. Refuses targets that are not there, and leases
 * of others where polkit has no say.
 */
RefusalKind checks_prepare(Call *call, Refusal *refusal);

/* After the last answer: the devices must still be those that were asked about (CHANGED). */
RefusalKind checks_confirm(const Call *call, Refusal *refusal);

void authorise_checks_free(Call *call);
