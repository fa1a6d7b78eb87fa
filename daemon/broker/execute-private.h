/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One run of a plan, for execute.c and execute-holders.c. */

#include "daemon/broker/execute.h"
#include "daemon/kernel/holders.h"

typedef struct Run {
        const Roots *roots;
        const Plan *plan;
        Handles *files;
        Holds *holds;
        const ExecuteHost *host;
        HolderSearch *search; /* made by the first step that looks; remembers mappings it has seen */
} Run;

/* Each is one step, and returns 0 or -errno. */
int run_find_holders(Run *run, const Step *step);
int run_expect_nobody(Run *run, const Step *step);
int run_evict(Run *run, const Step *step);
