/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signals nobody but who is shown to be a holder. */

#include "daemon/kernel/holder-private.h"
#include "daemon/kernel/process.h"
#include "daemon/util/fd.h"

/* What a second look is for. */
typedef struct Again {
        const Hold *holder;
        bool (*counts)(HoldKind kind);
        bool found;
} Again;

static int compare(void *userdata, const Hold *hold) {
        Again *again = userdata;

        if (hold->start_time == again->holder->start_time && again->counts(hold->kind))
                again->found = true;
        return 0;
}

/*
 * The pidfd comes first. If the number belongs to another process by then, so it does during the
 * look, which sees another start time; if the process ends later, the signal goes nowhere.
 */
int holder_signal(HolderSearch *search, const Hold *holder, bool (*counts)(HoldKind kind),
                  int signal, int *ret_pidfd) {
        Again again = {.holder = holder, .counts = counts};
        _cleanup_close_ int pidfd = process_open(holder->pid);
        int r;

        if (pidfd < 0)
                return pidfd == -EINVAL ? -ESRCH : pidfd;
        r = holder_search_process(search, holder->pid, compare, &again);
        if (r < 0)
                return r;
        if (!again.found)
                return -ESRCH;
        r = process_signal(pidfd, signal);
        if (r >= 0 && ret_pidfd)
                *ret_pidfd = TAKE_FD(pidfd);
        return r;
}
