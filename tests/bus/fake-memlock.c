/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The twin of daemon/kernel/memlock.c: the process is a true one, its limit is only written down.
 */

#include "daemon/kernel/memlock.h"

#include "daemon/util/cleanup.h"
#include "tests/bus/fake-machine.h"

#define OLD 8388608

int memlock_raise(const Roots *roots, const ProcessPin *process, uint64_t bytes,
                  MemlockLimits *ret_old) {
        int r = fake_machine_obey("memlock", "any");

        if (r >= 0)
                r = process_check(roots, process);
        if (r < 0)
                return r;
        *ret_old = (MemlockLimits){.soft = OLD, .hard = OLD};
        fake_machine_log("raise RLIMIT_MEMLOCK of process %d to at least %lu bytes", process->pid,
                         (unsigned long)bytes);
        return 0;
}

int memlock_restore(const Roots *roots _unused_, const ProcessPin *process,
                    const MemlockLimits *old) {
        fake_machine_log("put RLIMIT_MEMLOCK of process %d back to %lu bytes", process->pid,
                         (unsigned long)old->hard);
        return 0;
}
