/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How much of the daemon one client, one uid and all together may take, as far as it is of
 * connections and calls; what is of leases and operations, daemon/core/ decides. Root has no limits
 * per uid, and none in all; who has none yet is refused only at twice a limit in all. Each refuses
 * with LIMIT_EXCEEDED and names the key of the configuration, where there is one.
 */

#include "daemon/bus/call.h"

/* Whether a connection of the uid may stay with those that are there already, but for `itself`:
 * NULL, if it is not among them. */
RefusalKind limit_connection(const Bus *bus, uid_t uid, const Connection *itself, Refusal *refusal);

/* Whether a sender of whom it is not known yet who he is may have another call. */
RefusalKind limit_unknown(const Call *call, Refusal *refusal);

/* Whether the call may stay with those that are not answered yet; its caller is known. */
RefusalKind limit_request(const Call *call, Refusal *refusal);

/* Whether it may stand in line for polkit (polkit-line.h). */
RefusalKind limit_question(const Call *call, Refusal *refusal);
