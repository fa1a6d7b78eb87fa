/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The conversation with polkit (org.freedesktop.PolicyKit1.Authority, CheckAuthorization):
 *   1. checks_prepare() lists the questions; root's list, and an owner's, counts as answered.
 *   2. One question at a time is sent, with a cancellation id, and may wait for a person.
 *   3. The first "no" ends the call. While a question is pending, the sender's leaving withdraws
 * it.
 *   4. After the last "yes" the list is made again: what was asked about must still be there.
 * A caller that only wants to know (PERMISSION_SURVEY, authorise-survey.c) has its list asked to
 * the end.
 */

#include "daemon/bus/authorise.h"

#include <inttypes.h>
#include <stdio.h>

#include "daemon/bus/authorise-checks.h"
#include "daemon/bus/authorise-details.h"
#include "daemon/bus/authorise-survey.h"
#include "daemon/bus/caller.h"
#include "daemon/bus/limit.h"
#include "daemon/bus/polkit.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

#define POLKIT_ALLOW_INTERACTION 1U

/* A person may take this long to find the password. */
#define INTERACTIVE_TIMEOUT_USEC (5 * 60 * 1000000ULL)

static RefusalKind proceed(Call *call, Refusal *refusal);

static void withdraw(const Call *call) {
        char id[32];

        if (!call->cancellation || !call->bus->authority)
                return;
        (void)snprintf(id, sizeof(id), "vfiod-%" PRIu64, call->cancellation);
        (void)sd_bus_call_method_async(call->bus->authority, NULL, POLKIT_NAME, POLKIT_PATH,
                                       POLKIT_INTERFACE, "CancelCheckAuthorization", NULL, NULL,
                                       "s", id);
}

void authorise_stop(Call *call) {
        withdraw(call);
        call->cancellation = 0;
        call->question = sd_bus_slot_unref(call->question);
}

static const char *subject_of(const Call *call) {
        const Check *check = &call->checks[call->next_check];

        if (check->device)
                return check->device;
        return check->memlock ? "its limit of locked memory" : "this";
}

static void finish(Call *call) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        call_unwatch_sender(call);
        if (call->permission != PERMISSION_SURVEY && checks_confirm(call, &refusal))
                call_refuse(call, &refusal);
        else
                call_authorised(call);
}

static RefusalKind judge_error(const Call *call, const sd_bus_error *error, Refusal *refusal) {
        if (polkit_is_absent(error))
                return refuse(refusal, REFUSAL_NOT_AUTHORISED,
                              "polkit is not there to ask, so only root may do this (action %s)",
                              call->checks[call->next_check].action);
        return refuse(refusal, REFUSAL_NOT_AUTHORISED, "polkit could not be asked about %s: %s",
                      call->checks[call->next_check].action, string_or_empty(error->message));
}

static RefusalKind judge_answer(const Call *call, sd_bus_message *reply, Refusal *refusal) {
        const Check *check = &call->checks[call->next_check];
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        int authorised, challenge;

        if (error)
                return judge_error(call, error, refusal);
        if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
            sd_bus_message_read(reply, "bb", &authorised, &challenge) < 0)
                return refuse(refusal, REFUSAL_NOT_AUTHORISED, "polkit's answer makes no sense");
        if (authorised)
                return REFUSAL_NONE;
        if (challenge && !sd_bus_message_get_allow_interactive_authorization(call->message))
                return refuse(refusal, REFUSAL_AUTHORISATION_NEEDED,
                              "uid %u must authenticate to do this to %s (polkit action %s)",
                              call->request.caller.uid, subject_of(call), check->action);
        return refuse(refusal, REFUSAL_NOT_AUTHORISED,
                      "uid %u may not do this to %s (polkit action %s)", call->request.caller.uid,
                      subject_of(call), check->action);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error _unused_) {
        Call *call = userdata;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        call->question = sd_bus_slot_unref(call->question);
        /* Given up: what is still asked of a person is to be taken away. */
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY))
                withdraw(call);
        call->cancellation = 0;
        if (call->permission == PERMISSION_SURVEY)
                survey_note_answer(call, reply);
        else if (judge_answer(call, reply, &refusal)) {
                call_refuse(call, &refusal);
                return 0;
        }
        call->next_check++;
        if (proceed(call, &refusal))
                call_refuse(call, &refusal);
        return 0;
}

/*
 * The caller as polkit knows it. A peer is its process: polkit 124 and later take the pidfd, those
 * before the number with the start time; the uid is the socket's, since polkit would look up what
 * it is not told. All four keys together are understood by both.
 */
static int append_subject(sd_bus_message *m, const Call *call) {
        const Caller *caller = &call->request.caller;

        if (!call->connection->is_peer)
                return sd_bus_message_append(m, "(sa{sv})", "system-bus-name", 1, "name", "s",
                                             caller->name);
        return sd_bus_message_append(m, "(sa{sv})", "unix-process", 4, "pid", "u",
                                     (uint32_t)caller->pid, "start-time", "t", caller->start_time,
                                     "uid", "i", (int32_t)caller->uid, "pidfd", "h",
                                     call->connection->peer.pidfd);
}

