/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/activity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void activity_table_init(ActivityTable *table) {
        list_init(&table->activities);
}

int activity_begin(ActivityTable *table, Activity *activity, Operation operation, uid_t uid,
                   const uint32_t *groups, size_t n_groups) {
        *activity = (Activity){.operation = operation, .uid = uid, .n_groups = n_groups};
        activity->groups = calloc(n_groups + 1, sizeof(uint32_t));
        if (!activity->groups)
                return -ENOMEM;
        if (n_groups > 0)
                memcpy(activity->groups, groups, n_groups * sizeof(uint32_t));
        list_insert(&table->activities, &activity->link);
        return 0;
}

void activity_end(Activity *activity) {
        free(activity->late);
        activity->late = NULL;
        if (!activity->groups)
                return;
        list_remove(&activity->link);
        free(activity->groups);
        *activity = (Activity){0};
}

static bool has_group(const Activity *activity, uint32_t group) {
        for (size_t i = 0; i < activity->n_groups; i++)
                if (activity->groups[i] == group)
                        return true;
        return false;
}

const Activity *activity_find_group(const ActivityTable *table, uint32_t group) {
        list_for_each(link, &table->activities) {
                const Activity *activity = container_of(link, Activity, link);

                if (has_group(activity, group))
                        return activity;
        }
        return NULL;
}

const Activity *activity_find_late(const ActivityTable *table, uint32_t group) {
        list_for_each(link, &table->activities) {
                const Activity *activity = container_of(link, Activity, link);

                if (activity->late && has_group(activity, group))
                        return activity;
        }
        return NULL;
}

const Activity *activity_find_any(const ActivityTable *table, const uint32_t *groups,
                                  size_t n_groups) {
        const Activity *found = NULL;

        for (size_t i = 0; !found && i < n_groups; i++)
                found = activity_find_group(table, groups[i]);
        return found;
}

size_t activity_count(const ActivityTable *table) {
        size_t n = 0;

        list_for_each(link, &table->activities)
                n++;
        return n;
}

size_t activity_count_uid(const ActivityTable *table, uid_t uid) {
        size_t n = 0;

        list_for_each(link, &table->activities)
                n += container_of(link, Activity, link)->uid == uid;
        return n;
}
