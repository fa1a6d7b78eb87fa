/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The way of a job:
 *   1. Facts of the groups are read again, the request is decided on them.
 *
 *   2. A refusal or an empty plan ends it here. Otherwise its groups are occupied (activity) and
 *      the worker starts.
 *
 *   3a. The worker ends: the facts are read again, the class records what has come of it, the
 *      caller is told, the job is freed.
 *
 *   3b. The deadline passes: the caller is told TimedOut and the devices show as stuck. The job
 *      stays, with its groups occupied, until the worker ends after all; then 3a, telling nobody.
 */

#include "daemon/broker/job.h"

#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/keep.h"
#include "daemon/broker/kept-room.h"
#include "daemon/broker/recover-plan.h"
#include "daemon/core/decide-recover.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

void job_free(Job *job) {
        void (*freed)(Broker *broker) = job->class->freed;
        Broker *broker = job->broker;

        list_remove(&job->link);
        activity_end(&job->activity);
        fd_store_barrier_free(job->barrier);
        worker_free(job->worker);
        request_done(&job->request);
        plan_done(&job->plan);
        outcome_done(&job->outcome);
        free(job->lent.handles);
        handles_done(&job->given);
        free(job);
        if (freed)
                freed(broker);
}

static void job_answer(Job *job) {
        if (job->answered)
                return;
        job->answered = true;
        job->outcome.duration_usec = clock_now(CLOCK_MONOTONIC) - job->started_usec;
        if (job->done)
                job->done(job->userdata, &job->outcome);
}

static void emit_groups(Broker *broker, const uint32_t *groups, size_t n) {
        for (size_t i = 0; i < n; i++)
                broker_emit_group(broker, groups[i]);
}

/* The groups look free again only when everything that finish() recorded is in place. */
static void job_end(Job *job) {
        Broker *broker = job->broker;
        _cleanup_free_ uint32_t *groups = TAKE_PTR(job->activity.groups);
        size_t n = job->activity.n_groups;
        /* One that was late has left the groups in the kernel's hands until now. */
        bool changed = outcome_is_success(&job->outcome) || job->outcome.timed_out;

        if (groups)
                list_remove(&job->activity.link);
        emit_groups(broker, groups, n);
        job->begun = false;
        if (job->plan.n_steps > 0)
                keep_now(broker);
        job_answer(job);
        job_free(job);
        if (n > 0)
                changed ? wait_poke(broker) : wait_poke_busy(broker);
}

static void refresh_activity(Job *job) {
        for (size_t i = 0; i < job->activity.n_groups; i++)
                broker_refresh_worked_on(job->broker, job->activity.groups[i]);
}

static void job_finish(Job *job, bool ran, Handles *opened) {
        if (job->class->finish)
                job->class->finish(job, ran, opened);
}

static void on_worker_done(void *userdata, const Progress *progress, Handles *opened,
                           Results *results) {
        Job *job = userdata;

        job->worker = NULL;
        job->outcome.step = progress->step;
        job->outcome.results = *results;
        *results = (Results)RESULTS_NULL;
        (void)string_set(&job->activity.late, NULL);
        refresh_activity(job);
        outcome_judge(&job->outcome, &job->broker->world, &job->request, &job->plan, progress);
        job_finish(job, progress->error == 0, opened);
        if (!progress->finished && job->begun)
                recover_job(job);
        job_end(job);
}

static void on_worker_late(void *userdata, size_t step) {
        Job *job = userdata;
        _cleanup_free_ char *what = step_describe(&job->plan.steps[step]);

        job->outcome.timed_out = true;
        job->outcome.failure = string_format(
                "%s: has not returned in %lu ms; the device stays unusable until the "
                "kernel lets go",
                string_or_empty(what), (unsigned long)job->broker->world.config.step_deadline_ms);
        job->activity.late = string_format("'%s' has not returned", string_or_empty(what));
        emit_groups(job->broker, job->activity.groups, job->activity.n_groups);
        job_answer(job);
}

static int job_start_worker(Job *job) {
        static const struct WorkerClient template = {.done = on_worker_done,
                                                     .late = on_worker_late};
        WorkerClient client = template;
        Broker *broker = job->broker;
        uint64_t deadline_ms = broker->world.config.step_deadline_ms + plan_grace_ms(&job->plan);

        client.userdata = job;
        client.kept_fd = broker->keep.directory;
        client.yields = job->class->yields;
        return worker_start(broker->event, &broker->roots, &job->plan, &job->lent, &job->given,
                            deadline_ms * 1000, &client, &job->worker);
}

