/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/wait.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/util/cleanup.h"

void wait_table_init(WaitTable *table) {
        list_init(&table->waits);
}

int wait_begin(WaitTable *table, Wait *wait, uid_t uid, uint64_t deadline, const uint32_t *groups,
               size_t n_groups) {
        *wait = (Wait){.uid = uid, .deadline = deadline, .n_groups = n_groups};
        wait->groups = calloc(n_groups + 1, sizeof(WaitGroup));
        if (!wait->groups)
                return -ENOMEM;
        for (size_t i = 0; i < n_groups; i++)
                wait->groups[i].number = groups[i];
        list_insert(&table->waits, &wait->link);
        return 0;
}

void wait_end(Wait *wait) {
        if (!wait->groups)
                return;
        list_remove(&wait->link);
        free(wait->groups);
        *wait = (Wait){0};
}

static const WaitGroup *find(const Wait *wait, uint32_t group) {
        for (size_t i = 0; i < wait->n_groups; i++)
                if (wait->groups[i].number == group)
                        return &wait->groups[i];
        return NULL;
}

bool wait_has_group(const Wait *wait, uint32_t group) {
        return find(wait, group);
}

void wait_see(Wait *wait, const Holds *holds) {
        for (size_t i = 0; i < wait->n_groups; i++) {
                WaitGroup *group = &wait->groups[i];
                bool held = holds_any(holds, group->number, hold_keeps_device);

                group->was_held = group->was_held || held;
                group->vacated = group->was_held && !held;
        }
}

bool wait_is_ready(const Wait *wait, const LeaseTable *leases, const Holds *holds) {
        for (size_t i = 0; i < wait->n_groups; i++) {
                const WaitGroup *group = &wait->groups[i];
                bool free = lease_table_find_group(leases, group->number)
                                    ? group->vacated
                                    : !holds || !holds_any(holds, group->number, hold_keeps_group);

                if (!free)
                        return false;
        }
        return true;
}

const Wait *wait_find_group(const WaitTable *table, uint32_t group) {
        list_for_each(link, &table->waits) {
                const Wait *wait = container_of(link, Wait, link);

                if (wait_has_group(wait, group))
                        return wait;
        }
        return NULL;
}

bool wait_is_vacated(const WaitTable *table, uint32_t group) {
        list_for_each(link, &table->waits) {
                const WaitGroup *found = find(container_of(link, Wait, link), group);

                if (found && found->vacated)
                        return true;
        }
        return false;
}

static bool has_any(const Wait *wait, const uint32_t *groups, size_t n_groups) {
        for (size_t i = 0; i < n_groups; i++)
                if (wait_has_group(wait, groups[i]))
                        return true;
        return false;
}

uint64_t wait_deadline(const WaitTable *table, const uint32_t *groups, size_t n_groups,
                       size_t *ret_waits) {
        uint64_t first = 0;

        *ret_waits = 0;
        list_for_each(link, &table->waits) {
                const Wait *wait = container_of(link, Wait, link);

                if (!has_any(wait, groups, n_groups))
                        continue;
                ++*ret_waits;
                if (wait->deadline && (!first || wait->deadline < first))
                        first = wait->deadline;
        }
        return first;
}

size_t wait_count(const WaitTable *table) {
        size_t n = 0;

        list_for_each(link, &table->waits)
                n++;
        return n;
}

size_t wait_count_uid(const WaitTable *table, uid_t uid) {
        size_t n = 0;

        list_for_each(link, &table->waits)
                n += container_of(link, Wait, link)->uid == uid;
        return n;
}
