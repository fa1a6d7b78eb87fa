/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A worker process of a test, and what has come of it. */

#include "daemon/broker/worker.h"

#define SECOND 1000000ULL
#define SOON (SECOND / 20)
#define LONG (60 * SECOND)

/* A worker and what it has told. */
typedef struct Run {
        sd_event *event;
        Roots roots;
        Worker *worker;
        Progress progress;
        Handles opened;
        Results results;
        bool done;
        unsigned late;
        size_t late_step;
} Run;

/* Starts a worker on an event loop of its own. */
void run_begin(Run *run, const Plan *plan, const Handles *lent, Handles *given, uint64_t deadline);
void run_end(Run *run);

void run_until_done(Run *run);
/* The deadline is seen only once the step hangs, however slow the machine is. */
void run_until_late(Run *run);
/* Until the worker is in the call that stub->hang_call names. */
void wait_for_hang(void);
