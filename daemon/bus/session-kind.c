/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/session-kind.h"

#include <stdlib.h>
#include <systemd/sd-login.h>

#include "daemon/util/string.h"

/* A service of a user has no session of its own: then it is the user's at the console. */
static char *find_session(pid_t pid) {
        char *session = NULL;
        uid_t uid;

        if (sd_pid_get_session(pid, &session) >= 0)
                return session;
        if (sd_pid_get_owner_uid(pid, &uid) < 0 || sd_uid_get_display(uid, &session) < 0)
                return NULL;
        return session;
}

SessionKind session_kind(pid_t pid) {
        _cleanup_free_ char *session = NULL, *seat = NULL, *state = NULL;
        uid_t uid;

        session = pid > 0 ? find_session(pid) : NULL;
        /* Local is what has a seat. */
        if (!session || sd_session_get_seat(session, &seat) < 0)
                return SESSION_ANY;
        /* Any active one of the same user counts. */
        if (sd_session_get_uid(session, &uid) >= 0 && sd_uid_get_state(uid, &state) >= 0)
                return strcmp(state, "active") == 0 ? SESSION_ACTIVE : SESSION_INACTIVE;
        return sd_session_is_active(session) > 0 ? SESSION_ACTIVE : SESSION_INACTIVE;
}

const char *session_kind_name(SessionKind kind) {
        static const char *const names[] = {
                [SESSION_ANY] = "any",
                [SESSION_INACTIVE] = "inactive",
                [SESSION_ACTIVE] = "active",
        };

        return names[kind];
}
