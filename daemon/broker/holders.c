/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ListHolders: who has a file of the targets of a request. */

#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/errand-line.h"
#include "daemon/broker/look.h"
#include "daemon/util/string.h"

static bool is_meant(const Request *request, const Hold *hold) {
        bool group_named = false, device_named = false, named = false;

        for (size_t i = 0; i < request->n_targets; i++) {
                const Target *target = &request->targets[i];

                if (target->kind == TARGET_GROUP)
                        group_named = group_named || target->group == hold->group;
                else {
                        device_named = true;
                        named = named || strcmp(target->device, hold->device) == 0;
                }
        }
        return group_named || !device_named || named || string_is_empty(hold->device);
}

/*
 * Of a process. What it has that is not told of may be of any device: a process with nothing else
 * is one that is not told of.
 */
static size_t drop_others_of(const Request *request, Holds *holds, size_t begin, size_t end,
                             size_t at) {
        uint32_t n_more = holds_more_files(holds, begin, end);
        size_t first = at;

        for (size_t i = begin; i < end; i++)
                if (is_meant(request, &holds->holds[i])) {
                        holds->holds[at] = holds->holds[i];
                        holds->holds[at++].n_more = 0;
                }
        if (at > first)
                holds->holds[first].n_more = n_more;
        else if (n_more > 0)
                holds->n_more++;
        return at;
}

static void drop_others(const Request *request, Holds *holds) {
        size_t n = 0;

        for (size_t i = 0, end; i < holds->n_holds; i = end) {
                end = holds_next_process(holds, i);
                n = drop_others_of(request, holds, i, end, n);
        }
        holds->n_holds = n;
}

static void judge(const Request *request, Results *results) {
        drop_others(request, &results->holds);
}

void broker_find_holders(Broker *broker, const Request *request, BrokerDone done, void *userdata) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;
        _cleanup_free_ uint32_t *groups = NULL;
        _cleanup_plan_ Plan plan = PLAN_NULL;
        size_t n = 0;

        broker_refresh(broker, request);
        if (select_targets(&broker->world.topology, request, &selection, &outcome.refusal)) {
                done(userdata, &outcome);
                return;
        }
        groups = selection_groups(&selection, &n);
        if (!groups || plan_look(&plan, groups, n) < 0)
                broker_end_without_memory(done, userdata);
        else
                errand_line_join(broker, request, &plan, judge, done, userdata);
}
