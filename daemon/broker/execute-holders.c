/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps that look for holders and make them let go (daemon/kernel/holders.h). */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "daemon/broker/execute-private.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"

/* A holder may let go without ending; how often it is looked for then. */
#define LOOK_FIRST_USEC (20 * 1000ULL)
#define LOOK_LAST_USEC (200 * 1000ULL)

/* More ends than this are not waited for at once; the others are found by looking. */
#define PIDFDS_MAX 256

/* A process that this step is to signal, or has signalled. */
typedef struct Target {
        pid_t pid;
        uint64_t start_time;
} Target;

typedef struct Targets {
        Target *targets;
        size_t n_targets;
} Targets;

typedef struct Eviction {
        Run *run;
        const Step *step;
        bool (*kind_counts)(HoldKind kind);
        Targets signalled;
        struct pollfd pidfds[PIDFDS_MAX];
        size_t n_pidfds;
        uint64_t deadline_usec; /* CLOCK_MONOTONIC */
        uint64_t pause_usec;
} Eviction;

/* One look of an eviction. What is told of holders is bounded; whom to signal is not. */
typedef struct Sight {
        const Eviction *eviction;
        Holds holds;
        Targets found; /* everybody whose file counts */
} Sight;

/* Nodes of groups and devices need no file to compare with: their numbers tell. */
static bool hold_kind_of(HandleKind kind, HoldKind *ret) {
        switch (kind) {
        case HANDLE_CONTAINER:
                *ret = HOLD_CONTAINER;
                return true;
        case HANDLE_IOMMUFD:
                *ret = HOLD_IOMMUFD;
                return true;
        case HANDLE_DEVICE:
                *ret = HOLD_DEVICE;
                return true;
        case HANDLE_LEASE:
                *ret = HOLD_LEASE;
                return true;
        case HANDLE_GROUP:
        case HANDLE_CDEV:
        case HANDLE_CLAIM:
                break;
        }
        return false;
}

static HolderReference *references_of(const Handles *files, size_t *ret_n) {
        HolderReference *references = calloc(files->n_handles + 1, sizeof(HolderReference));

        *ret_n = 0;
        for (size_t i = 0; references && i < files->n_handles; i++) {
                const Handle *file = &files->handles[i];
                HoldKind kind;

                if (hold_kind_of(file->kind, &kind))
                        references[(*ret_n)++] = (HolderReference){
                                .kind = kind,
                                .group = file->group,
                                .device = file->device,
                                .fd = file->fd,
                        };
        }
        return references;
}

static bool has_group(const uint32_t *groups, size_t n, uint32_t group) {
        for (size_t i = 0; i < n; i++)
                if (groups[i] == group)
                        return true;
        return false;
}

/* Every group that any step of the plan looks at, so that one search does for all of them. */
static uint32_t *groups_of(const Plan *plan, size_t *ret_n) {
        uint32_t *groups;
        size_t n = 0;

        for (size_t i = 0; i < plan->n_steps; i++)
                n += plan->steps[i].n_groups;
        groups = calloc(n + 1, sizeof(uint32_t));
        *ret_n = 0;
        for (size_t i = 0; groups && i < plan->n_steps; i++)
                for (size_t j = 0; j < plan->steps[i].n_groups; j++)
                        if (!has_group(groups, *ret_n, plan->steps[i].groups[j]))
                                groups[(*ret_n)++] = plan->steps[i].groups[j];
        return groups;
}

static int prepare_search(Run *run) {
        _cleanup_free_ HolderReference *references = NULL;
        _cleanup_free_ uint32_t *groups = NULL;
        size_t n_references, n_groups;
        int r;

        if (run->search)
                return 0;
        references = references_of(run->files, &n_references);
        groups = groups_of(run->plan, &n_groups);
        if (!references || !groups)
                return -ENOMEM;
        r = holder_search_new(run->roots, groups, n_groups, references, n_references,
                              run->host->vfiod, &run->search);
        if (r >= 0)
                holder_search_set_cancelled(run->search, run->host->cancelled, run->host->userdata);
        return r;
}

static int collect(void *userdata, const Hold *hold) {
        return holds_add(userdata, hold);
}

static int look(Run *run, Holds *ret) {
        int r = prepare_search(run);

        return r < 0 ? r : holder_search_all(run->search, collect, ret);
}

static void set_holds(Run *run, Holds *holds) {
        holds_done(&run->results->holds);
        run->results->holds = *holds;
        *holds = (Holds)HOLDS_NULL;
}

int run_find_holders(Run *run, const Step *step _unused_) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        int r = look(run, &holds);

        if (r >= 0)
                set_holds(run, &holds);
        return r;
}

static bool counts(const Step *step, const Hold *hold, bool (*kind_counts)(HoldKind kind)) {
        return has_group(step->groups, step->n_groups, hold->group) && kind_counts(hold->kind);
}

int run_expect_nobody(Run *run, const Step *step) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        bool found = false;
        int r = look(run, &holds);

        if (r < 0)
                return r;
        for (size_t i = 0; i < step->n_groups; i++)
                found = found || holds_any(&holds, step->groups[i], hold_keeps_group);
        set_holds(run, &holds);
        return found ? -EBUSY : 0;
}

