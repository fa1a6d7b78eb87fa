/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/stuck.h"

const char *stuck_reason(const World *world, uint32_t group) {
        const Activity *late = activity_find_late(&world->activities, group);
        const Lease *lease = lease_table_find_group(&world->leases, group);

        if (late)
                return late->late;
        return lease && lease->stuck
                       ? "it was given back, but a process that cannot be found still has it open"
                       : NULL;
}
