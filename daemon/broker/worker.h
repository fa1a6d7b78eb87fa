/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A process that runs one plan, so that the kernel may block it for as long as it likes. It is
 * forked from the daemon, keeps no file of ours but those it works on, and ends with the plan. A
 * worker that has passed its deadline is told to stop, and left alone: the kernel will let it go or
 * not.
 */

#include <systemd/sd-event.h>

#include "daemon/broker/execute.h"

typedef struct Worker Worker;

/*
 * The plan is over. `opened`: what it opened, and when it failed also what it was given and has not
 * closed. `results`: what it saw. Both may be taken from. The worker is freed afterwards.
 */
typedef void (*WorkerDone)(void *userdata, const Progress *progress, Handles *opened,
                           Results *results);

/* The deadline has passed with `step` under way; called once, before WorkerDone. */
typedef void (*WorkerLate)(void *userdata, size_t step);

typedef struct WorkerClient {
        WorkerDone done;
        WorkerLate late;
        void *userdata;
        int kept_fd; /* a file that the process has open as long as it is there; negative: none */
        bool yields; /* the process leaves the processors to whoever else wants them (nice(1)) */
} WorkerClient;

/*
 * Starts a worker on `plan`, which must live as long as the worker. `lent`: files of ours that its
 * steps use. `given`: files that are the worker's alone from now on; closed in the daemon and
 * emptied, unless starting fails. Either may be NULL.
 */
int worker_start(sd_event *event, const Roots *roots, const Plan *plan, const Handles *lent,
                 Handles *given, uint64_t deadline_usec, const WorkerClient *client, Worker **ret);

/* Undo what is done and stop; WorkerDone will come with -ECANCELED, or not if it was too late. */
void worker_cancel(Worker *worker);

/* Forgets a worker that has not ended. Accepts NULL; returns NULL. */
Worker *worker_free(Worker *worker);
