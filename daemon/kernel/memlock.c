/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/memlock.h"

#include <sys/resource.h>

#include "daemon/kernel/process.h"
#include "daemon/util/fd.h"

static int set(pid_t pid, const MemlockLimits *limits) {
        const struct rlimit64 limit = {.rlim_cur = limits->soft, .rlim_max = limits->hard};

        return prlimit64(pid, RLIMIT_MEMLOCK, &limit, NULL) < 0 ? -errno : 0;
}

static int get(pid_t pid, MemlockLimits *ret) {
        struct rlimit64 limit;

        if (prlimit64(pid, RLIMIT_MEMLOCK, NULL, &limit) < 0)
                return -errno;
        *ret = (MemlockLimits){.soft = limit.rlim_cur, .hard = limit.rlim_max};
        return 0;
}

/* No limit is the highest number (RLIM64_INFINITY). */
static uint64_t at_least(uint64_t limit, uint64_t bytes) {
        return limit > bytes ? limit : bytes;
}

int memlock_raise(const Roots *roots, const ProcessPin *process, uint64_t bytes,
                  MemlockLimits *ret_old) {
        _cleanup_close_ int pidfd = process_open(process->pid);
        MemlockLimits old = {0}, raised;
        int r;

        r = pidfd < 0 ? pidfd : process_check(roots, process);
        if (r >= 0)
                r = get(process->pid, &old);
        if (r < 0)
                return r;
        raised.soft = at_least(old.soft, bytes);
        raised.hard = at_least(old.hard, bytes);
        r = set(process->pid, &raised);
        if (r >= 0 && process_signal(pidfd, 0) < 0) {
                (void)set(process->pid, &old);
                r = -ESRCH;
        }
        if (r >= 0)
                *ret_old = old;
        return r;
}

/* Whatever its uids are by now: what it has from us is taken away. */
int memlock_restore(const Roots *roots, const ProcessPin *process, const MemlockLimits *old) {
        _cleanup_close_ int pidfd = process_open(process->pid);
        int r;

        r = pidfd < 0 ? pidfd : process_check(roots, process);
        if (r >= 0 || r == -EPERM)
                r = set(process->pid, old);
        return r == -ESRCH ? 0 : r;
}
