/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The twin of daemon/kernel/holders.c: a list. Who is signalled ends at once. */

#include "daemon/kernel/holders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"
#include "tests/fuzz/fuzz-world.h"
#include "tests/fuzz/fuzz.h"

struct HolderSearch {
        uint32_t *groups;
        size_t n_groups;
};

static Holds listed;

void listed_holders_add(const Hold *hold) {
        MUST(holds_add(&listed, hold) >= 0);
}

void listed_holders_forget(void) {
        holds_done(&listed);
}

int holder_search_new(const Roots *roots _unused_, const uint32_t *groups, size_t n_groups,
                      const HolderReference *references _unused_, size_t n_references _unused_,
                      pid_t vfiod _unused_, HolderSearch **ret) {
        HolderSearch *search = calloc(1, sizeof(HolderSearch));

        MUST(search);
        search->groups = calloc(n_groups + 1, sizeof(uint32_t));
        MUST(search->groups);
        if (n_groups > 0)
                memcpy(search->groups, groups, n_groups * sizeof(uint32_t));
        search->n_groups = n_groups;
        *ret = search;
        return 0;
}

/* No look takes long here. */
void holder_search_set_cancelled(HolderSearch *search _unused_,
                                 bool (*cancelled)(void *userdata) _unused_,
                                 void *userdata _unused_) {
}

HolderSearch *holder_search_free(HolderSearch *search) {
        if (search)
                free(search->groups);
        free(search);
        return NULL;
}

static bool is_searched(const HolderSearch *search, const Hold *hold) {
        for (size_t i = 0; i < search->n_groups; i++)
                if (search->groups[i] == hold->group)
                        return true;
        return false;
}

/* 0 for all processes. */
static int search_listed(const HolderSearch *search, pid_t pid, HolderSink sink, void *userdata) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < listed.n_holds; i++)
                if ((pid == 0 || listed.holds[i].pid == pid) &&
                    is_searched(search, &listed.holds[i]))
                        r = sink(userdata, &listed.holds[i]);
        return r;
}

int holder_search_process(HolderSearch *search, pid_t pid, HolderSink sink, void *userdata) {
        return search_listed(search, pid, sink, userdata);
}

int holder_search_all(HolderSearch *search, HolderSink sink, void *userdata) {
        int r = fake_machine_obey("look", "any");

        return r < 0 ? r : search_listed(search, 0, sink, userdata);
}

int holder_signal(HolderSearch *search _unused_, const Hold *holder,
                  bool (*counts)(HoldKind kind) _unused_, int number, int *ret_pidfd) {
        size_t kept = 0;

        fake_machine_log("signal %d to %d", number, holder->pid);
        for (size_t i = 0; i < listed.n_holds; i++)
                if (listed.holds[i].pid != holder->pid)
                        listed.holds[kept++] = listed.holds[i];
        if (kept == listed.n_holds)
                return -ESRCH;
        listed.n_holds = kept;
        /* Readable, as the pidfd of a process that has ended. */
        if (ret_pidfd)
                *ret_pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return 0;
}
