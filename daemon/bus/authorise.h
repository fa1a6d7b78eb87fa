/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who may do what: root anything, the owner of a lease what is his, everybody else what polkit
 * says. polkit is asked once for each device concerned, with its details, so that a rule about one
 * device never opens another one of its group. What is not listed here is denied.
 */

#include "daemon/bus/call.h"

/*
 * Asks what call->permission wants asked. REFUSAL_NONE: call_authorised() or call_refuse() has been
 * called or will be; else the refusal is the caller's to answer with.
 */
RefusalKind authorise_begin(Call *call, Refusal *refusal);

/* Once more, of a call that has run for a while: what it means now must have been asked about.
 * CHANGED. */
RefusalKind authorise_confirm(const Call *call, Refusal *refusal);

/* Withdraws the question that is pending, if any: polkit takes its dialog away. */
void authorise_stop(Call *call);
