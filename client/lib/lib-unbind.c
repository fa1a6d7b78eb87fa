/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Unbind: groups back to their drivers. With a policy that waits, the answer may take for ever. */

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"

static int unbind_groups(vfiod_connection *c, const char *const *targets, const char *policy,
                         uint64_t timeout_ms) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        bool waits = policy && !string_equal(policy, "fail");
        int r;

        r = connection_new_target_call(c, "Unbind", targets, &m);
        if (r >= 0)
                r = append_policy(m, policy, timeout_ms);
        return r < 0 ? r : connection_call(c, m, waits ? UINT64_MAX : 0, NULL);
}

int vfiod_unbind(vfiod_connection *c, const char *const *targets, const char *policy,
                 uint64_t timeout_ms) {
        connection_begin(c);
        return connection_end(c, unbind_groups(c, targets, policy, timeout_ms));
}
