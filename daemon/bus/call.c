/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The way of a call:
 *   1. The method handler has read its arguments into a request (no state was looked at).
 *   2. caller.c says who sent it. The limit on calls of one uid is checked.
 *   3. authorise.c asks polkit. Nothing has been decided yet, so nobody learns more than sysfs
 * shows.
 *   4. The call runs: the broker decides on the facts of that moment and does it.
 *   5. The outcome is journaled and answered, once.
 * While polkit is asked, the sender's leaving ends the call. Once the broker has it, it goes on,
 * unless it only waits for holders: what an Acquire then opens for nobody is given back because
 * nobody reads its lease_fd.
 */

#include "daemon/bus/call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/bus/authorise-checks.h"
#include "daemon/bus/authorise.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/caller.h"
#include "daemon/bus/flow.h"
#include "daemon/bus/journal-rate.h"
#include "daemon/bus/journal.h"
#include "daemon/bus/limit.h"
#include "daemon/bus/reply-size.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

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

static void refuse_size(Call *call) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        (void)refuse(&refusal, REFUSAL_LIMIT_EXCEEDED,
                     "the answer has more than %" PRIu64 " bytes, which no message of vfiod's may "
                     "have; ask about fewer targets, or objects, at once",
                     call->bus->reply_bytes_max);
        call_reply_refusal(call, &refusal);
}

/* All else in an answer is bounded: what has files by what a message carries, holders by their
 * number, explanations and surveys by the targets. */
static bool may_be_too_large(const Call *call) {
        const World *world = broker_world(call->bus->broker);
        uint64_t objects = world->topology.n_devices + world->topology.n_groups +
                           lease_table_count(&world->leases);

        return call->n_files == 0 && objects * OBJECT_BYTES_MAX > call->bus->reply_bytes_max;
}

/* What is sealed, sd-bus sends as it is. */
static bool is_too_large(const Call *call, sd_bus_message *reply) {
        return may_be_too_large(call) && ((call->connection->is_peer &&
                                           sd_bus_message_set_sender(reply, VFIOD_BUS_NAME) < 0) ||
                                          !reply_fits(reply, call->bus->reply_bytes_max));
}

void call_reply(Call *call, sd_bus_message *reply) {
        if (call->connection && is_too_large(call, reply)) {
                refuse_size(call);
                return;
        }
        if (call->connection && call->n_files > 0) {
                flow_send(call, reply);
                return;
        }
        if (call->connection)
                (void)sd_bus_send(call->connection->sd, reply, NULL);
        call_free(call);
}

/* No sentence must keep its caller waiting: one that no message takes is left out. */
void call_reply_error(Call *call, const sd_bus_error *error) {
        const sd_bus_error bare = SD_BUS_ERROR_MAKE_CONST(
                error->name, "what is to be said of it is no text that a message can have");

        if (call->connection && sd_bus_reply_method_error(call->message, error) < 0)
                (void)sd_bus_reply_method_error(call->message, &bare);
        call_free(call);
}

/*
 * To a call that comes while vfiod stops nothing is said: the message bus tells its sender that we
 * have gone, and who asks again then is heard by the next vfiod.
 */
static bool is_for_the_next(const Call *call, const Refusal *refusal) {
        return refusal->kind == REFUSAL_BUSY && broker_is_stopping(call->bus->broker);
}

void call_reply_refusal(Call *call, const Refusal *refusal) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        if (is_for_the_next(call, refusal)) {
                call_free(call);
                return;
        }
        (void)bus_error_set_refusal(&error, refusal);
        call_reply_error(call, &error);
        sd_bus_error_free(&error);
}

void call_reply_errno(Call *call, int errnum) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        (void)sd_bus_error_set_errno(&error, errnum);
        call_reply_error(call, &error);
        sd_bus_error_free(&error);
}

void call_reply_with(Call *call, CallAnswer append) {
        sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(call->message, &reply);

        if (r >= 0)
                r = append(reply, call);
        if (r < 0)
                call_reply_errno(call, r);
        else
                call_reply(call, reply);
        sd_bus_message_unref(reply);
}

