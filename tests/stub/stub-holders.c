/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Twin of daemon/kernel/holders.c: the processes are those of stub->holders. */

#include "daemon/kernel/holders.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/stub/stub.h"

struct HolderSearch {
        uint32_t *groups;
        size_t n_groups;
        bool (*cancelled)(void *userdata);
        void *userdata;
};

static void copy_cdev(StubHolder *holder) {
        _cleanup_free_ char *what = string_format("cdev %s", holder->hold.device);
        const StubFile *file = stub_find_open(what);

        holder->file = file ? file->inode : 0;
}

StubHolder *stub_add_holder(pid_t pid, HoldKind kind, uint32_t group, const char *device) {
        StubHolder *holder = &stub->holders[stub->n_holders++];

        assert(stub->n_holders <= STUB_HOLDERS);
        *holder = (StubHolder){.hold = {.kind = kind,
                                        .pid = pid,
                                        .tid = pid,
                                        .group = group,
                                        .fd = 7,
                                        .start_time = (uint64_t)pid * 100,
                                        .command = "holder"}};
        if (device)
                (void)snprintf(holder->hold.device, sizeof(holder->hold.device), "%s", device);
        if (kind == HOLD_CDEV)
                copy_cdev(holder);
        return holder;
}

bool stub_is_held(uint32_t group, bool (*counts)(HoldKind kind)) {
        for (size_t i = 0; i < stub->n_holders; i++)
                if (!stub->holders[i].gone && stub->holders[i].hold.group == group &&
                    counts(stub->holders[i].hold.kind))
                        return true;
        return false;
}

int holder_search_new(const Roots *roots _unused_, const uint32_t *groups, size_t n_groups,
                      const HolderReference *references _unused_, size_t n_references _unused_,
                      pid_t vfiod _unused_, HolderSearch **ret) {
        HolderSearch *search = calloc(1, sizeof(HolderSearch));

        if (!search)
                return -ENOMEM;
        search->groups = calloc(n_groups + 1, sizeof(uint32_t));
        if (!search->groups) {
                free(search);
                return -ENOMEM;
        }
        if (n_groups > 0)
                memcpy(search->groups, groups, n_groups * sizeof(uint32_t));
        search->n_groups = n_groups;
        *ret = search;
        return 0;
}

void holder_search_set_cancelled(HolderSearch *search, bool (*cancelled)(void *userdata),
                                 void *userdata) {
        search->cancelled = cancelled;
        search->userdata = userdata;
}

HolderSearch *holder_search_free(HolderSearch *search) {
        if (search)
                free(search->groups);
        free(search);
        return NULL;
}

static bool is_found(const HolderSearch *search, const StubHolder *holder) {
        if (holder->gone || holder->hidden ||
            (holder->looks_before > 0 && stub->looks <= holder->looks_before))
                return false;
        for (size_t i = 0; i < search->n_groups; i++)
                if (search->groups[i] == holder->hold.group)
                        return true;
        return false;
}

int holder_search_all(HolderSearch *search, HolderSink sink, void *userdata) {
        int r = stub_call("look for holders");

        stub->looks++;
        while (stub->look_is_long && search->cancelled)
                if (search->cancelled(search->userdata))
                        return -ECANCELED;
        for (size_t i = 0; r >= 0 && i < stub->n_holders; i++) {
                StubHolder *holder = &stub->holders[i];

                if (!is_found(search, holder))
                        continue;
                r = sink(userdata, &holder->hold);
                if (holder->looks_left > 0 && --holder->looks_left == 0)
                        holder->gone = true;
        }
        return r;
}

int holder_search_process(HolderSearch *search, pid_t pid, HolderSink sink, void *userdata) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < stub->n_holders; i++)
                if (stub->holders[i].hold.pid == pid && is_found(search, &stub->holders[i]))
                        r = sink(userdata, &stub->holders[i].hold);
        return r;
}

static bool is_same_process(const Hold *a, const Hold *b) {
        return a->pid == b->pid && a->start_time == b->start_time;
}

/* Every file of the process has seen the signal. */
static void receive(const Hold *process, int signal) {
        for (size_t i = 0; i < stub->n_holders; i++) {
                StubHolder *holder = &stub->holders[i];

                if (holder->gone || !is_same_process(&holder->hold, process))
                        continue;
                holder->received++;
                holder->last_signal = signal;
                holder->gone =
                        holder->yields_to && (holder->yields_to == signal || signal == SIGKILL);
        }
}

int holder_signal(HolderSearch *search, const Hold *holder, bool (*counts)(HoldKind kind),
                  int signal, int *ret_pidfd) {
        bool found = false;
        int ends[2];

        for (size_t i = 0; i < stub->n_holders; i++)
                found = found ||
                        (is_same_process(&stub->holders[i].hold, holder) &&
                         is_found(search, &stub->holders[i]) && counts(stub->holders[i].hold.kind));
        if (!found || stub_call("send signal %d to %d", signal, holder->pid) < 0)
                return -ESRCH;
        receive(holder, signal);
        if (!ret_pidfd)
                return 0;
        if (pipe(ends) < 0)
                return -errno;
        /* Readable: the process has ended, or might have. */
        fd_close(ends[1]);
        *ret_pidfd = ends[0];
        return 0;
}
