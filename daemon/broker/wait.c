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
 *
 * Here are the tries, the begin of the wait, its deadline and the end. Looking is wait-look.c's,
 * asking wait-ask.c's.
 */

#include "daemon/broker/wait.h"

#include <stdlib.h>

#include "daemon/broker/ask.h"
#include "daemon/broker/wait-private.h"
#include "daemon/util/clock.h"

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
        if (waiter->under_way == UNDER_WAY_NOTHING)
                waiter_free(waiter);
}

void waiter_end_with(Waiter *waiter, RefusalKind kind, const char *sentence) {
        (void)refuse(&waiter->last.refusal, kind, "%s", sentence);
        end(waiter, &waiter->last);
}

void waiter_schedule(Waiter *waiter, sd_event_source **source, uint64_t usec,
                     sd_event_time_handler_t handler) {
        *source = sd_event_source_disable_unref(*source);
        (void)sd_event_add_time_relative(waiter->broker->event, source, CLOCK_MONOTONIC, usec, 0,
                                         handler, waiter);
}

uint32_t *waiter_groups(const Waiter *waiter, size_t *ret_n) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (select_targets(&waiter->broker->world.topology, &waiter->request, &selection, &refusal))
                return NULL;
        return selection_groups(&selection, ret_n);
}

static int on_deadline(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Waiter *waiter = userdata;

        waiter->deadline = sd_event_source_disable_unref(waiter->deadline);
        waiter->expired = true;
        if (waiter->under_way != UNDER_WAY_NOTHING)
                return 0;
        if (waiter->request.policy == POLICY_REVOKE)
                waiter_try(waiter);
        else
                waiter_look(waiter);
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
        groups = waiter_groups(waiter, &n);
        if (!groups) {
                waiter_try(waiter); /* it says what is wrong now */
                return;
        }
        if (wait_begin(&broker->world.waits, &waiter->wait, waiter->request.caller.uid, deadline,
                       groups, n) < 0) {
                waiter_end_with(waiter, REFUSAL_LIMIT_EXCEEDED, REFUSAL_NO_MEMORY);
                return;
        }
        if (deadline)
                waiter_schedule(waiter, &waiter->deadline, usec, on_deadline);
        waiter_look(waiter);
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
                waiter_end_with(waiter, REFUSAL_CALLED_OFF, "the caller has left");
        else if (waiter->request.policy == POLICY_FAIL)
                waiter->last.refusal.kind == REFUSAL_BUSY ? end(waiter, &waiter->last)
                                                          : waiter_look(waiter);
        else if (!waiter->wait.groups)
                begin(waiter);
        else if (was_due && waiter->last.refusal.kind != REFUSAL_BUSY) {
                if (waiter->last.refusal.kind == REFUSAL_STUCK)
                        give_up_leases(waiter);
                end(waiter, &waiter->last);
        } else if (waiter->poked ||
                   (waiter->expired && waiter->request.policy == POLICY_REVOKE && !was_due))
                waiter_try(waiter);
        else if (waiter->expired && waiter->request.policy == POLICY_WAIT)
                waiter_look(waiter);
        else
                waiter_look_later(waiter);
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

static void on_try(void *userdata, Outcome *outcome) {
        Waiter *waiter = userdata;
        Holds holds = waiter->last.results.holds;

        waiter->under_way = UNDER_WAY_NOTHING;
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

void waiter_try(Waiter *waiter) {
        if (waiter->ended || waiter->under_way != UNDER_WAY_NOTHING || is_forbidden_now(waiter))
                return;
        waiter->look_again = sd_event_source_disable_unref(waiter->look_again);
        waiter->under_way = UNDER_WAY_TRY;
        waiter->poked = false;
        waiter->request.due = waiter->expired && waiter->request.policy == POLICY_REVOKE;
        job_run(waiter->broker, &job_class_unbind, &waiter->request, on_try, waiter);
}

static int on_kick(sd_event_source *source _unused_, void *userdata) {
        Waiter *waiter = userdata;

        waiter->kick = sd_event_source_disable_unref(waiter->kick);
        /* Who held it may hold it no more: what the last look has shown does not count. */
        if (wait_is_ready(&waiter->wait, &waiter->broker->world.leases, NULL))
                waiter_try(waiter);
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
                if (waiter->under_way != UNDER_WAY_TRY)
                        waiter_end_with(waiter, REFUSAL_CALLED_OFF, "the caller has left");
                return;
        }
}

void wait_stop(Broker *broker) {
        list_for_each_safe(link, &broker->waiters) {
                Waiter *waiter = waiter_of(link);

                waiter->called_off = true;
                if (waiter->under_way != UNDER_WAY_TRY && !waiter->ended)
                        waiter_end_with(waiter, REFUSAL_BUSY, "vfiod is stopping; try again");
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
        waiter_try(waiter);
}
