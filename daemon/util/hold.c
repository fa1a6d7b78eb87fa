/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/util/hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[_HOLD_KIND_MAX] = {
        [HOLD_CONTAINER] = "container", [HOLD_IOMMUFD] = "iommufd", [HOLD_GROUP] = "group",
        [HOLD_DEVICE] = "device",       [HOLD_CDEV] = "cdev",       [HOLD_MAPPING] = "mapping",
        [HOLD_LEASE] = "lease",
};

const char *hold_kind_name(HoldKind kind) {
        return kind_names[kind];
}

bool hold_keeps_device(HoldKind kind) {
        return kind == HOLD_DEVICE || kind == HOLD_CDEV || kind == HOLD_MAPPING;
}

bool hold_keeps_group(HoldKind kind) {
        return kind == HOLD_GROUP || hold_keeps_device(kind);
}

static bool any_counts(uint32_t kinds, bool (*kind_counts)(HoldKind kind)) {
        for (HoldKind kind = 0; kind < _HOLD_KIND_MAX; kind++)
                if ((kinds & (1U << kind)) && kind_counts(kind))
                        return true;
        return false;
}

bool holds_any(const Holds *holds, uint32_t group, bool (*kind_counts)(HoldKind kind)) {
        for (size_t i = 0; i < holds->n_holds; i++)
                if (holds->holds[i].group == group && kind_counts(holds->holds[i].kind))
                        return true;
        for (size_t i = 0; i < holds->n_untold; i++)
                if (holds->untold[i].group == group &&
                    any_counts(holds->untold[i].kinds, kind_counts))
                        return true;
        return false;
}

static int compare_numbers(uint64_t a, uint64_t b) {
        return a < b ? -1 : a > b;
}

static int compare_processes(const Hold *a, const Hold *b) {
        int r = compare_numbers((uint64_t)a->pid, (uint64_t)b->pid);

        return r != 0 ? r : compare_numbers(a->start_time, b->start_time);
}

/* A file is its number in a table, a mapping its first address; what it is of follows from that. */
static int compare(const Hold *a, const Hold *b) {
        int r = compare_processes(a, b);

        if (r == 0)
                r = compare_numbers((uint64_t)a->tid, (uint64_t)b->tid);
        if (r == 0)
                r = compare_numbers(a->kind == HOLD_MAPPING, b->kind == HOLD_MAPPING);
        if (r == 0 && a->kind != HOLD_MAPPING)
                r = compare_numbers((uint64_t)a->fd, (uint64_t)b->fd);
        if (r == 0 && a->kind == HOLD_MAPPING)
                r = compare_numbers(a->map_first, b->map_first);
        return r;
}

int holds_add_untold(Holds *holds, const HoldsUntold *untold) {
        HoldsUntold *grown;

        for (size_t i = 0; i < holds->n_untold; i++)
                if (holds->untold[i].group == untold->group) {
                        holds->untold[i].kinds |= untold->kinds;
                        return 0;
                }
        grown = reallocarray(holds->untold, holds->n_untold + 1, sizeof(HoldsUntold));
        if (!grown)
                return -ENOMEM;
        holds->untold = grown;
        grown[holds->n_untold++] = *untold;
        return 0;
}

static int count_untold(Holds *holds, const Hold *hold) {
        const HoldsUntold untold = {.group = hold->group, .kinds = 1U << hold->kind};

        return holds_add_untold(holds, &untold);
}

static int count_process(Holds *holds, const Hold *hold) {
        if (holds->n_more == 0 || holds->last_more.pid != hold->pid ||
            holds->last_more.start_time != hold->start_time) {
                holds->n_more++;
                holds->last_more.pid = hold->pid;
                holds->last_more.start_time = hold->start_time;
                holds->last_more.keeps = false;
        }
        if (!holds->last_more.keeps && hold_keeps_group(hold->kind)) {
                holds->last_more.keeps = true;
                holds->n_more_keepers++;
        }
        return count_untold(holds, hold);
}

