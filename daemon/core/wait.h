/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Unbinds that wait for holders to let go. While one waits for a group, nobody new is given it. The
 * waiting itself is daemon/broker/wait.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/core/lease.h"
#include "daemon/util/hold.h"
#include "daemon/util/list.h"

typedef struct WaitGroup {
        uint32_t number;
        bool was_held; /* when it was asked for, a process had a device of it open or mapped */
        bool vacated;  /* and now none has: given back, whatever else its holder keeps */
} WaitGroup;

typedef struct Wait {
        uid_t uid;
        uint64_t deadline; /* microseconds, CLOCK_REALTIME; 0 for none */
        WaitGroup *groups;
        size_t n_groups;
        List link; /* WaitTable.waits */
} Wait;

typedef struct WaitTable {
        List waits;
} WaitTable;

void wait_table_init(WaitTable *table);

/* Copies the group numbers. The wait is in the table from now on. */
int wait_begin(WaitTable *table, Wait *wait, uid_t uid, uint64_t deadline, const uint32_t *groups,
               size_t n_groups);
/* Harmless on a wait that never began, if it is zeroed. */
void wait_end(Wait *wait);

/* What a look has shown about each group: was_held and vacated follow from it. */
void wait_see(Wait *wait, const Holds *holds);

/*
 * An unbind may succeed, as far as can be told: the leased groups are vacated, the others not among
 * the holds. With NULL for holds nothing is said against the others.
 */
bool wait_is_ready(const Wait *wait, const LeaseTable *leases, const Holds *holds);

bool wait_has_group(const Wait *wait, uint32_t group);

const Wait *wait_find_group(const WaitTable *table, uint32_t group);
/* Somebody who waits for the group has seen that its devices were let go of. */
bool wait_is_vacated(const WaitTable *table, uint32_t group);
/* The first deadline of those who wait for any of the groups; 0 for none. *ret_waits: how many. */
uint64_t wait_deadline(const WaitTable *table, const uint32_t *groups, size_t n_groups,
                       size_t *ret_waits);
size_t wait_count(const WaitTable *table);
size_t wait_count_uid(const WaitTable *table, uid_t uid);
