/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Runs a plan, and undoes it in reverse when a step fails. Blocks for as long as the kernel does:
 * it is called in a worker process (daemon/broker/worker.h), never in the daemon itself.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/broker/handles.h"
#include "daemon/core/plan.h"
#include "daemon/kernel/roots.h"
#include "daemon/util/finding.h"
#include "daemon/util/hold.h"

/* Where a run stands and how it ended; the daemon reads it while the worker writes it. */
typedef struct Progress {
        size_t step;      /* the step under way, or the one that failed */
        bool undoing;     /* steps are being undone */
        bool finished;    /* everything below is final, and what came of it was told */
        int error;        /* 0, or the -errno that `step` failed with; -ECANCELED: called off */
        int undo_error;   /* 0, or the -errno that undoing `undo_step` failed with; undo went on */
        size_t undo_step; /* the first step that could not be undone; until then, the one being
                             undone */
} Progress;

/* What the steps of a plan have seen; owned. */
typedef struct Results {
        Holds holds; /* who holds something: of the last step that looked; of steps that make
                        holders let go, those who did not */
        Findings findings;
} Results;

#define RESULTS_NULL {.holds = HOLDS_NULL}

void results_done(Results *results);

/* For whom the plan is run. */
typedef struct ExecuteHost {
        /* Asked before each step, and while a step looks for or waits for processes: undo
         * everything? */
        bool (*cancelled)(void *userdata);
        void *userdata;
        pid_t vfiod; /* it, its children and theirs hold nothing */
} ExecuteHost;

/* `files`: what the steps may use; on return also what they opened, without what undo closed again.
 */
void execute_plan(const Roots *roots, const Plan *plan, Handles *files, Results *results,
                  volatile Progress *progress, const ExecuteHost *host);

#define _cleanup_results_ _cleanup_(results_done)
