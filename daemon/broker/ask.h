/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Asking the owners of leases to give their groups back, and the leases' state while somebody
 * waits for that. Who waits, and for how long, is daemon/broker/wait.h.
 */

#include "daemon/broker/broker.h"

/*
 * All leases, after a wait has begun, changed its deadline, or ended: those that somebody waits for
 * are RELEASING, with the first deadline; the others are held again as before.
 */
void ask_update_leases(Broker *broker);

/* In three ways: the signal ReleaseRequested, a byte in the lease's pipe, the interrupt. */
void ask_for_groups(Broker *broker, const uint32_t *groups, size_t n_groups, const char *reason);

/* Fires the device-request interrupt of every device of the groups that a lease has. */
void ask_by_interrupt(Broker *broker, const uint32_t *groups, size_t n_groups);
