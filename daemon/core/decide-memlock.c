/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The option memlock of Acquire and Lease.Add. It comes first in the plan, because it is easily put
 * back, and because a caller that has gone meanwhile needs nothing else done.
 */

#include <inttypes.h>

#include "daemon/core/decide-common.h"

RefusalKind plan_memlock(const World *world, const Request *request, Plan *plan, Refusal *refusal) {
        const Caller *caller = &request->caller;
        uint64_t most = world->config.memlock_max_bytes;
        Step *step;

        if (request->memlock > most)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "option memlock: %" PRIu64 " bytes, the limit is %" PRIu64
                              " (memlock.max_bytes)",
                              request->memlock, most);
        if (caller->pid == 0 || caller->start_time == 0)
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "option memlock: it is not known for certain which process calls; "
                              "call from a process that is still there");
        step = plan_append(plan, STEP_RAISE_MEMLOCK, 0);
        if (!step)
                return refuse_memory(refusal);
        step->bytes = request->memlock;
        step->pid = caller->pid;
        step->start_time = caller->start_time;
        step->uid = caller->uid;
        return REFUSAL_NONE;
}
