/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The verbs, one file each; every one returns the exit status of the process. What several of
 * them begin and end with is in verb.c.
 */

#include "client/arguments.h"
#include "client/connection.h"
#include "client/json.h"
#include "client/status.h"

int verb_list(const Arguments *a);
int verb_show(const Arguments *a);
int verb_explain(const Arguments *a);
int verb_auth(const Arguments *a);
int verb_inspect(const Arguments *a);
int verb_bind(const Arguments *a);
int verb_unbind(const Arguments *a);
int verb_assign(const Arguments *a);
int verb_unassign(const Arguments *a);
int verb_acquire(const Arguments *a);
int verb_exec(const Arguments *a);
int verb_qemu_args(const Arguments *a);
int verb_add(const Arguments *a);
int verb_remove(const Arguments *a);
int verb_release(const Arguments *a);
int verb_reset(const Arguments *a);
int verb_vfs(const Arguments *a);
int verb_mdev(const Arguments *a);
int verb_holders(const Arguments *a);
int verb_leases(const Arguments *a);
int verb_monitor(const Arguments *a);
int verb_help(const Arguments *a);

/* Opens a connection as the global options want it, *ret also when that fails and there is
 * something to be asked. 0 or -errno, for connection_report(). */
int verb_connect(const Arguments *a, vfiod_connection **ret);

/* The same, and the operands as targets. */
int verb_begin(const Arguments *a, vfiod_connection **ret, char ***ret_targets);

/* --dry-run: the steps of a plan, which is owned. */
int verb_print_steps(const Arguments *a, char **steps);

/* Tells on stderr which devices of the targets belong to vfiod again from the next boot on. Not
 * being allowed to look is no failure. */
void verb_note_assigned(vfiod_connection *c, char **targets);

/* For the library, which takes its strings as constant. */
static inline const char *const *constant(char **strings) {
        return (const char *const *)strings;
}

/* "held by" names: a user's name, or its number where it has none. Owned by the caller. */
char *user_name(uint64_t uid);

/* "2026-11-21 04:31:00" in local time, "-" for 0. Owned by the caller. */
char *time_text(uint64_t microseconds);