static int new_question(const Call *call, bool interactive, sd_bus_message **ret) {
        const Check *check = &call->checks[call->next_check];
        sd_bus_message *m = NULL;
        char id[32];
        int r;

        (void)snprintf(id, sizeof(id), "vfiod-%" PRIu64, call->cancellation);
        r = sd_bus_message_new_method_call(call->bus->authority, &m, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CheckAuthorization");
        if (r >= 0)
                r = append_subject(m, call);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", check->action);
        if (r >= 0)
                r = authorise_append_details(m, check);
        if (r >= 0)
                r = sd_bus_message_append(m, "us", interactive ? POLKIT_ALLOW_INTERACTION : 0U, id);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        *ret = m;
        return 0;
}

/* A number whose process has ended may be another's by the time polkit looks. */
static RefusalKind refuse_unaskable(const Call *call, Refusal *refusal) {
        const char *action = call->checks[call->next_check].action;

        if (!call->bus->authority)
                return refuse(
                        refusal, REFUSAL_NOT_AUTHORISED,
                        "without the system bus there is no polkit to ask, so only root may do "
                        "this (action %s)",
                        action);
        if (call->connection->is_peer && !peer_is_alive(&call->connection->peer))
                return refuse(refusal, REFUSAL_NOT_AUTHORISED,
                              "the process that made this connection has ended or cannot be seen, "
                              "so polkit cannot be asked about it (action %s)",
                              action);
        return REFUSAL_NONE;
}

static RefusalKind ask_next(Call *call, Refusal *refusal) {
        bool interactive = call->permission != PERMISSION_SURVEY &&
                           sd_bus_message_get_allow_interactive_authorization(call->message);
        sd_bus_message *m = NULL;
        int r;

        /* Between two questions, either may have gone. */
        if (refuse_unaskable(call, refusal))
                return refusal->kind;
        if (limit_question(call, refusal))
                return refusal->kind;
        call->cancellation = ++call->bus->last_cancellation;
        r = new_question(call, interactive, &m);
        if (r >= 0)
                r = sd_bus_call_async(call->bus->authority, &call->question, m, on_answer, call,
                                      interactive ? INTERACTIVE_TIMEOUT_USEC : POLKIT_TIMEOUT_USEC);
        sd_bus_message_unref(m);
        if (r >= 0)
                return REFUSAL_NONE;
        call->cancellation = 0;
        return refuse(refusal, REFUSAL_NOT_AUTHORISED, "polkit could not be asked: %s",
                      strerror(-r));
}

static bool is_answered(const Call *call) {
        return call->next_check == call->n_checks;
}

/* Asks the next question that is open, or goes on with the call. */
static RefusalKind proceed(Call *call, Refusal *refusal) {
        while (!is_answered(call) && call->checks[call->next_check].decider)
                call->next_check++;
        if (!is_answered(call))
                return ask_next(call, refusal);
        finish(call);
        return REFUSAL_NONE;
}

static void on_defaults(Call *call) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (proceed(call, &refusal))
                call_refuse(call, &refusal);
}

static bool has_open_question(const Call *call) {
        for (size_t i = 0; i < call->n_checks; i++)
                if (!call->checks[i].decider)
                        return true;
        return false;
}

/* Never of a person, and without a no that ends it; that polkit is not there is an answer too. */
static RefusalKind begin_survey(Call *call, Refusal *refusal) {
        if (!call->bus->authority || !has_open_question(call)) {
                survey_without_polkit(call);
                return proceed(call, refusal);
        }
        if (refuse_unaskable(call, refusal))
                return refusal->kind;
        if (call_watch_sender(call, call_free) < 0)
                return refuse(refusal, REFUSAL_NOT_AUTHORISED, "the caller could not be watched");
        if (survey_ask_defaults(call, on_defaults) < 0)
                return refuse(refusal, REFUSAL_NOT_AUTHORISED, "polkit could not be asked");
        return REFUSAL_NONE;
}

RefusalKind authorise_begin(Call *call, Refusal *refusal) {
        /* What is for the owner of a lease alone is not for root either. */
        if (call->request.caller.uid == 0 && call->permission != PERMISSION_OWNER &&
            call->permission != PERMISSION_SURVEY) {
                call_authorised(call);
                return REFUSAL_NONE;
        }
        if (checks_prepare(call, refusal))
                return refusal->kind;
        if (call->n_checks == 0) {
                call_authorised(call);
                return REFUSAL_NONE;
        }
        if (call->permission == PERMISSION_SURVEY)
                return begin_survey(call, refusal);
        if (refuse_unaskable(call, refusal))
                return refusal->kind;
        if (call_watch_sender(call, call_free) < 0)
                return refuse(refusal, REFUSAL_NOT_AUTHORISED, "the caller could not be watched");
        return proceed(call, refusal);
}
