/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How much memory another process may lock: its RLIMIT_MEMLOCK, which DMA mappings are charged to.
 *
 * prlimit(2) takes a number, which may be another process's by the time it is called. So a pidfd is
 * opened first, and then the process is compared with what is known of it (ProcessPin); while the
 * pidfd is seen to be alive afterwards, the number was this process's all the time.
 */

#include "daemon/kernel/process-stat.h"

typedef struct MemlockLimits {
        uint64_t soft;
        uint64_t hard;
} MemlockLimits;

/*
 * Raises both to at least `bytes`; a limit that is higher stays. Needs CAP_SYS_RESOURCE. -ESRCH:
 * the process is gone. -EPERM: it is not wholly its user's any more.
 */
int memlock_raise(const Roots *roots, const ProcessPin *process, uint64_t bytes,
                  MemlockLimits *ret_old);

/* A process that is gone needs nothing put back. */
int memlock_restore(const Roots *roots, const ProcessPin *process, const MemlockLimits *old);
