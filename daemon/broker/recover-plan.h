/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Plans that were begun by a vfiod or a worker that is no more, from when that is known until they
 * are over.
 */

#include "daemon/broker/job.h"
#include "daemon/core/state.h"

typedef struct Begun {
        Broker *broker;
        StatePlan plan;    /* written down again until it is over */
        Activity activity; /* its groups are occupied until its recovery begins, which occupies them
                            */
        List link;         /* Broker.begun */
} Begun;

/* Takes the plans out of the state. Their groups are nobody else's business from now on. */
int recover_plans_take(Broker *broker, State *state);

/*
 * Begins with them as soon as no worker of the vfiod before this one is left: each has the
 * directory of the state file open, and with it our lock on that.
 */
void recover_plans_start(Broker *broker);

/* The worker of the job has died over its plan, and with it all files that it was given. The class
 * has finished with it. */
void recover_job(Job *job);

/* Forgets them: they stay written down, for the next vfiod. */
void recover_plans_stop(Broker *broker);
