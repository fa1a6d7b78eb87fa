/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What polkit is told of a question besides the action: a rule sees it through action.lookup(), a
 * person in the message of the policy file. */

#include "daemon/bus/call.h"

/* Appends an a{ss}. What a question has nothing to say of is left out, so that a rule sees
 * undefined. */
int authorise_append_details(sd_bus_message *m, const Check *check);
