/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The one answer to a call: a reply, an error, or nothing where its sender has gone. What of it is
 * journaled is decided here; replies with files are flow.c's to send.
 */

#include "daemon/bus/call.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/bus/bus-error.h"
#include "daemon/bus/flow.h"
#include "daemon/bus/journal-rate.h"
#include "daemon/bus/journal.h"
#include "daemon/bus/reply-size.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

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

/* For nobody where the sender has gone: then there is none. */
static int new_result(const Call *call, const Outcome *outcome, CallAppend append,
                      sd_bus_message **ret) {
        sd_bus_message *reply = NULL;
        int r;

        *ret = NULL;
        if (!call->connection)
                return 0;
        r = sd_bus_message_new_method_return(call->message, &reply);
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
        int r = outcome_is_success(outcome) ? new_result(call, outcome, append, &reply) : 0;

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
        int r;

        if (outcome->refusal.kind != REFUSAL_NONE) {
                call_reply_refusal(call, &outcome->refusal);
                return;
        }
        if (!outcome_is_success(outcome)) {
                reply_failure(call, outcome);
                return;
        }
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
