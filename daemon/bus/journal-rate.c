/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/journal-rate.h"

#include <stdlib.h>
#include <time.h>

#include "daemon/bus/journal.h"
#include "daemon/util/clock.h"

#define RECORDS_MAX 32
#define WINDOW_USEC (10 * 1000 * 1000ULL)

/* Of one uid, in one window of time. */
typedef struct Refusals {
        uid_t uid;
        uint64_t until; /* microseconds, CLOCK_MONOTONIC */
        uint64_t n;
        List link; /* Bus.refusals */
} Refusals;

static void end(Refusals *refusals) {
        if (refusals->n > RECORDS_MAX)
                journal_unrecorded(refusals->uid, refusals->n - RECORDS_MAX);
        list_remove(&refusals->link);
        free(refusals);
}

static void end_before(Bus *bus, uint64_t now) {
        list_for_each_safe(link, &bus->refusals) {
                Refusals *refusals = container_of(link, Refusals, link);

                if (refusals->until <= now)
                        end(refusals);
        }
}

static Refusals *find(const Bus *bus, uid_t uid) {
        list_for_each(link, &bus->refusals) {
                Refusals *refusals = container_of(link, Refusals, link);

                if (refusals->uid == uid)
                        return refusals;
        }
        return NULL;
}

static Refusals *begin(Bus *bus, uid_t uid, uint64_t now) {
        Refusals *refusals = calloc(1, sizeof(Refusals));

        if (!refusals)
                return NULL;
        refusals->uid = uid;
        refusals->until = now + WINDOW_USEC;
        list_insert(&bus->refusals, &refusals->link);
        return refusals;
}

bool journal_rate_allows(Bus *bus, uid_t uid) {
        uint64_t now = clock_now(CLOCK_MONOTONIC);
        Refusals *refusals;

        end_before(bus, now);
        if (uid == 0)
                return true;
        refusals = find(bus, uid) ?: begin(bus, uid, now);
        return !refusals || ++refusals->n <= RECORDS_MAX;
}

void journal_rate_done(Bus *bus) {
        end_before(bus, UINT64_MAX);
}
