/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The way of an Unbind:
 *
 *   1. It is tried. If nobody holds the groups, that was all.
 *
 *   2. If somebody does: policy `fail` looks who, and refuses. The others begin to wait: from now
 *      on nobody new is given the groups. Who holds what is looked at first, so that letting go can
 *      be seen afterwards; then the owners of the leases are asked (daemon/broker/ask.h).
 *
 *   3. It is tried again whenever a lease ends, an operation has changed a group or has only been
 *      in the way, or looking shows that the devices were let go of. Looking is done when a
 *      holder ends, and every now and then.
 *
 *   4. At the deadline `wait` looks who still holds the groups, and refuses. `revoke` tries once
 *      more with the request `due`: the plan then makes the holders let go.
 *
 * Whatever the end, leases that nobody asks for any more are held again as before.
 */

#include "daemon/broker/wait.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/ask.h"
#include "daemon/broker/broker-private.h"
#include "daemon/broker/look.h"
#include "daemon/core/holder-text.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

#define LOOK_FIRST_USEC (100 * 1000ULL)
#define LOOK_LAST_USEC (1000 * 1000ULL)

/* After a holder has ended its lease usually does too, which is better than looking. */
#define LOOK_AFTER_END_USEC (30 * 1000ULL)

/* The kernel's own period (drivers/vfio/vfio_main.c, vfio_unregister_group_dev). */
#define ASK_AGAIN_USEC (10 * 1000 * 1000ULL)

typedef enum Errand {
        ERRAND_NONE,
        ERRAND_TRY,
        ERRAND_LOOK,
} Errand;

struct Waiter {
        Broker *broker;
        Request request;
        BrokerConfirm confirm;
        BrokerDone done;
        void *userdata;
        Wait wait;     /* begun once somebody was found to hold a group */
        Errand errand; /* under way; it comes back to us, so we are not freed before */
        bool ended;    /* `done` was called */
        bool called_off;
        bool expired; /* the deadline has passed */
        bool poked;   /* a group may have come free since the last try began */
        bool looked;  /* since the wait began */
        Outcome last; /* of the last try, and whom the last look has found */
        HolderWatch watch;
        uint64_t look_usec;
        uint64_t started_usec; /* CLOCK_MONOTONIC */
        sd_event_source *kick;
        sd_event_source *look_again;
        sd_event_source *ask_again;
        sd_event_source *deadline;
        List link; /* Broker.waiters */
};

static void try_now(Waiter *waiter);
static void look_now(Waiter *waiter);
static void ask(Waiter *waiter);

static void stop_sources(Waiter *waiter) {
        waiter->kick = sd_event_source_disable_unref(waiter->kick);
        waiter->look_again = sd_event_source_disable_unref(waiter->look_again);
        waiter->ask_again = sd_event_source_disable_unref(waiter->ask_again);
        waiter->deadline = sd_event_source_disable_unref(waiter->deadline);
        holder_watch_clear(&waiter->watch);
}

Waiter *waiter_of(List *link) {
        return container_of(link, Waiter, link);
}

void waiter_free(Waiter *waiter) {
        stop_sources(waiter);
        list_remove(&waiter->link);
        wait_end(&waiter->wait);
        request_done(&waiter->request);
        outcome_done(&waiter->last);
        free(waiter);
}

static void end(Waiter *waiter, Outcome *outcome) {
        if (waiter->ended)
                return;
        waiter->ended = true;
        stop_sources(waiter);
        wait_end(&waiter->wait);
        ask_update_leases(waiter->broker);
        outcome->duration_usec = clock_now(CLOCK_MONOTONIC) - waiter->started_usec;
        waiter->done(waiter->userdata, outcome);
        if (waiter->errand == ERRAND_NONE)
                waiter_free(waiter);
}

static void end_with(Waiter *waiter, RefusalKind kind, const char *sentence) {
        (void)refuse(&waiter->last.refusal, kind, "%s", sentence);
        end(waiter, &waiter->last);
}

