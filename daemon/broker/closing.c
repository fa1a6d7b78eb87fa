/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/closing.h"

#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/core/stuck.h"
#include "daemon/util/clock.h"

/*
 * That nobody is seen to have a group that is not free yet is what closing looks like, and a reset
 * may take a second. It goes on until somebody is seen or the lease is stuck (release.c); on a busy
 * machine it may be long until anybody has looked.
 */
#define LOOK_MS 100
#define UNSEEN_MS 20000

typedef struct Delayed {
        Broker *broker;
        Request request;
        BrokerConfirm confirm;
        BrokerDone done;
        void *userdata;
        sd_event_source *timer;
        List link; /* Broker.delayed */
} Delayed;

static void delayed_free(Delayed *delayed) {
        sd_event_source_disable_unref(delayed->timer);
        list_remove(&delayed->link);
        request_done(&delayed->request);
        free(delayed);
}

/* When the group's lease is not taken to be closing any more (CLOCK_MONOTONIC); 0: it is not. */
static uint64_t group_closes_until(const Broker *broker, uint32_t group, uint64_t now) {
        const Lease *lease = lease_table_find_group(&broker->world.leases, group);
        const Holding *holding = lease ? broker_find_holding(broker, lease->id) : NULL;
        uint64_t until, look = now + LOOK_MS * 1000ULL;

        if (!holding || holding->ended_usec == 0 || lease->stuck)
                return 0;
        until = holding->seen ? holding->ended_usec + CLOSING_MS * 1000ULL
                              : holding->unseen_usec + UNSEEN_MS * 1000ULL;
        if (!holding->seen && look < until)
                until = look;
        return until > now ? until : 0;
}

/* It does not get the group when that is free: somebody waits for it already, or a step is stuck.
 */
static bool waits_in_vain(const World *world, const Request *request, const Group *group) {
        if (stuck_reason(world, group->facts.number))
                return true;
        return request->operation != OPERATION_UNBIND &&
               wait_find_group(&world->waits, group->facts.number);
}

static uint64_t closes_until(const Broker *broker, const Request *request) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        uint64_t now = clock_now(CLOCK_MONOTONIC), latest = 0;

        if (select_targets(&broker->world.topology, request, &selection, &refusal))
                return 0;
        for (size_t i = 0; i < selection.n_groups; i++) {
                const Group *group = selection.groups[i];
                uint64_t until = group_closes_until(broker, group->facts.number, now);

                if (until > 0 && waits_in_vain(&broker->world, request, group))
                        return 0;
                latest = until > latest ? until : latest;
        }
        return latest;
}

static void go_on(Delayed *delayed) {
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;

        if (delayed->confirm(delayed->userdata, &outcome.refusal))
                delayed->done(delayed->userdata, &outcome);
        else
                broker_begin(delayed->broker, &delayed->request, delayed->confirm, delayed->done,
                             delayed->userdata);
        delayed_free(delayed);
}

static int on_time(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        Delayed *delayed = userdata;
        uint64_t until = closes_until(delayed->broker, &delayed->request);

        if (until > 0 && sd_event_source_set_time(source, until) >= 0)
                return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        go_on(delayed);
        return 0;
}

static bool wants_groups(const Request *request) {
        switch (request->operation) {
        case OPERATION_BIND:
        case OPERATION_ACQUIRE:
        case OPERATION_ADD:
        case OPERATION_RESET:
        case OPERATION_SET_VFS:
        case OPERATION_REMOVE_MDEV:
                return true;
        case OPERATION_UNBIND:
                return request->policy == POLICY_FAIL;
        default:
                return false;
        }
}

bool closing_delay(Broker *broker, const Request *request, BrokerConfirm confirm, BrokerDone done,
                   void *userdata) {
        uint64_t until = wants_groups(request) ? closes_until(broker, request) : 0;
        Delayed *delayed;

        if (until == 0)
                return false;
        delayed = calloc(1, sizeof(Delayed));
        if (!delayed || request_copy(request, &delayed->request) < 0) {
                free(delayed);
                return false;
        }
        delayed->broker = broker;
        delayed->confirm = confirm;
        delayed->done = done;
        delayed->userdata = userdata;
        list_insert(&broker->delayed, &delayed->link);
        if (sd_event_add_time(broker->event, &delayed->timer, CLOCK_MONOTONIC, until, 0, on_time,
                              delayed) >= 0)
                return true;
        delayed_free(delayed);
        return false;
}

void closing_poke(Broker *broker) {
        list_for_each(link, &broker->delayed)
                (void)sd_event_source_set_time(container_of(link, Delayed, link)->timer, 0);
}

void closing_cancel(Broker *broker, const void *userdata) {
        list_for_each_safe(link, &broker->delayed) {
                Delayed *delayed = container_of(link, Delayed, link);
                _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;

                if (delayed->userdata != userdata)
                        continue;
                (void)refuse(&outcome.refusal, REFUSAL_CALLED_OFF, "the caller has left");
                delayed->done(delayed->userdata, &outcome);
                delayed_free(delayed);
                return;
        }
}

void closing_forget(Broker *broker) {
        list_for_each_safe(link, &broker->delayed)
                delayed_free(container_of(link, Delayed, link));
}
