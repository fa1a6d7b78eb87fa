/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One run of a plan, for execute.c and execute-holders.c. */

#include "daemon/broker/execute.h"
#include "daemon/kernel/holders.h"

/* What undoing a step has to know of how it went. */
typedef struct Trace {
        bool done;        /* UNSET_CONTAINER, QUIESCE: it had an effect */
        uint16_t command; /* QUIESCE: the register before */
} Trace;

typedef struct Run {
        const Roots *roots;
        const Plan *plan;
        Handles *files;
        Results *results;
        const ExecuteHost *host;
        Trace *traces; /* one for each step of the plan */
        bool orphaned; /* undoing: a group's last device was unbound, and the file of it is none any
                          more */
        /* Made by the first step that looks; remembers mappings it has seen. */
        HolderSearch *search;
} Run;

/* Each is one step, and returns 0 or -errno. */
int run_find_holders(Run *run, const Step *step);
int run_expect_nobody(Run *run, const Step *step);
int run_evict(Run *run, const Step *step);
