/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The end of a lease, by Release, by the last copy of lease_fd, by revocation, or by unplugging:
 *
 *   1. The lease drains: our end of its pipe and all our files of it are closed at once, the files
 *      by a worker, which then sees whether each group can be opened: nobody holds it, and the
 *      lease is gone.
 *
 *   2. If not, the worker is sent again to see who has a file open: when such a process ends, and
 *      after 50 ms, then 100 ms, and so on up to 5 s. A machine with a draining lease is not idle.
 *
 *   3. If nobody is to be seen and a group can still not be opened, a file of it is where we cannot
 *      look: its devices are stuck, until the kernel lets the group be opened.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/closing.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

#define RETRY_FIRST_USEC (50 * 1000ULL)
#define RETRY_LAST_USEC (5 * 1000 * 1000ULL)

/*
 * A process that is ending is out of /proc before its files are closed, and closing a device resets
 * it: so often, which is 6 s, that is the reason.
 */
#define UNSEEN_MAX 7

static void drain(Broker *broker, Lease *lease);

static const JobClass job_class_files = {0};

static void close_files(Broker *broker, Plan *plan, Handles *files) {
        Request request = {.operation = OPERATION_RELEASE};

        if (files->n_handles == 0 || !plan_append(plan, STEP_CLOSE_FILES, 0)) {
                handles_done(files);
                return;
        }
        job_run_plan(broker, &job_class_files, &request, plan, files, NULL, 0, NULL, NULL);
}

void release_files(Broker *broker, Handles *files) {
        _cleanup_plan_ Plan plan = PLAN_NULL;

        close_files(broker, &plan, files);
}

void release_orphans(Broker *broker, Handles *files) {
        _cleanup_plan_ Plan plan = PLAN_NULL;

        for (size_t i = 0; i < files->n_handles; i++) {
                const Handle *file = &files->handles[i];
                Step *seal = file->kind == HANDLE_CDEV
                                     ? plan_append(&plan, STEP_SEAL_CDEV, file->group)
                                     : NULL;

                if (seal)
                        (void)string_set(&seal->device, file->device);
        }
        close_files(broker, &plan, files);
}

static void lease_is_over(Broker *broker, Lease *lease) {
        Holding *holding = broker_find_holding(broker, lease->id);
        _cleanup_free_ uint32_t *groups = TAKE_PTR(lease->groups);
        size_t n = lease->n_groups;

        lease->n_groups = 0;
        (void)lease_enter(lease, LEASE_EVENT_FREE);
        broker_emit(broker, CHANGE_LEASE_REMOVED, lease->id, NULL);
        if (holding)
                keep_forget(broker, holding);
        holding_free(holding);
        lease_free(lease);
        for (size_t i = 0; i < n; i++) {
                broker_refresh_worked_on(broker, groups[i]);
                broker_emit_group(broker, groups[i]);
        }
        wait_poke(broker);
        closing_poke(broker);
}

static void retry(Holding *holding) {
        Broker *broker = holding->userdata;
        Lease *lease = lease_table_find(&broker->world.leases, holding->lease);

        holding->retry = sd_event_source_disable_unref(holding->retry);
        holder_watch_clear(&holding->holders);
        if (lease)
                drain(broker, lease);
}

static int on_retry(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        retry(userdata);
        return 0;
}

/* What he had may still be closing. It is looked soon again, and again. */
static void begin_unseen(Holding *holding) {
        holding->seen = false;
        holding->unseen_usec = clock_now(CLOCK_MONOTONIC);
        holding->retry_usec = 0;
}

static void on_holder_ended(void *userdata) {
        begin_unseen(userdata);
        retry(userdata);
}

static void retry_later(Broker *broker, Holding *holding) {
        holding->retry_usec =
                clock_back_off(holding->retry_usec, RETRY_FIRST_USEC, RETRY_LAST_USEC);
        (void)sd_event_add_time_relative(broker->event, &holding->retry, CLOCK_MONOTONIC,
                                         holding->retry_usec, 0, on_retry, holding);
}

void release_set_stuck(Broker *broker, Lease *lease) {
        if (lease->stuck)
                return;
        lease->stuck = true;
        broker_emit_lease_groups(broker, lease);
        broker_emit(broker, CHANGE_LEASE_STUCK, lease->id, NULL);
}

/* The kernel says that somebody has the group, and nobody is to be seen. */
static void count_unseen(Broker *broker, Lease *lease, Holding *holding) {
        if (++holding->unseen >= UNSEEN_MAX)
                release_set_stuck(broker, lease);
}

/* That somebody else still has the group is no failure of the release. */
static void drain_on(Job *job, Lease *lease, Holding *holding, Handles *opened) {
        Broker *broker = job->broker;
        const Holds *holds = &job->outcome.results.holds;

        job->outcome.error = 0;
        refusal_done(&job->outcome.refusal);
        if (opened->n_handles > 0 && handles_move_all(opened, &holding->files) < 0)
                release_files(broker, opened);
        lease->closed = holding->files.n_handles == 0;
        if (holding->seen && holds->n_holds == 0)
                begin_unseen(holding);
        holding->seen = holds->n_holds > 0;
        if (holding->seen)
                holding->unseen = 0;
        else if (lease->closed)
                count_unseen(broker, lease, holding);
        holder_watch_set(&holding->holders, broker->event, holds, on_holder_ended, holding);
        retry_later(broker, holding);
}

static void drain_finish(Job *job, bool ran, Handles *opened) {
        Broker *broker = job->broker;
        Lease *lease = lease_table_find(&broker->world.leases, job->request.lease);
        Holding *holding = broker_find_holding(broker, job->request.lease);

        job->outcome.lease = job->request.lease;
        if (!lease || !holding)
                release_files(broker, opened);
        else if (ran)
                lease_is_over(broker, lease);
        else
                drain_on(job, lease, holding, opened);
}

