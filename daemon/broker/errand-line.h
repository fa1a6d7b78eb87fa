/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Errands for clients: who holds what, which types of mediated devices there are. Each takes a
 * worker and a look at the whole machine, so few are under way at once, of one uid and in all, and
 * the others wait in a line in which the uids take turns. They are no operations, and in nobody's
 * way; how many may wait, the limits on requests say (daemon/bus/limit.h). vfiod's own errands do
 * not stand in line (daemon/broker/look.h).
 */

#include "daemon/broker/broker.h"

/* Does to the results what the request wants, before `done`. */
typedef void (*ErrandJudge)(const Request *request, Results *results);

/*
 * Runs the plan for the request's caller when it is his turn. Copies the request, owns the plan.
 * `judge` may be NULL. A plan that has no steps is for want of memory.
 */
void errand_line_join(Broker *broker, const Request *request, Plan *plan, ErrandJudge judge,
                      BrokerDone done, void *userdata);

/* Takes the errand with that `userdata` out of the line, if it waits: its `done` is called. */
void errand_line_cancel(Broker *broker, const void *userdata);

/* Ends all that wait; what is under way goes on. */
void errand_line_stop(Broker *broker);

/* Forgets all of them, and nobody hears of it. */
void errand_line_forget(Broker *broker);
