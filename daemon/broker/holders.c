/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ListHolders: who has a file of the targets of a request. */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/look.h"
#include "daemon/util/string.h"

typedef struct Question {
        Broker *broker;
        Request request;
        BrokerDone done;
        void *userdata;
} Question;

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

static void drop_others(const Request *request, Holds *holds) {
        size_t n = 0;

        for (size_t i = 0; i < holds->n_holds; i++)
                if (is_meant(request, &holds->holds[i]))
                        holds->holds[n++] = holds->holds[i];
        holds->n_holds = n;
}

static void on_look(void *userdata, Outcome *outcome) {
        Question *question = userdata;

        drop_others(&question->request, &outcome->results.holds);
        question->done(question->userdata, outcome);
        request_done(&question->request);
        free(question);
}

static void look(Question *question, const Selection *selection) {
        size_t n;
        _cleanup_free_ uint32_t *groups = selection_groups(selection, &n);

        look_for_holders(question->broker, groups, n, on_look, question);
}

void broker_find_holders(Broker *broker, const Request *request, BrokerDone done, void *userdata) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;
        Question *question;

        broker_refresh(broker, request);
        if (select_targets(&broker->world.topology, request, &selection, &outcome.refusal)) {
                done(userdata, &outcome);
                return;
        }
        question = calloc(1, sizeof(Question));
        if (!question || request_copy(request, &question->request) < 0) {
                free(question);
                broker_end_without_memory(done, userdata);
                return;
        }
        question->broker = broker;
        question->done = done;
        question->userdata = userdata;
        look(question, &selection);
}