static void job_fail(Job *job, int error, const char *what) {
        job->outcome.error = error;
        job->outcome.failure = string_format("%s: %s", what, strerror(-error));
        job_end(job);
}

/* What it was to be given is still ours then, for the class to put back. */
static void start_worker(void *userdata) {
        Job *job = userdata;
        int r;

        job->barrier = NULL;
        r = job_start_worker(job);
        if (r >= 0)
                return;
        job->outcome.error = r;
        job->outcome.failure = string_format("start a worker: %s", strerror(-r));
        job_finish(job, false, &job->given);
        job_end(job);
}

static void job_start(Job *job, const uint32_t *groups, size_t n_groups) {
        Broker *broker = job->broker;
        Handles nothing = HANDLES_NULL;
        int r;

        r = outcome_describe(&job->outcome, &job->plan);
        if (r >= 0 && !job->class->is_errand)
                r = activity_begin(&broker->world.activities, &job->activity,
                                   job->request.operation, job->request.caller.uid, groups,
                                   n_groups);
        if (r < 0) {
                job_fail(job, r, "begin the operation");
                return;
        }
        if (job->plan.n_steps == 0) {
                job_finish(job, true, &nothing);
                job_end(job);
                return;
        }
        r = job->class->prepare ? job->class->prepare(job) : 0;
        if (r < 0) {
                job_fail(job, r, "prepare the operation");
                return;
        }
        emit_groups(broker, job->activity.groups, job->activity.n_groups);
        job->begun = !job->class->recovers && plan_outlives_worker(&job->plan);
        keep_now(broker);
        keep_wait(broker, start_worker, job, &job->barrier);
}

static Job *job_new(Broker *broker, const JobClass *class, const Request *request, BrokerDone done,
                    void *userdata) {
        Job *job = calloc(1, sizeof(Job));
        Request copy;

        if (!job || request_copy(request, &copy) < 0) {
                broker_end_without_memory(done, userdata);
                free(job);
                return NULL;
        }
        *job = (Job){
                .broker = broker,
                .class = class,
                .request = copy,
                .outcome = OUTCOME_NULL,
                .done = done,
                .userdata = userdata,
                .started_usec = clock_now(CLOCK_MONOTONIC),
        };
        list_insert(&broker->jobs, &job->link);
        return job;
}

static RefusalKind decide_job(Job *job, uint32_t **ret_groups, size_t *ret_n) {
        Broker *broker = job->broker;
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        Refusal *refusal = &job->outcome.refusal;

        if (broker->stopping)
                return refuse(refusal, REFUSAL_BUSY, "vfiod is stopping; try again");
        broker_refresh(broker, &job->request);
        if (select_targets(&broker->world.topology, &job->request, &selection, refusal) ||
            decide(&broker->world, &job->request, &selection, &job->plan, refusal) ||
            kept_room_check(broker, &job->request, &job->plan, refusal))
                return refusal->kind;

        *ret_groups = selection_groups(&selection, ret_n);
        return *ret_groups ? REFUSAL_NONE : refuse_memory(refusal);
}

void job_run(Broker *broker, const JobClass *class, const Request *request, BrokerDone done,
             void *userdata) {
        Job *job = job_new(broker, class, request, done, userdata);
        _cleanup_free_ uint32_t *groups = NULL;
        size_t n = 0;

        if (!job)
                return;
        if (decide_job(job, &groups, &n)) {
                job_end(job);
                return;
        }
        job_start(job, groups, n);
}

void job_run_plan(Broker *broker, const JobClass *class, const Request *request, Plan *plan,
                  Handles *given, const uint32_t *groups, size_t n_groups, BrokerDone done,
                  void *userdata) {
        Job *job = job_new(broker, class, request, done, userdata);

        if (!job) {
                plan_done(plan);
                handles_done(given);
                return;
        }
        job->plan = *plan;
        *plan = (Plan)PLAN_NULL;
        job->given = *given;
        *given = (Handles)HANDLES_NULL;
        job_start(job, groups, n_groups);
}
