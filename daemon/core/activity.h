/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Operations that are under way: a plan runs, and its groups are nobody else's business until it is
 * over. An activity whose worker is stuck in the kernel stays listed until the kernel lets go.
 */

#include <stddef.h>
#include <stdint.h>

#include "daemon/core/request.h"
#include "daemon/util/list.h"

typedef struct Activity {
        Operation operation;
        uid_t uid;
        uint32_t *groups;
        size_t n_groups;
        char *late; /* a sentence: the step that has not come back in time; NULL normally */
        List link;  /* ActivityTable.activities */
} Activity;

typedef struct ActivityTable {
        List activities;
} ActivityTable;

void activity_table_init(ActivityTable *table);

/* Copies the group numbers. The activity is in the table from now on. */
int activity_begin(ActivityTable *table, Activity *activity, Operation operation, uid_t uid,
                   const uint32_t *groups, size_t n_groups);
/* Harmless on an activity that never began, if it is zeroed. */
void activity_end(Activity *activity);

const Activity *activity_find_group(const ActivityTable *table, uint32_t group);
/* One that is late, on the group; NULL for none. */
const Activity *activity_find_late(const ActivityTable *table, uint32_t group);
/* One on any of the groups; NULL for none. */
const Activity *activity_find_any(const ActivityTable *table, const uint32_t *groups,
                                  size_t n_groups);
size_t activity_count(const ActivityTable *table);
size_t activity_count_uid(const ActivityTable *table, uid_t uid);
