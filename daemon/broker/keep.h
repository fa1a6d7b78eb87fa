/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What must outlive us, put where it does: files of leases into the service manager's store, the
 * record of leases and originals into the state file. What comes of it at the next start is
 * recover.c.
 */

#include "daemon/broker/broker-private.h"

#define KEEP_STATE_FILE "state.json"

/* Brings both up to date, before anybody is told of what has changed. */
void keep_now(Broker *broker);

/* The same at the end of this turn of the event loop. */
void keep_soon(Broker *broker);

/*
 * After keep_now(): calls `then` when the files that were taken out of the store are out of it; at
 * once, and with *ret_wait NULL, when there were none. The last close of a device resets it, which
 * must not be the service manager's business.
 */
void keep_wait(Broker *broker, FdStoreReached then, void *userdata, FdStoreBarrier **ret_wait);

int keep_start(Broker *broker);
void keep_stop(Broker *broker);
