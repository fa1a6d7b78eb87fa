/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An Unbind under way, for the files of it. Not for other files.
 *   wait.c       its life: tries and what comes of them, the deadline, the end
 *   wait-look.c  looking who holds the groups, and what comes of that
 *   wait-ask.c   when the owners of the leases are asked
 */

#include "daemon/broker/broker-private.h"
#include "daemon/broker/holder-watch.h"

/* It comes back to the waiter, which is not freed before. */
typedef enum UnderWay {
        UNDER_WAY_NOTHING,
        UNDER_WAY_TRY,
        UNDER_WAY_LOOK,
} UnderWay;

struct Waiter {
        Broker *broker;
        Request request;
        BrokerConfirm confirm;
        BrokerDone done;
        void *userdata;
        Wait wait;          /* begun once somebody was found to hold a group */
        UnderWay under_way; /* one at a time */
        bool ended;         /* `done` was called */
        bool called_off;
        bool expired;          /* the deadline has passed */
        bool poked;            /* a group may have come free since the last try began */
        Outcome last;          /* of the last try, and whom the last look has found */
        uint64_t started_usec; /* CLOCK_MONOTONIC */
        sd_event_source *kick;
        sd_event_source *deadline;
        List link; /* Broker.waiters */

        /* wait-look.c */
        bool looked; /* since the wait began */
        HolderWatch watch;
        uint64_t look_usec;
        sd_event_source *look_again; /* a try takes its place */

        /* wait-ask.c */
        sd_event_source *ask_again;
};

/* Both do nothing while something is under way, or after the end. They may be the end, and free the
 * waiter. */
void waiter_try(Waiter *waiter);
void waiter_look(Waiter *waiter);

/* After a pause, each time a longer one, unless there is a try or a look before. */
void waiter_look_later(Waiter *waiter);

/* Once, after the first look of the wait; it asks again by itself. */
void waiter_ask(Waiter *waiter);

/* It ends with this refusal, and is freed unless something is under way. */
void waiter_end_with(Waiter *waiter, RefusalKind kind, const char *sentence);

/* The groups that the request means now; NULL when it does not mean any more what it did. */
uint32_t *waiter_groups(const Waiter *waiter, size_t *ret_n);

/* Instead of what `*source` was before. The handler gets the waiter as userdata. */
void waiter_schedule(Waiter *waiter, sd_event_source **source, uint64_t usec,
                     sd_event_time_handler_t handler);