static void reply_failure(Call *call, const Outcome *outcome) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        (void)bus_error_set_outcome(&error, outcome);
        call_reply_error(call, &error);
        sd_bus_error_free(&error);
}

void call_reply_outcome(Call *call, Outcome *outcome) {
        sd_bus_message *reply = NULL;

        if (outcome->refusal.kind == REFUSAL_NONE ||
            journal_rate_allows(call->bus, call->request.caller.uid))
                journal_operation(&call->request, outcome);
        if (is_for_the_next(call, &outcome->refusal)) {
                call_free(call);
                return;
        }
        if (!outcome_is_success(outcome)) {
                reply_failure(call, outcome);
                return;
        }
        if (call->connection && sd_bus_message_new_method_return(call->message, &reply) < 0) {
                call_reply_errno(call, -ENOMEM);
                return;
        }
        call_reply(call, reply);
        sd_bus_message_unref(reply);
}

static int new_result(const Call *call, const Outcome *outcome, CallAppend append,
                      sd_bus_message **ret) {
        sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(call->message, &reply);

        if (r >= 0)
                r = append(reply, call, outcome);
        if (r < 0)
                sd_bus_message_unref(reply);
        else
                *ret = reply;
        return r;
}

void call_reply_result(Call *call, Outcome *outcome, CallAppend append, const char *what) {
        sd_bus_message *reply = NULL;
        int r = outcome_is_success(outcome) && call->connection
                        ? new_result(call, outcome, append, &reply)
                        : 0;

        if (r < 0) {
                outcome->error = r;
                outcome->failure = string_format("%s: %s", what, strerror(-r));
        }
        if (!outcome_is_success(outcome)) {
                call_reply_outcome(call, outcome);
                return;
        }
        journal_operation(&call->request, outcome);
        call_reply(call, reply);
        sd_bus_message_unref(reply);
}

void call_reply_found(Call *call, const Outcome *outcome, CallAppend append) {
        sd_bus_message *reply = NULL;
        int r = 0;

        if (outcome->refusal.kind != REFUSAL_NONE) {
                call_reply_refusal(call, &outcome->refusal);
                return;
        }
        if (!outcome_is_success(outcome)) {
                reply_failure(call, outcome);
                return;
        }
        if (call->connection)
                r = new_result(call, outcome, append, &reply);
        if (r < 0)
                call_reply_errno(call, r);
        else
                call_reply(call, reply);
        sd_bus_message_unref(reply);
}

/* A refusal before the broker saw the call: journaled like its own, unless nothing was asked of it.
 */
void call_refuse(Call *call, Refusal *refusal) {
        Outcome outcome = OUTCOME_NULL;

        if (call->permission == PERMISSION_LIST || call->dry_run) {
                call_reply_refusal(call, refusal);
                return;
        }
        outcome.refusal = *refusal;
        *refusal = (Refusal)REFUSAL_NULL;
        call_reply_outcome(call, &outcome);
        outcome_done(&outcome);
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

int call_begin(Bus *bus, sd_bus_message *m, CallPermission permission, CallRun run,
               Request *request, bool dry_run) {
        Call *call = calloc(1, sizeof(Call));
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        sd_bus_message *kept = NULL;
        sd_bus_slot *question;
        int r = call ? keep_message(m, &kept) : -ENOMEM;

        if (r < 0) {
                free(call);
                request_done(request);
                return r;
        }
        *call = (Call){
                .bus = bus,
                .connection = bus_connection_of(bus, sd_bus_message_get_bus(m)),
                .message = kept,
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
        if (broker_is_stopping(bus->broker)) {
                call_free(call);
                return 1;
        }
        if (!caller_is_known(call->connection, m) && limit_unknown(call, &refusal)) {
                call_reply_refusal(call, &refusal);
                return 1;
        }
        r = caller_find(call->connection, m, on_caller, call, &question);
        if (r < 0) {
                call_free(call);
                return r;
        }
        if (question)
                call->question = question;
        return 1;
}
