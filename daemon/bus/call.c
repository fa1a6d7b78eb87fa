/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The way of a call:
 *   1. The method handler has read its arguments into a request (no state was looked at).
 *   2. caller.c says who sent it. The limit on calls of one uid is checked.
 *   3. authorise.c asks polkit. Nothing has been decided yet, so nobody learns more than sysfs
 * shows.
 *   4. The call runs: the broker decides on the facts of that moment and does it.
 *   5. The outcome is journaled and answered, once (call-reply.c).
 * While polkit is asked, the sender's leaving ends the call. Once the broker has it, it goes on,
 * unless it only waits for holders: what an Acquire then opens for nobody is given back because
 * nobody reads its lease_fd.
 */

#include "daemon/bus/call.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/bus/authorise-checks.h"
#include "daemon/bus/authorise.h"
#include "daemon/bus/caller.h"
#include "daemon/bus/limit.h"

void call_free(Call *call) {
        authorise_stop(call);
        call_unwatch_sender(call);
        list_remove(&call->delivery);
        list_remove(&call->link);
        if (call->connection)
                call->connection->n_calls--;
        sd_bus_slot_unref(call->question);
        sd_bus_message_unref(call->message);
        sd_bus_message_unref(call->reply);
        request_done(&call->request);
        authorise_checks_free(call);
        free(call);
}

static Call *find_of(const Bus *bus, const Connection *connection) {
        list_for_each(link, &bus->calls) {
                Call *call = container_of(link, Call, link);

                if (call->connection == connection)
                        return call;
        }
        return NULL;
}

/* One call's end may be that of others. */
void call_drop_connection(Bus *bus, const Connection *connection) {
        Call *call;

        while ((call = find_of(bus, connection))) {
                /* The broker will come back to a running call: it only loses its connection. */
                if (!call->running) {
                        call_free(call);
                        continue;
                }
                call_unwatch_sender(call);
                call->connection = NULL;
                call->message = sd_bus_message_unref(call->message);
                broker_cancel(bus->broker, call);
        }
}

void call_authorised(Call *call) {
        call->running = true;
        call->run(call);
}

static RefusalKind confirm(void *userdata, Refusal *refusal) {
        return authorise_confirm(userdata, refusal);
}

void call_run(Call *call, BrokerDone done) {
        broker_run(call->bus->broker, &call->request, confirm, done, call);
}

static void on_caller(void *userdata, const Caller *caller) {
        Call *call = userdata;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        call->question = sd_bus_slot_unref(call->question);
        if (!caller) {
                (void)refuse(&refusal, REFUSAL_NOT_AUTHORISED,
                             "the bus does not say who sent this call");
                call_reply_refusal(call, &refusal);
                return;
        }
        call->request.caller = *caller;
        if (limit_request(call, &refusal)) {
                call_reply_refusal(call, &refusal);
                return;
        }
        if (authorise_begin(call, &refusal))
                call_refuse(call, &refusal);
}

static int set_what_counts(sd_bus_message *kept, sd_bus_message *m) {
        const char *sender = sd_bus_message_get_sender(m);
        uint64_t cookie;
        int r = sd_bus_message_get_cookie(m, &cookie);

        if (r >= 0 && sender)
                r = sd_bus_message_set_sender(kept, sender);
        if (r >= 0)
                r = sd_bus_message_set_expect_reply(kept, sd_bus_message_get_expect_reply(m));
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(
                        kept, sd_bus_message_get_allow_interactive_authorization(m));
        return r < 0 ? r : sd_bus_message_seal(kept, cookie, 0);
}

/*
 * What is kept of a message while its call waits: what is needed to answer it, and no more. sd-bus
 * takes header fields that nobody knows, and bytes behind the last argument, of any size, and would
 * keep them too.
 */
static int keep_message(sd_bus_message *m, sd_bus_message **ret) {
        sd_bus_message *kept = NULL;
        int r = sd_bus_message_new_method_call(sd_bus_message_get_bus(m), &kept, NULL, "/", NULL,
                                               "Kept");

        if (r >= 0)
                r = set_what_counts(kept, m);
        if (r < 0)
                sd_bus_message_unref(kept);
        else
                *ret = kept;
        return r;
}

/* Limits of those that nobody knows yet, then the question who it is. */
static int find_sender(Call *call, sd_bus_message *m) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        sd_bus_slot *question;
        int r;

        if (!caller_is_known(call->connection, m) && limit_unknown(call, &refusal)) {
                call_reply_refusal(call, &refusal);
                return 1;
        }
        r = caller_find(call->connection, m, on_caller, call, &question);
        if (r < 0) {
                call_free(call);
                return r;
        }
        /* Without a question the call may have been answered, and freed. */
        if (question)
                call->question = question;
        return 1;
}

/* `m` and `request` are as they were where there is no memory. */
static Call *call_new(Bus *bus, sd_bus_message *m, CallPermission permission, CallRun run,
                      Request *request, bool dry_run) {
        Call *call = calloc(1, sizeof(Call));

        if (!call)
                return NULL;
        *call = (Call){
                .bus = bus,
                .connection = bus_connection_of(bus, sd_bus_message_get_bus(m)),
                .permission = permission,
                .run = run,
                .request = *request,
                .dry_run = dry_run,
        };
        *request = (Request){0};
        /* Nobody yet: the count of a uid's calls must not take it for root's. */
        call->request.caller.uid = (uid_t)-1;
        list_init(&call->delivery);
        list_insert(&bus->calls, &call->link);
        call->connection->n_calls++;
        return call;
}

int call_begin(Bus *bus, sd_bus_message *m, CallPermission permission, CallRun run,
               Request *request, bool dry_run) {
        Call *call = call_new(bus, m, permission, run, request, dry_run);
        int r;

        if (!call) {
                request_done(request);
                return -ENOMEM;
        }
        r = keep_message(m, &call->message);
        if (r >= 0 && !broker_is_stopping(bus->broker))
                return find_sender(call, m);
        call_free(call);
        return r < 0 ? r : 1;
}
