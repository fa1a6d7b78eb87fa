/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The end of a lease, by Release, by the last copy of lease_fd, or by unplugging:
 *   1. The lease drains: our pipe end and all our files of it are closed, the files by a worker.
 *   2. The worker sees whether each group can be opened. If so, nobody holds it: the lease is gone.
 *   3. If not, somebody still has a file open. The worker is sent again, after 50 ms, then 100 ms,
 * and so on up to 5 s. A machine with a draining lease is not idle.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/util/string.h"

#define RETRY_FIRST_USEC (50 * 1000ULL)
#define RETRY_LAST_USEC (5 * 1000 * 1000ULL)

static void drain(Broker *broker, Lease *lease);

static void finish_nothing(Job *job _unused_, bool ran _unused_, Handles *opened _unused_) {
}

static const JobClass job_class_files = {.finish = finish_nothing};

void release_files(Broker *broker, Handles *files) {
        _cleanup_plan_ Plan plan = PLAN_NULL;
        Request request = {.operation = OPERATION_RELEASE};

        if (files->n_handles == 0 || !plan_append(&plan, STEP_CLOSE_FILES, 0)) {
                handles_done(files);
                return;
        }
        job_run_plan(broker, &job_class_files, &request, &plan, files, NULL, 0, NULL, NULL);
}

static void lease_is_over(Broker *broker, Lease *lease) {
        _cleanup_free_ uint32_t *groups = TAKE_PTR(lease->groups);
        size_t n = lease->n_groups;

        lease->n_groups = 0;
        (void)lease_enter(lease, LEASE_EVENT_FREE);
        broker_emit(broker, CHANGE_LEASE_REMOVED, lease->id, NULL);
        holding_free(broker_find_holding(broker, lease->id));
        lease_free(lease);
        for (size_t i = 0; i < n; i++)
                broker_emit_group(broker, groups[i]);
}

static int on_retry(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Holding *holding = userdata;
        Broker *broker = holding->userdata;
        Lease *lease = lease_table_find(&broker->world.leases, holding->lease);

        holding->retry = sd_event_source_disable_unref(holding->retry);
        if (lease)
                drain(broker, lease);
        return 0;
}

static void retry_later(Broker *broker, Holding *holding) {
        holding->retry_usec = holding->retry_usec ? holding->retry_usec * 2 : RETRY_FIRST_USEC;
        if (holding->retry_usec > RETRY_LAST_USEC)
                holding->retry_usec = RETRY_LAST_USEC;
        (void)sd_event_add_time_relative(broker->event, &holding->retry, CLOCK_MONOTONIC,
                                         holding->retry_usec, 0, on_retry, holding);
}

/* That somebody else still has the group is no failure of the release. */
static void drain_finish(Job *job, bool ran, Handles *opened _unused_) {
        Broker *broker = job->broker;
        Lease *lease = lease_table_find(&broker->world.leases, job->request.lease);
        Holding *holding = broker_find_holding(broker, job->request.lease);

        job->outcome.lease = job->request.lease;
        if (!lease || !holding)
                return;
        if (!ran) {
                job->outcome.error = 0;
                refusal_done(&job->outcome.refusal);
                retry_later(broker, holding);
                return;
        }
        lease_is_over(broker, lease);
}

static const JobClass job_class_release = {.finish = drain_finish};

static void run_drain(Broker *broker, Lease *lease, Request *request, BrokerDone done,
                      void *userdata) {
        Holding *holding = broker_find_holding(broker, lease->id);
        _cleanup_plan_ Plan plan = PLAN_NULL;
        Handles files = HANDLES_NULL;

        request->operation = OPERATION_RELEASE;
        request->lease = lease->id;
        if (holding && handles_move_all(&holding->files, &files) >= 0 && files.n_handles > 0)
                (void)plan_append(&plan, STEP_CLOSE_FILES, 0);
        for (size_t i = 0; i < lease->n_groups; i++)
                (void)plan_append(&plan, STEP_TEST_GROUP, lease->groups[i]);
        job_run_plan(broker, &job_class_release, request, &plan, &files, lease->groups,
                     lease->n_groups, done, userdata);
}

static void drain(Broker *broker, Lease *lease) {
        Request request = {.caller = {.uid = lease->owner}};

        run_drain(broker, lease, &request, NULL, NULL);
}

static bool enter(Broker *broker, Lease *lease, LeaseEvent event) {
        Holding *holding = broker_find_holding(broker, lease->id);

        if (lease_enter(lease, event) < 0)
                return false;
        if (holding)
                holding_close_pipe(holding);
        broker_emit(broker, CHANGE_LEASE_CHANGED, lease->id, NULL);
        broker_emit_lease_groups(broker, lease);
        return true;
}

void release_begin(Broker *broker, Lease *lease, LeaseEvent event) {
        if (!enter(broker, lease, event))
                return;
        if (event == LEASE_EVENT_UNPLUGGED)
                while (lease->n_groups > 0)
                        lease_remove_group(lease, lease->groups[0]);
        drain(broker, lease);
}

void broker_release(Broker *broker, uint32_t id, const Caller *caller, BrokerDone done,
                    void *userdata) {
        Lease *lease = lease_table_find(&broker->world.leases, id);
        Request request = {.operation = OPERATION_RELEASE, .caller = *caller, .lease = id};
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;

        if (lease && enter(broker, lease, LEASE_EVENT_GIVEN_BACK)) {
                run_drain(broker, lease, &request, done, userdata);
                return;
        }
        /* A lease that is over already is what was asked for. */
        outcome.lease = id;
        if (!lease)
                (void)refuse(&outcome.refusal, REFUSAL_NOT_FOUND, "there is no lease %u", id);
        done(userdata, &outcome);
}
