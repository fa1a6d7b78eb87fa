/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a caller may do, asked before it is done: the same questions to polkit, with the same
 * details, as the operations would ask, but all of them, never of a person, and with the action's
 * default to compare the answer with. authorise.c holds the conversation.
 */

#include "daemon/bus/call.h"

/*
 * Fills call->checks: every action (or request.actions) for every member of the request's groups
 * that is not a bridge; without targets, every action as such. What root and owners need not ask
 * is answered already. Refuses more questions than one call may mean.
 */
RefusalKind survey_prepare(Call *call, Refusal *refusal);

/* A question for the defaults of all actions, to be asked before the others. */
int survey_new_defaults(const Call *call, sd_bus_message **ret);

/* What polkit says to that: if it is not there, that is the answer to all. NULL: it is late. */
void survey_note_defaults(Call *call, sd_bus_message *reply);

/* What polkit says to the question call->next_check. NULL: it is late, and is not waited for again.
 */
void survey_note_answer(Call *call, sd_bus_message *reply);

/* Nobody can be asked what is still open. */
void survey_without_polkit(Call *call);

/* Whether `action` is one of vfiod's. */
bool survey_knows_action(const char *action);

/* The answers: the aa{sv} of Manager.CheckAuthorization. */
int survey_append(sd_bus_message *m, const Call *call);