/* The holds of the process of `hold` are [*begin, *end). */
static void find_process(const Holds *holds, const Hold *hold, size_t *begin, size_t *end) {
        size_t at = holds->n_holds;

        while (at > 0 && compare_processes(&holds->holds[at - 1], hold) > 0)
                at--;
        *end = at;
        while (at > 0 && compare_processes(&holds->holds[at - 1], hold) == 0)
                at--;
        *begin = at;
}

static bool is_alike(const Hold *a, const Hold *b) {
        return a->kind == b->kind && a->group == b->group && strcmp(a->device, b->device) == 0;
}

static bool has_alike(const Holds *holds, size_t begin, size_t end, const Hold *hold) {
        for (size_t i = begin; i < end; i++)
                if (is_alike(&holds->holds[i], hold))
                        return true;
        return false;
}

/* The last of those that another one tells as much as; `end` for none. */
static size_t find_double(const Holds *holds, size_t begin, size_t end) {
        for (size_t i = end; i > begin; i--)
                if (has_alike(holds, begin, i - 1, &holds->holds[i - 1]))
                        return i - 1;
        return end;
}

/* Grown by powers of two, which are what there is room for. */
static int make_room(Holds *holds) {
        size_t n = holds->n_holds;
        Hold *grown;

        if ((n & (n - 1)) != 0)
                return 0;
        grown = reallocarray(holds->holds, n > 0 ? n * 2 : 1, sizeof(Hold));
        if (!grown)
                return -ENOMEM;
        holds->holds = grown;
        return 0;
}

static int insert(Holds *holds, size_t begin, size_t end, const Hold *hold) {
        size_t at = end;
        int r = make_room(holds);

        if (r < 0)
                return r;
        while (at > begin && compare(&holds->holds[at - 1], hold) > 0)
                at--;
        memmove(&holds->holds[at + 1], &holds->holds[at], (holds->n_holds - at) * sizeof(Hold));
        holds->holds[at] = *hold;
        holds->n_holds++;
        holds->n_processes += begin == end;
        return 0;
}

/* The process has as many as are told of. */
static int add_to_full(Holds *holds, size_t begin, size_t end, const Hold *hold) {
        size_t out = has_alike(holds, begin, end, hold) ? end : find_double(holds, begin, end);
        Hold whole = *hold;

        if (out == end) {
                holds->holds[begin].n_more += 1 + hold->n_more;
                return count_untold(holds, hold);
        }
        whole.n_more += holds->holds[out].n_more + 1;
        holds->n_holds--;
        memmove(&holds->holds[out], &holds->holds[out + 1], (holds->n_holds - out) * sizeof(Hold));
        return insert(holds, begin, end - 1, &whole);
}

int holds_add(Holds *holds, const Hold *hold) {
        size_t begin, end;

        find_process(holds, hold, &begin, &end);
        for (size_t i = begin; i < end; i++)
                if (compare(&holds->holds[i], hold) == 0)
                        return 0;
        if (begin == end && holds->n_processes >= HOLDS_PROCESSES_MAX)
                return count_process(holds, hold);
        if (end - begin >= HOLDS_FILES_MAX)
                return add_to_full(holds, begin, end, hold);
        return insert(holds, begin, end, hold);
}

void holds_done(Holds *holds) {
        free(holds->holds);
        free(holds->untold);
        *holds = (Holds)HOLDS_NULL;
}

size_t holds_next_process(const Holds *holds, size_t index) {
        size_t next = index;

        while (next < holds->n_holds &&
               compare_processes(&holds->holds[next], &holds->holds[index]) == 0)
                next++;
        return next;
}

uint32_t holds_more_files(const Holds *holds, size_t begin, size_t end) {
        uint32_t n = 0;

        for (size_t i = begin; i < end; i++)
                n += holds->holds[i].n_more;
        return n;
}