static const JobClass job_class_release = {.finish = drain_finish};

/* So that what others still have of it shows when the group is opened. */
static int plan_seal(const Broker *broker, const Lease *lease, Plan *plan) {
        for (size_t i = 0; i < lease->n_groups; i++) {
                const Group *group = topology_find_group(&broker->world.topology, lease->groups[i]);

                if (group && plan_seal_cdevs(lease, group, plan) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int plan_drain(const Broker *broker, const Lease *lease, bool has_files, uint64_t grace_ms,
                      Plan *plan) {
        /* Looking takes longer than closing, and most often there is nobody. */
        Step *look = lease->n_groups > 0 && !has_files
                             ? plan_append(plan, STEP_EXPECT_NOBODY, lease->groups[0])
                             : NULL;

        for (size_t i = 0; look && i < lease->n_groups; i++)
                if (step_add_group(look, lease->groups[i]) < 0)
                        return -ENOMEM;
        if (has_files &&
            (plan_seal(broker, lease, plan) < 0 || !plan_append(plan, STEP_CLOSE_FILES, 0)))
                return -ENOMEM;
        for (size_t i = 0; i < lease->n_groups; i++) {
                const Group *group = topology_find_group(&broker->world.topology, lease->groups[i]);
                Step *test = plan_append(plan, STEP_TEST_GROUP, lease->groups[i]);

                if (!test)
                        return -ENOMEM;
                test->no_iommu = group && group_has_no_iommu(group);
                test->grace_ms = grace_ms;
        }
        return 0;
}

/* There was no memory for a plan. Without one nothing would be tested, nor closed by a worker. */
static void put_off(Broker *broker, Holding *holding, Handles *files) {
        if (!holding)
                return;
        if (handles_move_all(files, &holding->files) < 0)
                release_files(broker, files);
        retry_later(broker, holding);
}

/*
 * Who has just closed all and says so is to find the group free: a worker that was forked a moment
 * ago may not have closed its copies yet.
 */
static void run_drain(Broker *broker, Lease *lease, Request *request, BrokerDone done,
                      void *userdata) {
        Holding *holding = broker_find_holding(broker, lease->id);
        _cleanup_plan_ Plan plan = PLAN_NULL;
        Handles files = HANDLES_NULL;

        request->operation = OPERATION_RELEASE;
        request->lease = lease->id;
        if (holding)
                (void)handles_move_all(&holding->files, &files);
        if (plan_drain(broker, lease, files.n_handles > 0, done ? CLOSING_MS : 0, &plan) < 0) {
                put_off(broker, holding, &files);
                broker_end_without_memory(done, userdata);
                return;
        }
        job_run_plan(broker, &job_class_release, request, &plan, &files, lease->groups,
                     lease->n_groups, done, userdata);
}

/* An operation that has the files now, a revocation say, comes first. */
static void drain(Broker *broker, Lease *lease) {
        Request request = {.caller = {.uid = lease->owner}};
        Holding *holding = broker_find_holding(broker, lease->id);

        if (holding && activity_find_any(&broker->world.activities, lease->groups, lease->n_groups))
                retry_later(broker, holding);
        else
                run_drain(broker, lease, &request, NULL, NULL);
}

static void begin_end(Holding *holding) {
        begin_unseen(holding);
        holding->ended_usec = holding->unseen_usec;
}

static bool enter(Broker *broker, Lease *lease, LeaseEvent event) {
        Holding *holding = broker_find_holding(broker, lease->id);

        if (lease_enter(lease, event) < 0)
                return false;
        if (holding) {
                begin_end(holding);
                holding_close_pipe(holding);
        }
        broker_emit(broker, CHANGE_LEASE_CHANGED, lease->id, NULL);
        broker_emit_lease_groups(broker, lease);
        return true;
}

void release_resume(Broker *broker, Lease *lease) {
        Holding *holding = broker_find_holding(broker, lease->id);

        /* What is known of it: it may have ended just before. */
        if (holding)
                begin_end(holding);
        drain(broker, lease);
}

void release_abandoned(void *userdata, uint32_t id) {
        Broker *broker = userdata;
        Lease *lease = lease_table_find(&broker->world.leases, id);

        if (lease)
                release_begin(broker, lease, LEASE_EVENT_GIVEN_BACK);
}

void release_begin(Broker *broker, Lease *lease, LeaseEvent event) {
        if (!enter(broker, lease, event))
                return;
        if (event == LEASE_EVENT_UNPLUGGED)
                while (lease->n_groups > 0)
                        lease_remove_group(lease, lease->groups[0]);
        drain(broker, lease);
}

void release_taken_group(Broker *broker, Lease *lease, uint32_t number) {
        const Group *group = topology_find_group(&broker->world.topology, number);
        Holding *holding = broker_find_holding(broker, lease->id);
        Handles files = HANDLES_NULL;

        if (holding && handles_move_group(&holding->files, number, &files) >= 0)
                release_files(broker, &files);
        for (size_t i = 0; group && i < group->n_members; i++)
                lease_remove_device(lease, group->members[i]->facts.name);
        lease_remove_group(lease, number);
        if (lease->n_groups > 0) {
                broker_emit(broker, CHANGE_LEASE_CHANGED, lease->id, NULL);
                return;
        }
        (void)enter(broker, lease, LEASE_EVENT_GIVEN_BACK);
        if (holding && handles_move_all(&holding->files, &files) >= 0)
                release_files(broker, &files);
        lease_is_over(broker, lease);
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
        /* A lease that is over already, or was when its end was asked for, is what was asked for.
         */
        outcome.lease = id;
        done(userdata, &outcome);
}
