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

bool holds_any(const Holds *holds, uint32_t group, bool (*kind_counts)(HoldKind kind)) {
        for (size_t i = 0; i < holds->n_holds; i++)
                if (holds->holds[i].group == group && kind_counts(holds->holds[i].kind))
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

int holds_add(Holds *holds, const Hold *hold) {
        size_t at = holds->n_holds;
        Hold *grown;

        while (at > 0 && compare(&holds->holds[at - 1], hold) > 0)
                at--;
        if (at > 0 && compare(&holds->holds[at - 1], hold) == 0)
                return 0;
        grown = reallocarray(holds->holds, holds->n_holds + 1, sizeof(Hold));
        if (!grown)
                return -ENOMEM;
        holds->holds = grown;
        memmove(&grown[at + 1], &grown[at], (holds->n_holds - at) * sizeof(Hold));
        grown[at] = *hold;
        holds->n_holds++;
        return 0;
}

void holds_done(Holds *holds) {
        free(holds->holds);
        *holds = (Holds)HOLDS_NULL;
}

size_t holds_next_process(const Holds *holds, size_t index) {
        size_t next = index;

        while (next < holds->n_holds &&
               compare_processes(&holds->holds[next], &holds->holds[index]) == 0)
                next++;
        return next;
}