static int add_target(Targets *targets, pid_t pid, uint64_t start_time) {
        Target *grown = reallocarray(targets->targets, targets->n_targets + 1, sizeof(Target));

        if (!grown)
                return -ENOMEM;
        targets->targets = grown;
        grown[targets->n_targets++] = (Target){.pid = pid, .start_time = start_time};
        return 0;
}

static bool is_target(const Target *target, pid_t pid, uint64_t start_time) {
        return target->pid == pid && target->start_time == start_time;
}

static int see(void *userdata, const Hold *hold) {
        Sight *sight = userdata;
        const Eviction *eviction = sight->eviction;
        Targets *found = &sight->found;
        int r = holds_add(&sight->holds, hold);

        if (r < 0 || !counts(eviction->step, hold, eviction->kind_counts))
                return r;
        /* The files of a process come one after the other. */
        if (found->n_targets > 0 &&
            is_target(&found->targets[found->n_targets - 1], hold->pid, hold->start_time))
                return 0;
        return add_target(found, hold->pid, hold->start_time);
}

static void sight_done(Sight *sight) {
        holds_done(&sight->holds);
        free(sight->found.targets);
}

static bool is_signalled(const Eviction *eviction, const Target *target) {
        for (size_t i = 0; i < eviction->signalled.n_targets; i++)
                if (is_target(&eviction->signalled.targets[i], target->pid, target->start_time))
                        return true;
        return false;
}

static int remember(Eviction *eviction, const Target *target, int pidfd) {
        int r = add_target(&eviction->signalled, target->pid, target->start_time);

        if (r < 0 || eviction->n_pidfds == PIDFDS_MAX)
                fd_close(pidfd);
        else
                eviction->pidfds[eviction->n_pidfds++] =
                        (struct pollfd){.fd = pidfd, .events = POLLIN};
        return r;
}

static int signal_holders(Eviction *eviction, const Targets *found) {
        for (size_t i = 0; i < found->n_targets; i++) {
                const Target *target = &found->targets[i];
                const Hold holder = {.pid = target->pid, .start_time = target->start_time};
                int pidfd, r;

                if (is_signalled(eviction, target))
                        continue;
                r = holder_signal(eviction->run->search, &holder, eviction->kind_counts,
                                  eviction->step->signal, &pidfd);
                if (r >= 0)
                        r = remember(eviction, target, pidfd);
                /* Whoever could not be signalled, out of pidfds say, is tried again next time. */
                if (r == -ENOMEM)
                        return r;
        }
        return 0;
}

/* Until a process ends, but not for longer than the pause. */
static void wait_a_little(Eviction *eviction, uint64_t now) {
        uint64_t left = eviction->deadline_usec - now;

        eviction->pause_usec =
                clock_back_off(eviction->pause_usec, LOOK_FIRST_USEC, LOOK_LAST_USEC);
        /* Rounded up: a wait of 0 ms would not be one. */
        (void)poll(eviction->pidfds, eviction->n_pidfds,
                   (int)((left < eviction->pause_usec ? left : eviction->pause_usec) / 1000) + 1);
        for (size_t i = 0; i < eviction->n_pidfds;) {
                if (!eviction->pidfds[i].revents) {
                        i++;
                        continue;
                }
                fd_close(eviction->pidfds[i].fd);
                eviction->pidfds[i] = eviction->pidfds[--eviction->n_pidfds];
        }
}

/* 0: nobody is left; -EBUSY: somebody is, at the end of the grace; 1: look again. */
static int evict_once(Eviction *eviction) {
        _cleanup_(sight_done) Sight sight = {.eviction = eviction};
        Run *run = eviction->run;
        uint64_t now;
        int r;

        r = prepare_search(run);
        if (r >= 0)
                r = holder_search_all(run->search, see, &sight);
        if (r < 0 || sight.found.n_targets == 0)
                return r < 0 ? r : 0;
        r = signal_holders(eviction, &sight.found);
        if (r < 0)
                return r;
        if (run->host->cancelled(run->host->userdata))
                return -ECANCELED;
        now = clock_now(CLOCK_MONOTONIC);
        if (now >= eviction->deadline_usec) {
                if (!eviction->step->optional)
                        set_holds(run, &sight.holds);
                return -EBUSY;
        }
        wait_a_little(eviction, now);
        return 1;
}

/* Whoever comes to hold a file meanwhile, a child of a holder say, is signalled too. */
int run_evict(Run *run, const Step *step) {
        Eviction eviction = {
                .run = run,
                .step = step,
                .kind_counts = step->and_group_files ? hold_keeps_group : hold_keeps_device,
                .deadline_usec = clock_now(CLOCK_MONOTONIC) + step->grace_ms * 1000ULL,
        };
        int r;

        do
                r = evict_once(&eviction);
        while (r > 0);
        for (size_t i = 0; i < eviction.n_pidfds; i++)
                fd_close(eviction.pidfds[i].fd);
        free(eviction.signalled.targets);
        return r == -EBUSY && step->optional ? 0 : r;
}
