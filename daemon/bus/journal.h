/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The record: one structured journal entry an operation and one a lease's end, with the fields of
 * protocol/names.h. Nothing else in the daemon logs an operation.
 */

#include "daemon/broker/broker.h"

void journal_operation(const Request *request, const Outcome *outcome);

/* So many more calls of the uid were refused, without a record each. */
void journal_unrecorded(uid_t uid, uint64_t n);

/* The owner has been asked for the lease; `reason` is a sentence. */
void journal_lease_asked(const Lease *lease, const char *reason);

/* The lease is given back, the kernel says that somebody has its files, and nobody can be seen. */
void journal_lease_stuck(const Lease *lease);
/* It is over, because the vfiod before this one has not left its files. */
void journal_lease_left(const Lease *lease);

/* A lease has ended; `held_usec` is how long it lasted. */
void journal_lease_over(const Lease *lease, uint64_t held_usec);

/* Somebody else has moved the device (`override`: has changed its driver_override). */
void journal_rebound(const Change *change, bool override);

/* What must survive a restart cannot be written down (-errno), or can be again (0). */
void journal_state(int error);
/* What the vfiod before this one has written down cannot be used, and was put aside (0) or could
 * not be (-errno). */
void journal_state_lost(const char *reason, int error);
/* So many files of leases of the vfiod before this one were dropped, since nothing is known of
 * them. */
void journal_orphans(uint32_t n_files);
/* What it had begun is finished or undone, or could not be (-errno). */
void journal_plan_recovered(const char *sentence, int error);

/* What is not to be had without the system bus, which is not there or not there any more. */
void journal_bus_absent(void);
void journal_bus_lost(void);

/* The bus keeps so many bytes of signals and answers of vfiod's that no more signals are sent over
 * it; and they are again. */
void journal_signals_muted(uint32_t kept);
void journal_signals_sent(void);
