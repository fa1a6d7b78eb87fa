/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The conversation with polkit (org.freedesktop.PolicyKit1.Authority, CheckAuthorization):
 *   1. checks_prepare() lists the questions; root's list, and an owner's, counts as answered.
 *   2. One question at a time stands in line (polkit-line.c), and is asked without a person. Where
 *      polkit would have one asked, and the caller allows it, it is asked once more, with: that may
 *      take minutes, in which nobody waits in line behind it.
 *   3. The first "no" ends the call. While a question is pending, the sender's leaving withdraws
 *      it.
 *   4. After the last "yes" the list is made again: what was asked about must still be there. So it
 *      is before everything that the broker decides later than at once (authorise_confirm()).
 *
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
static RefusalKind ask(Call *call, Refusal *refusal);

void authorise_stop(Call *call) {
        call->asking = polkit_question_leave(call->asking);
}

/* " to 0000:01:00.0"; NULL for nothing that has a name. Allocated. */
static char *subject_of(const Call *call) {
        const Check *check = &call->checks[call->next_check];

        if (check->device)
                return string_format(" to %s", check->device);
        if (check->memlock)
                return string_format(" to its limit of locked memory");
        return check->lease > 0 ? string_format(" to lease %u", check->lease) : NULL;
}

static void finish(Call *call) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        call_unwatch_sender(call);
        if (call->permission != PERMISSION_SURVEY && checks_confirm(call, &refusal))
                call_refuse(call, &refusal);
        else
                call_authorised(call);
}

static const char *action_of(const Call *call) {
        return call->checks[call->next_check].action;
}

static RefusalKind refuse_late(const Call *call, Refusal *refusal) {
        return refuse(refusal, REFUSAL_NOT_AUTHORISED,
                      "polkit did not answer in time; try again (action %s)", action_of(call));
}

static RefusalKind judge_error(const Call *call, sd_bus_message *reply, Refusal *refusal) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        if (polkit_is_absent(reply))
                return refuse(refusal, REFUSAL_NOT_AUTHORISED,
                              "polkit is not there to ask, so only root may do this (action %s)",
                              action_of(call));
        /* Of the bus: it was not started in time. */
        if (sd_bus_error_has_name(error, "org.freedesktop.DBus.Error.TimedOut"))
                return refuse_late(call, refusal);
        return refuse(refusal, REFUSAL_NOT_AUTHORISED, "polkit could not be asked about %s: %s",
                      action_of(call), string_or_empty(error->message));
}

static RefusalKind read_answer(const Call *call, sd_bus_message *reply, CheckResult *ret,
                               Refusal *refusal) {
        int authorised, challenge;

        if (!reply)
                return refuse_late(call, refusal);
        if (sd_bus_message_is_method_error(reply, NULL))
                return judge_error(call, reply, refusal);
        if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
            sd_bus_message_read(reply, "bb", &authorised, &challenge) < 0)
                return refuse(refusal, REFUSAL_NOT_AUTHORISED, "polkit's answer makes no sense");
        *ret = authorised ? RESULT_YES : challenge ? RESULT_CHALLENGE : RESULT_NO;
        return REFUSAL_NONE;
}

/* "'vfioctl auth 0000:01:00.0'", for a device that it can be asked about. Allocated. */
static char *survey_command(const Call *call) {
        const Check *check = &call->checks[call->next_check];

        return check->device && check->has_group ? string_format("'vfioctl auth %s'", check->device)
                                                 : string_format("'vfioctl auth'");
}

/* A challenge to a question that a person was there for: nobody could be found to ask. */
static RefusalKind refuse_answer(const Call *call, CheckResult result, Refusal *refusal) {
        _cleanup_free_ char *subject = subject_of(call), *command = survey_command(call);
        bool must = result == RESULT_CHALLENGE;

        if (!command)
                return refuse_memory(refusal);
        return refuse(refusal,
                      must && !call->interactive ? REFUSAL_AUTHORISATION_NEEDED
                                                 : REFUSAL_NOT_AUTHORISED,
                      "uid %u %s this%s (polkit action %s)%s; %s shows what it may do",
                      call->request.caller.uid, must ? "must authenticate to do" : "may not do",
                      string_or_empty(subject), action_of(call),
                      must && call->interactive
                              ? ", and no polkit agent could be found to ask: run 'pkttyagent "
                                "--process' beside it (see vfioctl(1)), or have a rule made"
                              : "",
                      command);
}

static RefusalKind go_on(Call *call, Refusal *refusal) {
        call->interactive = false;
        call->next_check++;
        return proceed(call, refusal);
}

static RefusalKind heed_answer(Call *call, sd_bus_message *reply, Refusal *refusal) {
        CheckResult result = RESULT_NO;

        if (call->permission == PERMISSION_SURVEY) {
                survey_note_answer(call, reply);
                return go_on(call, refusal);
        }
        if (read_answer(call, reply, &result, refusal))
                return refusal->kind;
        if (result == RESULT_YES)
                return go_on(call, refusal);
        if (result == RESULT_NO || call->interactive ||
            !sd_bus_message_get_allow_interactive_authorization(call->message))
                return refuse_answer(call, result, refusal);
        call->interactive = true;
        return ask(call, refusal);
}

