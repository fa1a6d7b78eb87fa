/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The twin of daemon/broker/worker.c: the plan is run by the event loop, in this process, one turn
 * after it was started. Files are the worker's own copies, as if it had been forked.
 */

#include "daemon/broker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

/*
 * A step that waits for somebody to let go does so for nobody: all there is runs in this process,
 * and a plan may wait for seconds. Takes the place of libc's.
 */
int usleep(useconds_t usec _unused_) {
        return 0;
}

struct Worker {
        WorkerClient client;
        const Roots *roots;
        const Plan *plan;
        Handles files;
        sd_event_source *turn;
        bool cancelled;
};

static bool is_cancelled(void *userdata) {
        return ((const Worker *)userdata)->cancelled;
}

Worker *worker_free(Worker *worker) {
        if (!worker)
                return NULL;
        sd_event_source_disable_unref(worker->turn);
        handles_done(&worker->files);
        free(worker);
        return NULL;
}

void worker_cancel(Worker *worker) {
        worker->cancelled = true;
}

/* What the real one would have sent. */
static void take_opened(Handles *files, bool failed, Handles *opened) {
        for (size_t i = 0; i < files->n_handles; i++) {
                Handle *handle = &files->handles[i];

                if (handle->fresh || (failed && handle->given))
                        if (handles_add_consume(opened, handle->kind, handle->group, handle->device,
                                                TAKE_FD(handle->fd)) < 0)
                                abort();
        }
}

static int on_turn(sd_event_source *source _unused_, void *userdata) {
        Worker *worker = userdata;
        const ExecuteHost host = {.cancelled = is_cancelled, .userdata = worker, .vfiod = getpid()};
        WorkerClient client = worker->client;
        Results results = RESULTS_NULL;
        Handles opened = HANDLES_NULL;
        Progress progress = {0};

        execute_plan(worker->roots, worker->plan, &worker->files, &results, &progress, &host);
        take_opened(&worker->files, progress.error < 0, &opened);
        worker_free(worker);
        client.done(client.userdata, &progress, &opened, &results);
        handles_done(&opened);
        results_done(&results);
        return 0;
}

static void copy_files(const Handles *from, bool given, Handles *to) {
        for (size_t i = 0; from && i < from->n_handles; i++) {
                const Handle *handle = &from->handles[i];

                if (handles_add_consume(to, handle->kind, handle->group, handle->device,
                                        fd_duplicate(handle->fd)) < 0)
                        abort();
                to->handles[to->n_handles - 1].fresh = false;
                to->handles[to->n_handles - 1].given = given;
        }
}

int worker_start(sd_event *event, const Roots *roots, const Plan *plan, const Handles *lent,
                 Handles *given, uint64_t deadline_usec _unused_, const WorkerClient *client,
                 Worker **ret) {
        Worker *worker = calloc(1, sizeof(Worker));

        if (!worker)
                return -ENOMEM;
        *worker = (Worker){.client = *client, .roots = roots, .plan = plan};
        copy_files(lent, false, &worker->files);
        copy_files(given, true, &worker->files);
        if (given)
                handles_done(given);
        if (sd_event_add_defer(event, &worker->turn, on_turn, worker) < 0)
                abort();
        *ret = worker;
        return 0;
}
