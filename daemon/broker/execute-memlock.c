/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The step on the caller's own process. */

#include "daemon/broker/execute-private.h"

static ProcessPin process_of(const Step *step) {
        return (ProcessPin){.pid = step->pid, .start_time = step->start_time, .uid = step->uid};
}

int run_raise_memlock(const Run *run, const Step *step) {
        const ProcessPin process = process_of(step);

        return memlock_raise(run->roots, &process, step->bytes,
                             &run->traces[step - run->plan->steps].memlock);
}

int undo_raise_memlock(const Run *run, const Step *step) {
        const ProcessPin process = process_of(step);

        return memlock_restore(run->roots, &process, &run->traces[step - run->plan->steps].memlock);
}
