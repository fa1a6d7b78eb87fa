/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Handing files over: the a(ssh) of Acquire, Add and GetFds. */

#include "daemon/bus/call.h"

/* What fits into one message on this call's connection. */
size_t grant_fds_max(const Connection *connection);

/* BrokerDone of Acquire and of Add: answers with what the outcome granted. */
void grant_reply_acquire(void *userdata, Outcome *outcome);
void grant_reply_add(void *userdata, Outcome *outcome);

/* Whether files of that lease may be handed over just now. */
RefusalKind grant_check(const Call *call, uint32_t lease, Refusal *refusal);

/* Answers GetFds with the page that the request names. */
void grant_reply_fds(Call *call);
