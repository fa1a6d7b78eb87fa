/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who holds the groups of an Unbind, and what comes of a look: a refusal that names them, asking
 * them, a try when they seem to have let go, or another look later. That is when one of those found
 * has ended, and every now and then, since a process that lets go need not end.
 */

#include "daemon/broker/look.h"
#include "daemon/broker/wait-private.h"
#include "daemon/core/holder-text.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

#define LOOK_FIRST_USEC (100 * 1000ULL)
#define LOOK_LAST_USEC (1000 * 1000ULL)

/* After a holder has ended its lease usually does too, which is better than looking. */
#define LOOK_AFTER_END_USEC (30 * 1000ULL)

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
        waiter_end_with(waiter, waiter->expired && !stuck ? REFUSAL_STILL_HELD : refusal->kind,
                        sentence ?: REFUSAL_NO_MEMORY);
}

static int on_look_again(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        waiter_look(userdata);
        return 0;
}

void waiter_look_later(Waiter *waiter) {
        waiter->look_usec = clock_back_off(waiter->look_usec, LOOK_FIRST_USEC, LOOK_LAST_USEC);
        waiter_schedule(waiter, &waiter->look_again, waiter->look_usec, on_look_again);
}

static void on_holder_ended(void *userdata) {
        Waiter *waiter = userdata;

        waiter_schedule(waiter, &waiter->look_again, LOOK_AFTER_END_USEC, on_look_again);
}

/* A try may succeed, as far as can be told. */
static bool is_ready(const Waiter *waiter) {
        return wait_is_ready(&waiter->wait, &waiter->broker->world.leases,
                             &waiter->last.results.holds);
}

static void on_look(void *userdata, Outcome *outcome) {
        Waiter *waiter = userdata;

        waiter->under_way = UNDER_WAY_NOTHING;
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
                waiter_ask(waiter);
        wait_see(&waiter->wait, &waiter->last.results.holds);
        waiter->looked = true;
        holder_watch_set(&waiter->watch, waiter->broker->event, &waiter->last.results.holds,
                         on_holder_ended, waiter);
        if (waiter->poked || waiter->expired || is_ready(waiter))
                waiter_try(waiter);
        else
                waiter_look_later(waiter);
}

static void look_at(Waiter *waiter, const uint32_t *groups, size_t n) {
        waiter->look_again = sd_event_source_disable_unref(waiter->look_again);
        waiter->under_way = UNDER_WAY_LOOK;
        look_for_holders(waiter->broker, groups, n, on_look, waiter);
}

void waiter_look(Waiter *waiter) {
        _cleanup_free_ uint32_t *groups = NULL;
        size_t n = 0;

        if (waiter->ended || waiter->under_way != UNDER_WAY_NOTHING)
                return;
        groups = waiter_groups(waiter, &n);
        if (groups)
                look_at(waiter, groups, n);
        else
                waiter_try(waiter); /* it says what is wrong now */
}