/* The refusal of the last try, and who was found to hold the groups. */
static void end_held(Waiter *waiter) {
        _cleanup_free_ char *holders = holders_describe(&waiter->last.results.holds, NULL);
        _cleanup_free_ char *sentence = NULL;
        Refusal *refusal = &waiter->last.refusal;
        bool stuck = refusal->kind == REFUSAL_STUCK;

        sentence = string_format(
                "%s%s%s%s", waiter->expired && !stuck ? "not given back in time: " : "",
                string_or_empty(refusal->sentence), string_is_empty(holders) ? "" : "; held by ",
                string_or_empty(holders));
        end_with(waiter, waiter->expired && !stuck ? REFUSAL_STILL_HELD : refusal->kind,
                 sentence ?: REFUSAL_NO_MEMORY);
}

/* That it may be otherwise later, without anything being done about it here. */
static bool is_worth_waiting(const Outcome *outcome) {
        switch (outcome->refusal.kind) {
        case REFUSAL_LEASED:
        case REFUSAL_BUSY:
        case REFUSAL_HELD_OUTSIDE:
        case REFUSAL_IN_USE:
        case REFUSAL_STUCK:
                return true;
        default:
                return false;
        }
}

static void schedule(Waiter *waiter, sd_event_source **source, uint64_t usec,
                     sd_event_time_handler_t handler) {
        *source = sd_event_source_disable_unref(*source);
        (void)sd_event_add_time_relative(waiter->broker->event, source, CLOCK_MONOTONIC, usec, 0,
                                         handler, waiter);
}

static int on_look_again(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        look_now(userdata);
        return 0;
}

static void look_later(Waiter *waiter) {
        waiter->look_usec = clock_back_off(waiter->look_usec, LOOK_FIRST_USEC, LOOK_LAST_USEC);
        schedule(waiter, &waiter->look_again, waiter->look_usec, on_look_again);
}

static void on_holder_ended(void *userdata) {
        Waiter *waiter = userdata;

        schedule(waiter, &waiter->look_again, LOOK_AFTER_END_USEC, on_look_again);
}

/* A try may succeed, as far as can be told. */
static bool is_ready(const Waiter *waiter, const Holds *holds) {
        return wait_is_ready(&waiter->wait, &waiter->broker->world.leases, holds);
}

static void on_look(void *userdata, Outcome *outcome) {
        Waiter *waiter = userdata;

        waiter->errand = ERRAND_NONE;
        if (waiter->ended) {
                waiter_free(waiter);
                return;
        }
        /* A look that failed has not shown that nobody is there. */
        if (outcome_is_success(outcome)) {
                holds_done(&waiter->last.results.holds);
                waiter->last.results.holds = outcome->results.holds;
                outcome->results.holds = (Holds)HOLDS_NULL;
        }
        if (!waiter->wait.groups || (waiter->expired && waiter->request.policy == POLICY_WAIT)) {
                end_held(waiter);
                return;
        }
        if (!waiter->looked)
                ask(waiter);
        wait_see(&waiter->wait, &waiter->last.results.holds);
        waiter->looked = true;
        holder_watch_set(&waiter->watch, waiter->broker->event, &waiter->last.results.holds,
                         on_holder_ended, waiter);
        if (waiter->poked || waiter->expired || is_ready(waiter, &waiter->last.results.holds))
                try_now(waiter);
        else
                look_later(waiter);
}

static void look_at(Waiter *waiter, const uint32_t *groups, size_t n) {
        waiter->look_again = sd_event_source_disable_unref(waiter->look_again);
        waiter->errand = ERRAND_LOOK;
        look_for_holders(waiter->broker, groups, n, on_look, waiter);
}

/* The groups that the request means now; NULL when it does not mean any more what it did. */
static uint32_t *groups_of(const Waiter *waiter, size_t *ret_n) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (select_targets(&waiter->broker->world.topology, &waiter->request, &selection, &refusal))
                return NULL;
        return selection_groups(&selection, ret_n);
}

static void look_now(Waiter *waiter) {
        _cleanup_free_ uint32_t *groups = NULL;
        size_t n = 0;

        if (waiter->ended || waiter->errand != ERRAND_NONE)
                return;
        groups = groups_of(waiter, &n);
        if (groups)
                look_at(waiter, groups, n);
        else
                try_now(waiter); /* it says what is wrong now */
}

static int on_ask_again(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Waiter *waiter = userdata;
        _cleanup_free_ uint32_t *groups = NULL;
        size_t n = 0;

        groups = groups_of(waiter, &n);
        if (groups)
                ask_by_interrupt(waiter->broker, groups, n);
        schedule(waiter, &waiter->ask_again, ASK_AGAIN_USEC, on_ask_again);
        return 0;
}

