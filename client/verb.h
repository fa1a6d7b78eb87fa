/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The verbs, one file each; every one returns the exit status of the process. What several of
 * them begin and end with is in verb.c.
 */

#include "client/arguments.h"
#include "client/connection.h"
#include "client/grant.h"
#include "client/json.h"
#include "client/status.h"

int verb_list(const Arguments *a);
int verb_show(const Arguments *a);
int verb_explain(const Arguments *a);
int verb_bind(const Arguments *a);
int verb_unbind(const Arguments *a);
int verb_acquire(const Arguments *a);
int verb_exec(const Arguments *a);
int verb_release(const Arguments *a);
int verb_holders(const Arguments *a);
int verb_leases(const Arguments *a);
int verb_monitor(const Arguments *a);
int verb_help(const Arguments *a);

/* Opens the connection as the global options want it. 0 or -errno, for connection_report(). */
int verb_connect(const Arguments *a, Connection *c);

/* The same, and the operands as targets. */
int verb_begin(const Arguments *a, Connection *c, char ***ret_targets);

/* Asks for the Plan of the operation and prints it: --dry-run. */
int verb_dry_run(const Arguments *a, const char *operation);

/* "held by" names: a user's name, or its number where it has none. Owned by the caller. */
char *user_name(uint64_t uid);

/* "2026-11-21 04:31:00" in local time, "-" for 0. Owned by the caller. */
char *time_text(uint64_t microseconds);
