/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/errand-line.h"

#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/look.h"

/* More do not come to an end sooner: they look at the same processes. */
#define AT_ONCE 8
#define AT_ONCE_PER_UID 2

#define STOPPING "vfiod is stopping; try again"

typedef struct Errand {
        Broker *broker;
        Request request;
        Plan plan;
        ErrandJudge judge;
        BrokerDone done;
        void *userdata;
        sd_event_source *deadline; /* while it waits: those before it may hang */
        List link;                 /* Broker.errands.waiting or .running */
} Errand;

static void advance(Broker *broker);

static int errand_prepare(Job *job) {
        return lend_groups_of_plan(job);
}

/* One that was answered late has kept its turn until now: its worker was still there. A client's
 * curiosity costs nobody else any time: whoever has many processes makes a search as long as he
 * likes. */
static const JobClass job_class_errand = {
        .prepare = errand_prepare, .is_errand = true, .yields = true, .freed = advance};

static void errand_free(Errand *errand) {
        sd_event_source_disable_unref(errand->deadline);
        list_remove(&errand->link);
        request_done(&errand->request);
        plan_done(&errand->plan);
        free(errand);
}

static Errand *errand_of(List *link) {
        return container_of(link, Errand, link);
}

static void end_with(Errand *errand, RefusalKind kind, const char *sentence) {
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;
        BrokerDone done = errand->done;
        void *userdata = errand->userdata;

        (void)refuse(&outcome.refusal, kind, "%s", sentence);
        errand_free(errand);
        done(userdata, &outcome);
}

static void on_done(void *userdata, Outcome *outcome) {
        Errand *errand = userdata;

        if (errand->judge)
                errand->judge(&errand->request, &outcome->results);
        errand->done(errand->userdata, outcome);
        errand_free(errand);
}

static void run(Errand *errand) {
        const Request request = {.operation = OPERATION_LOOK, .caller = errand->request.caller};
        Handles nothing = HANDLES_NULL;
        /* The errand may be over before it has begun. */
        Plan plan = errand->plan;

        errand->plan = (Plan)PLAN_NULL;
        errand->deadline = sd_event_source_disable_unref(errand->deadline);
        list_remove(&errand->link);
        list_insert(&errand->broker->errands.running, &errand->link);
        job_run_plan(errand->broker, &job_class_errand, &request, &plan, &nothing, NULL, 0, on_done,
                     errand);
}

static bool may_run(const Broker *broker, uid_t uid) {
        size_t of_uid = 0, in_all = 0;

        list_for_each(link, &broker->jobs) {
                const Job *job = container_of(link, Job, link);

                if (job->class != &job_class_errand)
                        continue;
                of_uid += job->request.caller.uid == uid;
                in_all++;
        }
        return of_uid < AT_ONCE_PER_UID && in_all < AT_ONCE;
}

static Errand *find_next(const Broker *broker) {
        list_for_each(link, &broker->errands.waiting)
                if (may_run(broker, errand_of(link)->request.caller.uid))
                        return errand_of(link);
        return NULL;
}

/* Those of the uid go behind everybody who is in line by now. */
static void let_others_first(Broker *broker, uid_t uid) {
        List *waiting = &broker->errands.waiting;
        List own;

        list_init(&own);
        list_for_each_safe(link, waiting)
                if (errand_of(link)->request.caller.uid == uid) {
                        list_remove(link);
                        list_insert(&own, link);
                }
        while (!list_is_empty(&own)) {
                List *link = own.next;

                list_remove(link);
                list_insert(waiting, link);
        }
}

/* One that cannot begin ends at once, and has the line advance again: it goes on in this loop. */
static void advance(Broker *broker) {
        Errand *errand;

        if (broker->errands.advancing)
                return;
        broker->errands.advancing = true;
        while ((errand = find_next(broker))) {
                uid_t uid = errand->request.caller.uid;

                run(errand);
                let_others_first(broker, uid);
        }
        broker->errands.advancing = false;
}

static int on_deadline(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        end_with(userdata, REFUSAL_BUSY,
                 "searches that have begun before have not returned, and as many run as may; try "
                 "again");
        return 0;
}

static int set_deadline(Errand *errand) {
        Broker *broker = errand->broker;

        return sd_event_add_time_relative(broker->event, &errand->deadline, CLOCK_MONOTONIC,
                                          broker->world.config.step_deadline_ms * 1000, 0,
                                          on_deadline, errand);
}

void errand_line_join(Broker *broker, const Request *request, Plan *plan, ErrandJudge judge,
                      BrokerDone done, void *userdata) {
        Errand *errand = plan->n_steps > 0 ? calloc(1, sizeof(Errand)) : NULL;
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;

        if (broker->stopping) {
                free(errand);
                plan_done(plan);
                (void)refuse(&outcome.refusal, REFUSAL_BUSY, STOPPING);
                done(userdata, &outcome);
                return;
        }
        if (!errand || request_copy(request, &errand->request) < 0) {
                free(errand);
                plan_done(plan);
                broker_end_without_memory(done, userdata);
                return;
        }
        errand->broker = broker;
        errand->plan = *plan;
        *plan = (Plan)PLAN_NULL;
        errand->judge = judge;
        errand->done = done;
        errand->userdata = userdata;
        list_insert(&broker->errands.waiting, &errand->link);
        if (set_deadline(errand) < 0) {
                errand_free(errand);
                broker_end_without_memory(done, userdata);
                return;
        }
        advance(broker);
}

void errand_line_cancel(Broker *broker, const void *userdata) {
        list_for_each_safe(link, &broker->errands.waiting)
                if (errand_of(link)->userdata == userdata) {
                        end_with(errand_of(link), REFUSAL_CALLED_OFF, "the caller has left");
                        return;
                }
}

void errand_line_stop(Broker *broker) {
        while (!list_is_empty(&broker->errands.waiting))
                end_with(errand_of(broker->errands.waiting.next), REFUSAL_BUSY, STOPPING);
}

void errand_line_forget(Broker *broker) {
        while (!list_is_empty(&broker->errands.waiting))
                errand_free(errand_of(broker->errands.waiting.next));
        while (!list_is_empty(&broker->errands.running))
                errand_free(errand_of(broker->errands.running.next));
}
