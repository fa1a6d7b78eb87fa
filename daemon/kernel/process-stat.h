/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which process a number is: proc(5), stat and status. */

#include <stdint.h>
#include <sys/types.h>

#include "daemon/kernel/roots.h"

/*
 * A process that is not taken for the next one of its number: that has started later. `uid` is that
 * of whoever the process is to be.
 */
typedef struct ProcessPin {
        pid_t pid;
        uint64_t start_time; /* clock ticks since boot */
        uid_t uid;
} ProcessPin;

/* `dir` is that of a process in /proc. -ESRCH too for text that makes no sense. */
int process_read_stat(int dir, pid_t *ret_parent, unsigned *ret_flags, uint64_t *ret_start_time);
/* Real, effective and saved. */
int process_read_uids(int dir, uid_t ret[3]);

int process_read_start_time(const Roots *roots, pid_t pid, uint64_t *ret);

/* -ESRCH: it is gone. -EPERM: one of its uids is another, so that it is not its user's alone. */
int process_check(const Roots *roots, const ProcessPin *pin);
