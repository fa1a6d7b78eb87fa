/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Unbind with a policy that waits: the call, and meanwhile who still holds, once a second, until
 * the answer comes or SIGINT or SIGTERM.
 */

#include "client/connection.h"
#include "client/live-line.h"
#include "client/manager.h"

typedef enum WaitEnd {
        WAIT_ANSWERED,         /* unbound, or refused: what waiting_unbind() returned */
        WAIT_STOPPED,          /* by a signal, while vfiod did nothing but wait */
        WAIT_STOPPED_TOO_LATE, /* by a signal, when vfiod may have begun to take or to unbind */
} WaitEnd;

/*
 * 0 or -errno, as of a Connection's calls. `line` is NULL where nobody wants to know who holds.
 * When it was stopped, vfiod hears of it by the caller's leaving the bus.
 */
int waiting_unbind(vfiod_connection *c, char **targets, const char *policy, uint64_t timeout_ms,
                   LiveLine *line, WaitEnd *ret_end);
