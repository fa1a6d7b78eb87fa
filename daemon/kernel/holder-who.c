/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who a process is, and whether it is one to be reported. Read only of those that have something.
 */

#include <stdlib.h>

#include "daemon/kernel/holder-private.h"
#include "daemon/kernel/process-stat.h"
#include "daemon/kernel/process.h"
#include "daemon/kernel/sysfs.h"
#include "daemon/util/string.h"

/* include/linux/sched.h; the field `flags` of proc(5), stat. */
#define PF_KTHREAD 0x00200000

/* vfiod's workers, and the processes that look through a crowd for one of those: they have copies
 * of all that the worker was given. */
static bool is_ours(const HolderSearch *search, pid_t parent) {
        return parent == search->vfiod || holder_is_worker(search, parent);
}

static int read_who(HolderProcess *process) {
        _cleanup_free_ char *command = NULL;
        Hold *who = &process->who;
        unsigned flags = 0;
        pid_t parent = 0;
        uid_t uids[3];
        int r = process_read_stat(process->dir, &parent, &flags, &who->start_time);

        if (r < 0)
                return r;
        if ((flags & PF_KTHREAD) || is_ours(process->search, parent))
                return -ESRCH;
        r = process_read_uids(process->dir, uids);
        if (r >= 0)
                r = sysfs_read(process->dir, "comm", &command);
        if (r < 0)
                return r;
        who->uid = uids[1];
        (void)string_quotable(command, who->command, sizeof(who->command));
        process_unit(who->pid, who->unit, sizeof(who->unit));
        return 0;
}

int holder_process_know(HolderProcess *process) {
        int r;

        if (process->known)
                return 0;
        r = read_who(process);
        process->known = r >= 0;
        process->over = !process->known;
        process->result = holder_passes(r) ? 0 : r;
        return r;
}

int holder_process_report(HolderProcess *process, const Hold *hold) {
        Hold whole = *hold;
        int r = holder_process_know(process);

        if (r < 0)
                return r;
        whole.pid = process->who.pid;
        if (whole.tid == 0)
                whole.tid = whole.pid;
        whole.uid = process->who.uid;
        whole.start_time = process->who.start_time;
        memcpy(whole.command, process->who.command, sizeof(whole.command));
        memcpy(whole.unit, process->who.unit, sizeof(whole.unit));
        process->result = process->sink(process->userdata, &whole);
        process->over = process->result < 0;
        return process->result;
}