static void ask(Waiter *waiter) {
        _cleanup_free_ uint32_t *groups = NULL;
        _cleanup_free_ char *targets = request_targets_text(&waiter->request);
        _cleanup_free_ char *reason =
                string_format("uid %u asks for %s back, to unbind it", waiter->request.caller.uid,
                              string_or_empty(targets));
        size_t n = 0;

        ask_update_leases(waiter->broker);
        groups = groups_of(waiter, &n);
        ask_for_groups(waiter->broker, groups, n, string_or_empty(reason));
        schedule(waiter, &waiter->ask_again, ASK_AGAIN_USEC, on_ask_again);
}

static int on_deadline(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Waiter *waiter = userdata;

        waiter->deadline = sd_event_source_disable_unref(waiter->deadline);
        waiter->expired = true;
        if (waiter->errand != ERRAND_NONE)
                return 0;
        if (waiter->request.policy == POLICY_REVOKE)
                try_now(waiter);
        else
                look_now(waiter);
        return 0;
}

static bool has_deadline(const Waiter *waiter, uint64_t *ret_usec) {
        const Request *request = &waiter->request;

        *ret_usec = (request->has_timeout ? request->timeout_ms
                                          : waiter->broker->world.config.revoke_timeout_ms) *
                    1000;
        return request->has_timeout || request->policy == POLICY_REVOKE;
}

/* The key of the limit that another wait would be above; NULL for none. */
static const char *find_limit(const World *world, uid_t uid) {
        if (wait_count(&world->waits) >= world->config.limit_waits)
                return "limits.waits";
        if (uid != 0 && wait_count_uid(&world->waits, uid) >= world->config.limit_waits_per_uid)
                return "limits.waits_per_uid";
        return NULL;
}

static void begin(Waiter *waiter) {
        Broker *broker = waiter->broker;
        const char *limit = find_limit(&broker->world, waiter->request.caller.uid);
        _cleanup_free_ uint32_t *groups = NULL;
        uint64_t usec, deadline = 0;
        size_t n = 0;

        if (limit) {
                (void)refuse(&waiter->last.refusal, REFUSAL_LIMIT_EXCEEDED,
                             "as many unbinds wait as may (%s); try again", limit);
                end(waiter, &waiter->last);
                return;
        }
        if (has_deadline(waiter, &usec))
                deadline = clock_now(CLOCK_REALTIME) + usec;
        groups = groups_of(waiter, &n);
        if (!groups) {
                try_now(waiter); /* it says what is wrong now */
                return;
        }
        if (wait_begin(&broker->world.waits, &waiter->wait, waiter->request.caller.uid, deadline,
                       groups, n) < 0) {
                end_with(waiter, REFUSAL_LIMIT_EXCEEDED, REFUSAL_NO_MEMORY);
                return;
        }
        if (deadline)
                schedule(waiter, &waiter->deadline, usec, on_deadline);
        look_now(waiter);
}

/* Nobody is to be seen who could be made to let go: the lease ends, so that all know, and drains.
 */
static void give_up_leases(Waiter *waiter) {
        Broker *broker = waiter->broker;

        for (size_t i = 0; i < waiter->wait.n_groups; i++) {
                Lease *lease = lease_table_find_group(&broker->world.leases,
                                                      waiter->wait.groups[i].number);
                bool whole = lease && lease_is_live(lease);

                for (size_t j = 0; whole && j < lease->n_groups; j++)
                        whole = wait_has_group(&waiter->wait, lease->groups[j]);
                if (!whole)
                        continue;
                release_set_stuck(broker, lease);
                release_begin(broker, lease, LEASE_EVENT_GIVEN_BACK);
        }
}

/* What comes of a try that did not succeed. */
static void go_on(Waiter *waiter) {
        bool was_due = waiter->request.due;

        if (waiter->called_off)
                end_with(waiter, REFUSAL_CALLED_OFF, "the caller has left");
        else if (waiter->request.policy == POLICY_FAIL)
                waiter->last.refusal.kind == REFUSAL_BUSY ? end(waiter, &waiter->last)
                                                          : look_now(waiter);
        else if (!waiter->wait.groups)
                begin(waiter);
        else if (was_due && waiter->last.refusal.kind != REFUSAL_BUSY) {
                if (waiter->last.refusal.kind == REFUSAL_STUCK)
                        give_up_leases(waiter);
                end(waiter, &waiter->last);
        } else if (waiter->poked ||
                   (waiter->expired && waiter->request.policy == POLICY_REVOKE && !was_due))
                try_now(waiter);
        else if (waiter->expired && waiter->request.policy == POLICY_WAIT)
                look_now(waiter);
        else
                look_later(waiter);
}

