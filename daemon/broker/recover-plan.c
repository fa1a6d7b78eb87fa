/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/recover-plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/keep.h"
#include "daemon/core/decide-recover.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

#define ALONE_FIRST_USEC (20 * 1000ULL)
#define ALONE_LAST_USEC (1000 * 1000ULL)

static void begun_free(Begun *begun) {
        list_remove(&begun->link);
        activity_end(&begun->activity);
        free(begun->plan.groups);
        plan_done(&begun->plan.plan);
        free(begun);
}

static void say(Begun *begun, int error, const char *what, const char *more) {
        _cleanup_free_ char *groups = NULL, *sentence = NULL;

        for (size_t i = 0; i < begun->plan.n_groups; i++)
                (void)string_append(&groups, "%s%u", i > 0 ? ", " : "", begun->plan.groups[i]);
        sentence = string_format("%s of group %s for uid %u was broken off%s%s%s",
                                 operation_name(begun->plan.operation), string_or_empty(groups),
                                 begun->plan.uid, what, string_is_empty(more) ? "" : ": ",
                                 string_or_empty(more));
        if (sentence)
                broker_emit_recovered(begun->broker, sentence, error);
}

/* The record is struck out before what has come of it is seen. One that has failed for good is
 * given up; one that was called off is for the next vfiod. */
static void recover_finish(Job *job, bool ran, Handles *opened) {
        Begun *begun = job->userdata;

        release_files(job->broker, opened);
        if (ran) {
                bind_forget(job->broker, &job->plan);
                bind_recovered(job->broker, &begun->plan);
        }
        if (!ran && job->broker->stopping)
                return;
        list_remove(&begun->link);
        if (job->answered)
                begun_free(begun);
}

static const JobClass job_class_recover = {.finish = recover_finish, .recovers = true};

static void give_up(Begun *begun, int error, const char *why) {
        Broker *broker = begun->broker;

        say(begun, error,
            ", and could not be recovered; 'vfioctl list' shows what its devices are on", why);
        begun_free(begun);
        keep_soon(broker);
}

static bool is_for_the_next_vfiod(const Begun *begun) {
        return begun->broker->stopping && !list_is_empty(&begun->link);
}

static void on_recovered(void *userdata, Outcome *outcome) {
        Begun *begun = userdata;
        bool finished = begun->plan.operation == OPERATION_UNBIND;

        if (outcome->timed_out || is_for_the_next_vfiod(begun))
                return;
        if (!outcome_is_success(outcome)) {
                give_up(begun, outcome->error, outcome_sentence(outcome));
                return;
        }
        say(begun, 0, finished ? ", and was finished" : ", and was undone", outcome->plan);
        begun_free(begun);
}

static void recover_one(Begun *begun) {
        Broker *broker = begun->broker;
        const Request request = {.operation = begun->plan.operation,
                                 .caller = {.uid = begun->plan.uid}};
        _cleanup_plan_ Plan plan = PLAN_NULL;
        Handles nothing = HANDLES_NULL;
        int r;

        activity_end(&begun->activity);
        begun->activity = (Activity){0};
        for (size_t i = 0; i < begun->plan.n_groups; i++)
                broker_refresh_group(broker, begun->plan.groups[i]);
        r = decide_recover(&broker->world, &begun->plan, &plan);
        if (r < 0) {
                give_up(begun, r, strerror(-r));
                return;
        }
        if (plan.n_steps > 0) {
                job_run_plan(broker, &job_class_recover, &request, &plan, &nothing,
                             begun->plan.groups, begun->plan.n_groups, on_recovered, begun);
                return;
        }
        bind_recovered(broker, &begun->plan);
        say(begun, 0, "; nothing is left to do of it", NULL);
        begun_free(begun);
        keep_soon(broker);
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        recover_plans_start(userdata);
        return 0;
}

static void try_later(Broker *broker) {
        broker->keep.alone_usec =
                clock_back_off(broker->keep.alone_usec, ALONE_FIRST_USEC, ALONE_LAST_USEC);
        (void)sd_event_add_time_relative(broker->event, &broker->keep.alone, CLOCK_MONOTONIC,
                                         broker->keep.alone_usec, 0, on_time, broker);
}

void recover_plans_start(Broker *broker) {
        int directory = broker->keep.directory;

        broker->keep.alone = sd_event_source_disable_unref(broker->keep.alone);
        if (directory >= 0 && flock(directory, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
                try_later(broker);
                return;
        }
        list_for_each_safe(link, &broker->begun)
                recover_one(container_of(link, Begun, link));
}

static int take_one(Broker *broker, StatePlan *plan) {
        Begun *begun = calloc(1, sizeof(Begun));

        if (!begun)
                return -ENOMEM;
        begun->broker = broker;
        begun->plan = *plan;
        *plan = (StatePlan){0};
        list_insert(&broker->begun, &begun->link);
        return activity_begin(&broker->world.activities, &begun->activity, begun->plan.operation,
                              begun->plan.uid, begun->plan.groups, begun->plan.n_groups);
}

/* Files of groups that the plan was to take from a lease went with the worker. */
static void lose_groups(Begun *begun) {
        Broker *broker = begun->broker;

        if (begun->plan.operation != OPERATION_UNBIND && begun->plan.operation != OPERATION_REMOVE)
                return;
        for (size_t i = 0; i < begun->plan.n_groups; i++) {
                Lease *lease = lease_table_find_group(&broker->world.leases, begun->plan.groups[i]);

                if (lease)
                        release_taken_group(broker, lease, begun->plan.groups[i]);
        }
}

static uint32_t *copy_groups(const Activity *activity) {
        uint32_t *groups = calloc(activity->n_groups + 1, sizeof(uint32_t));

        for (size_t i = 0; groups && i < activity->n_groups; i++)
                groups[i] = activity->groups[i];
        return groups;
}

void recover_job(Job *job) {
        Begun *begun = calloc(1, sizeof(Begun));
        uint32_t *groups = copy_groups(&job->activity);

        if (!begun || !groups) {
                free(begun);
                free(groups);
                return;
        }
        *begun = (Begun){
                .broker = job->broker,
                .plan = {.operation = job->request.operation,
                         .uid = job->request.caller.uid,
                         .lease = job->request.lease,
                         .groups = groups,
                         .n_groups = job->activity.n_groups,
                         .plan = job->plan},
        };
        job->plan = (Plan)PLAN_NULL;
        job->begun = false;
        list_insert(&job->broker->begun, &begun->link);
        lose_groups(begun);
        recover_one(begun);
}

int recover_plans_take(Broker *broker, State *state) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < state->n_plans; i++)
                r = take_one(broker, &state->plans[i]);
        return r;
}

void recover_plans_stop(Broker *broker) {
        broker->keep.alone = sd_event_source_disable_unref(broker->keep.alone);
        list_for_each_safe(link, &broker->begun)
                begun_free(container_of(link, Begun, link));
}
