/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Twin of daemon/kernel/memlock.c: there is one process that anybody's limit is of. */

#include "daemon/kernel/memlock.h"

#include "tests/stub/stub.h"

int memlock_raise(const Roots *roots _unused_, const ProcessPin *process, uint64_t bytes,
                  MemlockLimits *ret_old) {
        int r = stub_call("raise memlock of %d to %lu", process->pid, (unsigned long)bytes);

        if (r < 0)
                return r;
        *ret_old = (MemlockLimits){.soft = stub->memlock, .hard = stub->memlock};
        if (bytes > stub->memlock)
                stub->memlock = bytes;
        return 0;
}

int memlock_restore(const Roots *roots _unused_, const ProcessPin *process,
                    const MemlockLimits *old) {
        int r = stub_call("restore memlock of %d to %lu", process->pid, (unsigned long)old->soft);

        if (r >= 0)
                stub->memlock = old->soft;
        return r;
}
