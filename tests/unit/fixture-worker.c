/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the event loop around a worker. */

#include "tests/unit/fixture-worker.h"

#include <check.h>
#include <signal.h>
#include <unistd.h>

#include "tests/stub/stub.h"

static void on_done(void *userdata, const Progress *progress, Handles *opened, Results *results) {
        Run *run = userdata;

        ck_assert(!run->done);
        run->done = true;
        run->worker = NULL;
        run->progress = *progress;
        run->opened = *opened;
        run->results = *results;
        *results = (Results)RESULTS_NULL;
        *opened = (Handles)HANDLES_NULL;
}

static void on_late(void *userdata, size_t step) {
        Run *run = userdata;

        ck_assert(!run->done);
        run->late++;
        run->late_step = step;
}

void run_begin(Run *run, const Plan *plan, const Handles *lent, Handles *given, uint64_t deadline) {
        const WorkerClient client = {.done = on_done, .late = on_late, .userdata = run};
        sigset_t mask;

        *run = (Run){.roots = ROOTS_NULL, .opened = HANDLES_NULL};
        /* As vfiod does; sd-event wants it. */
        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &mask, NULL);
        ck_assert_int_ge(sd_event_new(&run->event), 0);
        ck_assert_int_eq(worker_start(run->event, &run->roots, plan, lent, given, deadline, &client,
                                      &run->worker),
                         0);
}

void wait_for_hang(void) {
        while (!stub->hanging)
                (void)usleep(1000);
}

void run_until_done(Run *run) {
        while (!run->done)
                ck_assert_int_gt(sd_event_run(run->event, LONG), 0);
}

void run_until_late(Run *run) {
        wait_for_hang();
        while (!run->late)
                ck_assert_int_gt(sd_event_run(run->event, LONG), 0);
}

void run_end(Run *run) {
        handles_done(&run->opened);
        results_done(&run->results);
        worker_free(run->worker);
        sd_event_unref(run->event);
}