static void on_try(void *userdata, Outcome *outcome) {
        Waiter *waiter = userdata;
        Holds holds = waiter->last.results.holds;

        waiter->errand = ERRAND_NONE;
        if (outcome_is_success(outcome) || !is_worth_waiting(outcome)) {
                end(waiter, outcome);
                return;
        }
        /* The holders stay known: deciding did not look for them. */
        waiter->last.results.holds = (Holds)HOLDS_NULL;
        outcome_done(&waiter->last);
        waiter->last = *outcome;
        *outcome = (Outcome)OUTCOME_NULL;
        if (waiter->last.results.holds.n_holds == 0)
                waiter->last.results.holds = holds;
        else
                holds_done(&holds);
        go_on(waiter);
}

/* Who tries again was allowed to unbind what the groups were when he began. */
static bool is_forbidden_now(Waiter *waiter) {
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;
        bool first = waiter->last.refusal.kind == REFUSAL_NONE;

        if (first || !waiter->confirm(waiter->userdata, &outcome.refusal))
                return false;
        end(waiter, &outcome);
        return true;
}

static void try_now(Waiter *waiter) {
        if (waiter->ended || waiter->errand != ERRAND_NONE || is_forbidden_now(waiter))
                return;
        waiter->look_again = sd_event_source_disable_unref(waiter->look_again);
        waiter->errand = ERRAND_TRY;
        waiter->poked = false;
        waiter->request.due = waiter->expired && waiter->request.policy == POLICY_REVOKE;
        job_run(waiter->broker, &job_class_unbind, &waiter->request, on_try, waiter);
}

static int on_kick(sd_event_source *source _unused_, void *userdata) {
        Waiter *waiter = userdata;

        waiter->kick = sd_event_source_disable_unref(waiter->kick);
        /* Who held it may hold it no more: what the last look has shown does not count. */
        if (is_ready(waiter, NULL))
                try_now(waiter);
        return 0;
}

static void poke(Waiter *waiter) {
        waiter->poked = true;
        if (waiter->ended || !waiter->wait.groups || waiter->kick)
                return;
        (void)sd_event_add_defer(waiter->broker->event, &waiter->kick, on_kick, waiter);
}

void wait_poke(Broker *broker) {
        list_for_each(link, &broker->waiters)
                poke(waiter_of(link));
}

void wait_poke_busy(Broker *broker) {
        list_for_each(link, &broker->waiters)
                if (waiter_of(link)->last.refusal.kind == REFUSAL_BUSY)
                        poke(waiter_of(link));
}

void wait_cancel(Broker *broker, const void *userdata) {
        list_for_each_safe(link, &broker->waiters) {
                Waiter *waiter = waiter_of(link);

                if (waiter->userdata != userdata || waiter->ended)
                        continue;
                waiter->called_off = true;
                if (waiter->errand != ERRAND_TRY)
                        end_with(waiter, REFUSAL_CALLED_OFF, "the caller has left");
                return;
        }
}

void wait_stop(Broker *broker) {
        list_for_each_safe(link, &broker->waiters) {
                Waiter *waiter = waiter_of(link);

                waiter->called_off = true;
                if (waiter->errand != ERRAND_TRY && !waiter->ended)
                        end_with(waiter, REFUSAL_BUSY, "vfiod is stopping; try again");
        }
}

void wait_run(Broker *broker, const Request *request, BrokerConfirm confirm, BrokerDone done,
              void *userdata) {
        Waiter *waiter = calloc(1, sizeof(Waiter));

        if (!waiter || request_copy(request, &waiter->request) < 0) {
                free(waiter);
                broker_end_without_memory(done, userdata);
                return;
        }
        waiter->broker = broker;
        waiter->confirm = confirm;
        waiter->done = done;
        waiter->userdata = userdata;
        waiter->last = (Outcome)OUTCOME_NULL;
        waiter->started_usec = clock_now(CLOCK_MONOTONIC);
        list_insert(&broker->waiters, &waiter->link);
        try_now(waiter);
}
