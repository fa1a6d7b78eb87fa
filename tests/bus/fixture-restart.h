/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One vfiod after the other on the same machine, with the service manager's store and a directory
 * of the state file between them. */

#include "tests/bus/fake-manager.h"
#include "tests/bus/fixture-bus.h"

#define LEASE_FILES "lease-1.container lease-1.device.4.0000=03=00.0 lease-1.group.4 lease-1.lease"

/* In place of fixture_setup() and fixture_teardown(). */
void restart_setup(void);
void restart_teardown(void);

/* Of the state file; borrowed. */
int restart_directory(void);

/* The manager has time to obey what was sent to it last. */
void go_down(void);
/* At once, as if it were killed. */
void go_down_now(void);
void come_up(void);
/* Returns the file that is handed over under this name; -EBADF: none. */
int come_up_with(const char *name);
void restart(void);

Grant acquire(Client *client, const char *target);

/* The names in the store, blanks between them. */
void expect_store(const char *names);

/* There is no lease, and nothing of it in the store. */
void wait_until_over(void);