static void on_answer(void *userdata, sd_bus_message *reply) {
        Call *call = userdata;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        call->asking = NULL;
        if (heed_answer(call, reply, &refusal))
                call_refuse(call, &refusal);
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

static int new_question(const Call *call, sd_bus_message **ret) {
        const Check *check = &call->checks[call->next_check];
        sd_bus_message *m = NULL;
        char id[32];
        int r;

        (void)snprintf(id, sizeof(id), POLKIT_ID, polkit_question_id(call->asking));
        r = sd_bus_message_new_method_call(call->bus->authority, &m, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CheckAuthorization");
        if (r >= 0)
                r = append_subject(m, call);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", check->action);
        if (r >= 0)
                r = authorise_append_details(m, check);
        if (r >= 0)
                r = sd_bus_message_append(m, "us",
                                          call->interactive ? POLKIT_ALLOW_INTERACTION : 0U, id);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        *ret = m;
        return 0;
}

/* A number whose process has ended may be another's by the time polkit looks. */
static RefusalKind refuse_unaskable(const Call *call, Refusal *refusal) {
        if (!call->bus->authority)
                return refuse(
                        refusal, REFUSAL_NOT_AUTHORISED,
                        "without the system bus there is no polkit to ask, so only root may do "
                        "this (action %s)",
                        action_of(call));
        if (call->connection->is_peer && !peer_is_alive(&call->connection->peer))
                return refuse(refusal, REFUSAL_NOT_AUTHORISED,
                              "the process that made this connection has ended or cannot be seen, "
                              "so polkit cannot be asked about it (action %s)",
                              action_of(call));
        return REFUSAL_NONE;
}

static RefusalKind refuse_unasked(int error, Refusal *refusal) {
        return refuse(refusal, REFUSAL_NOT_AUTHORISED, "polkit could not be asked: %s",
                      strerror(-error));
}

/* Whoever waited may be gone by now, and polkit's bus too. */
static RefusalKind put_question(Call *call,
                                int (*new_message)(const Call *call, sd_bus_message **ret),
                                Refusal *refusal) {
        sd_bus_message *m = NULL;
        int r;

        if (refuse_unaskable(call, refusal))
                return refusal->kind;
        r = new_message(call, &m);
        if (r >= 0)
                r = polkit_question_send(call->asking, call->bus->authority, m,
                                         call->interactive ? INTERACTIVE_TIMEOUT_USEC
                                                           : POLKIT_TIMEOUT_USEC);
        sd_bus_message_unref(m);
        return r < 0 ? refuse_unasked(r, refusal) : REFUSAL_NONE;
}

static void on_turn(void *userdata) {
        Call *call = userdata;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (put_question(call, new_question, &refusal))
                call_refuse(call, &refusal);
}

/* When this returns, the call may have been refused already, and be gone. */
static RefusalKind stand_in_line(Call *call, void (*turn)(void *userdata),
                                 void (*answered)(void *userdata, sd_bus_message *reply),
                                 Refusal *refusal) {
        const Config *config = &broker_world(call->bus->broker)->config;
        PolkitAsker asker = {
                .uid = call->request.caller.uid,
                .interactive = call->interactive,
                .interactive_max = config->limit_interactive_questions_per_uid,
                .turn = turn,
                .answered = answered,
                .userdata = call,
        };
        int r;

        if (limit_question(call, refusal))
                return refusal->kind;
        r = polkit_line_join(&call->bus->line, &asker, &call->asking);
        return r < 0 ? refuse_unasked(r, refusal) : REFUSAL_NONE;
}

static RefusalKind ask(Call *call, Refusal *refusal) {
        /* Between two questions, either may have gone. */
        return refuse_unaskable(call, refusal) ?: stand_in_line(call, on_turn, on_answer, refusal);
}

static bool is_answered(const Call *call) {
        return call->next_check == call->n_checks;
}

/* Asks the next question that is open, or goes on with the call. */
static RefusalKind proceed(Call *call, Refusal *refusal) {
        while (!is_answered(call) && call->checks[call->next_check].decider)
                call->next_check++;
        if (!is_answered(call))
                return ask(call, refusal);
        finish(call);
        return REFUSAL_NONE;
}

static void on_defaults_turn(void *userdata) {
        Call *call = userdata;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (put_question(call, survey_new_defaults, &refusal))
                call_refuse(call, &refusal);
}

static void on_defaults(void *userdata, sd_bus_message *reply) {
        Call *call = userdata;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        call->asking = NULL;
        survey_note_defaults(call, reply);
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
        return stand_in_line(call, on_defaults_turn, on_defaults, refusal);
}

/* What is for the owner of a lease alone is not for root either. */
static bool is_for_root(const Call *call) {
        return call->request.caller.uid == 0 && call->permission != PERMISSION_OWNER &&
               call->permission != PERMISSION_SURVEY;
}

RefusalKind authorise_confirm(const Call *call, Refusal *refusal) {
        return is_for_root(call) ? REFUSAL_NONE : checks_confirm(call, refusal);
}

RefusalKind authorise_begin(Call *call, Refusal *refusal) {
        if (is_for_root(call)) {
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
