/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/keep.h"

#include <stdlib.h>

#include "daemon/broker/kept-name.h"
#include "daemon/broker/recover-plan.h"
#include "daemon/core/state.h"
#include "daemon/persist/state-file.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

/* A machine whose state cannot be written is not idle. */
#define RETRY_FIRST_USEC (1000 * 1000ULL)
#define RETRY_LAST_USEC (60 * 1000 * 1000ULL)

/* Puts the file into the store, unless it is there; `names` are of those that are there then. */
static void keep_file(Holding *holding, const Handle *handle, char ***names) {
        _cleanup_free_ char *name = kept_name_format(holding->lease, handle);
        bool known = name && strv_contains(holding->kept, name);

        if (!name || (!known && fd_store_put(name, handle->fd) < 0))
                return;
        if (!known)
                (void)strv_push(&holding->kept, name);
        (void)strv_push(names, name);
}

/* Allocated: what of the holding is in the store. */
static char **keep_files(Holding *holding) {
        char **names = NULL;

        if (holding->pipe >= 0)
                keep_file(holding, &(Handle){.kind = HANDLE_LEASE, .fd = holding->pipe}, &names);
        for (size_t i = 0; i < holding->files.n_handles; i++)
                keep_file(holding, &holding->files.handles[i], &names);
        return names;
}

/* What is in the store becomes what the holding has. */
static void drop_files(Broker *broker, Holding *holding) {
        char **names = keep_files(holding);

        for (char **name = holding->kept; name && *name; name++)
                if (!strv_contains(names, *name)) {
                        (void)fd_store_remove(*name);
                        broker->keep.removed = true;
                }
        strv_free(holding->kept);
        holding->kept = names;
}

void keep_forget(Broker *broker, Holding *holding) {
        for (char **name = holding->kept; name && *name; name++) {
                (void)fd_store_remove(*name);
                broker->keep.removed = true;
        }
        holding->kept = strv_free(holding->kept);
}

static int on_retry(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Broker *broker = userdata;

        broker->keep.retry = sd_event_source_disable_unref(broker->keep.retry);
        keep_now(broker);
        return 0;
}

/* A disk that was full tells nobody when it has room again. */
static void retry_later(Broker *broker) {
        broker->keep.retry_usec =
                clock_back_off(broker->keep.retry_usec, RETRY_FIRST_USEC, RETRY_LAST_USEC);
        (void)sd_event_add_time_relative(broker->event, &broker->keep.retry, CLOCK_MONOTONIC,
                                         broker->keep.retry_usec, 0, on_retry, broker);
}

/* Said when it begins and when it is over, not each time. */
static void report(Broker *broker, int r) {
        if (r < 0 && !broker->keep.retry)
                retry_later(broker);
        if (r >= 0)
                broker->keep.retry_usec = 0;
        if (r == broker->keep.error)
                return;
        broker->keep.error = r;
        broker_emit_state(broker, r);
}

/* The plan stays the job's. */
static StatePlan begun_by(const Job *job) {
        return (StatePlan){
                .operation = job->request.operation,
                .uid = job->request.caller.uid,
                .lease = job->request.lease,
                .groups = job->activity.groups,
                .n_groups = job->activity.n_groups,
                .plan = job->plan,
        };
}

/* Only the array is to be freed. */
static StatePlan *collect_plans(const Broker *broker, size_t *ret_n) {
        StatePlan *plans;
        size_t n = 0;

        list_for_each(link, &broker->begun)
                n++;
        list_for_each(link, &broker->jobs)
                n++;
        plans = calloc(n + 1, sizeof(StatePlan));
        *ret_n = 0;
        if (!plans)
                return NULL;
        list_for_each(link, &broker->begun)
                plans[(*ret_n)++] = container_of(link, Begun, link)->plan;
        list_for_each(link, &broker->jobs) {
                const Job *job = container_of(link, Job, link);

                if (job->begun)
                        plans[(*ret_n)++] = begun_by(job);
        }
        return plans;
}

static void keep_state(Broker *broker) {
        _cleanup_free_ StatePlan *plans = NULL;
        _cleanup_free_ char *text = NULL;
        size_t n;
        int r;

        if (broker->keep.directory < 0)
                return;
        plans = collect_plans(broker, &n);
        text = plans ? state_write(&broker->world, plans, n) : NULL;
        if (text && string_equal(text, broker->keep.written))
                return;
        r = text ? state_file_write(broker->keep.directory, KEEP_STATE_FILE, text) : -ENOMEM;
        if (r >= 0) {
                free(broker->keep.written);
                broker->keep.written = TAKE_PTR(text);
        }
        report(broker, r);
}

/* In this order: a lease that is written down has its files in the store, at each moment. */
void keep_now(Broker *broker) {
        bool store = fd_store_is_there();

        broker->keep.due = false;
        if (store)
                list_for_each(link, &broker->holdings)
                        strv_free(keep_files(container_of(link, Holding, link)));
        keep_state(broker);
        if (store)
                list_for_each(link, &broker->holdings)
                        drop_files(broker, container_of(link, Holding, link));
}

void keep_soon(Broker *broker) {
        broker->keep.due = true;
}

void keep_wait(Broker *broker, FdStoreReached then, void *userdata, FdStoreBarrier **ret_wait) {
        *ret_wait = NULL;
        if (broker->keep.removed) {
                broker->keep.removed = false;
                if (fd_store_barrier(broker->event, then, userdata, ret_wait) >= 0)
                        return;
        }
        then(userdata);
}

static int on_turn(sd_event_source *source _unused_, void *userdata) {
        Broker *broker = userdata;

        if (broker->keep.due)
                keep_now(broker);
        return 0;
}

int keep_start(Broker *broker) {
        return sd_event_add_post(broker->event, &broker->keep.turn, on_turn, broker);
}

/* What is in the store and in the file is for the next one. What could not be written so far is
 * tried a last time. */
void keep_stop(Broker *broker) {
        if (broker->keep.error < 0)
                keep_state(broker);
        sd_event_source_disable_unref(broker->keep.retry);
        sd_event_source_disable_unref(broker->keep.turn);
        broker->keep.directory = fd_close(broker->keep.directory);
        free(broker->keep.written);
}
