/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Plans that were under way when vfiod ended, wherever it was in them: what the worker would have
 * undone is undone, and what cannot be undone is finished. Both come from the plan as it was
 * written down and from the facts of now, so that it does not matter how far the worker had come,
 * nor that the recovery ends in the middle, too.
 */

#include "daemon/core/state.h"

/* Whether the plan does something that does not go with its worker: only that is written down. */
bool plan_outlives_worker(const Plan *plan);

/*
 * Appends what is left to do; nothing when the machine is as it was found or as it was asked for.
 * What somebody else has done to a device meanwhile stays. -ENOMEM.
 */
int decide_recover(const World *world, const StatePlan *begun, Plan *plan);

/*
 * What such a plan means for leases, before they are taken over: groups that were joining a lease,
 * or leaving it, are not in it. A lease may be left without a group.
 */
void state_settle_leases(State *state);
