/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which of an action's three defaults polkit takes for a process: by its login session, as polkit
 * finds it (polkit(8), "allow_any, allow_inactive, allow_active"). */

#include <sys/types.h>

typedef enum SessionKind {
        SESSION_ANY,      /* none, or a remote one */
        SESSION_INACTIVE, /* at the console, and not the one in front */
        SESSION_ACTIVE,
} SessionKind;

/* Reads what logind writes down; SESSION_ANY without it, and for pid 0. */
SessionKind session_kind(pid_t pid);

/* "any", "inactive", "active". */
const char *session_kind_name(SessionKind kind);
