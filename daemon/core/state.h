/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What vfiod must not forget when it is restarted, as text: the leases, what devices were on before
 * they were bound, and the plans that were under way. Everything else is read from the machine
 * again. Where the text is kept is daemon/persist/state-file.h.
 */

#include "daemon/core/decide.h"

/* Grows with every change that an older vfiod would misread. */
#define STATE_VERSION 1U

/* What a device that vfiod moved was on (topology.h, Original). */
typedef struct StateOriginal {
        char *device;
        char *driver;
        char *module;
        char *override;
        char *bound; /* NULL for none */
} StateOriginal;

/* A plan that was begun, and not struck out: write-ahead. */
typedef struct StatePlan {
        Operation operation;
        uid_t uid;      /* of who asked for it */
        uint32_t lease; /* that it is about; 0 for none */
        uint32_t *groups;
        size_t n_groups;
        Plan plan;
} StatePlan;

typedef struct State {
        LeaseTable leases;
        StateOriginal *originals;
        size_t n_originals;
        StatePlan *plans;
        size_t n_plans;
} State;

/* The leases and originals of this moment, and these plans. Allocated; NULL when memory ran out. */
char *state_write(const World *world, const StatePlan *plans, size_t n_plans);

/*
 * Reads all or nothing: what is not valid in itself is refused whole, because half a state is not
 * what was. Whether the machine still agrees with it is not looked at. -EBADMSG with *ret_error, a
 * sentence that names the place; -EPROTONOSUPPORT with a sentence when a newer vfiod has written
 * it; -ENOMEM.
 */
int state_read(const char *text, State *ret, char **ret_error);

/* Harmless on a zeroed State and on one that could not be read. */
void state_done(State *state);

#define _cleanup_state_ _cleanup_(state_done)
