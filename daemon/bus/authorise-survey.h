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

/*
 * Asks polkit for the defaults of all actions, before its answers are asked for. `asked` is called
 * later, with what it was told in the checks; if polkit is not there, that is the answer to all.
 */
int survey_ask_defaults(Call *call, void (*asked)(Call *call));

/* What polkit says to the question call->next_check. */
void survey_note_answer(Call *call, sd_bus_message *reply);

/* Nobody can be asked what is still open. */
void survey_without_polkit(Call *call);

/* Whether `action` is one of vfiod's. */
bool survey_knows_action(const char *action);

/* The answers: the aa{sv} of Manager.CheckAuthorization. */
int survey_append(sd_bus_message *m, const Call *call);
