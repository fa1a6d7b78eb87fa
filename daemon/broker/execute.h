/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Runs a plan, and undoes it in reverse when a step fails. Blocks for as long as the kernel does:
 * it is called in a worker process (daemon/broker/worker.h), never in the daemon itself.
 */

#include <stdbool.h>

#include "daemon/broker/handles.h"
#include "daemon/core/plan.h"
#include "daemon/kernel/roots.h"

/* Where a run stands and how it ended; the daemon reads it while the worker writes it. */
typedef struct Progress {
        size_t step;      /* the step under way, or the one that failed */
        bool undoing;     /* steps are being undone */
        bool finished;    /* everything below is final */
        int error;        /* 0, or the -errno that `step` failed with; -ECANCELED: called off */
        int undo_error;   /* 0, or the -errno that undoing `undo_step` failed with; undo went on */
        size_t undo_step; /* the first step that could not be undone; until then, the one being
                             undone */
} Progress;

typedef bool (*ExecuteCancelled)(void *userdata);

/*
 * `files`: what the steps may use; on return also what they opened, without what undo closed again.
 * Asks `cancelled` before each step, and undoes everything when it says so.
 */
void execute_plan(const Roots *roots, const Plan *plan, Handles *files, volatile Progress *progress,
                  ExecuteCancelled cancelled, void *userdata);
