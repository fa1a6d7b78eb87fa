/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How an operation ended: done, refused (we said no) or failed (the kernel said no, and everything
 * was put back). The same value becomes the D-Bus reply and the journal record.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/broker/execute.h"
#include "daemon/core/decide.h"
#include "daemon/util/fd.h"

typedef struct Outcome {
        Refusal refusal;
        int error;      /* the -errno of a failure, else 0 */
        size_t step;    /* of the plan, that failed */
        char *failure;  /* its sentence: step, subject, errno; NULL for none */
        bool timed_out; /* a step did not return by the deadline */
        uint32_t lease; /* the lease acquired, joined, released; 0 for none */
        int lease_fd;   /* a read end of its pipe, for the reply; -EBADF for none */
        char **devices; /* of the lease: those whose files this operation opened; NULL for none */
        uint32_t *groups;
        size_t n_groups; /* the groups that it opened */
        Results results; /* what the plan saw: who has files of the groups, what it opened is like
                          */
        char *from;      /* "0000:03:01.0=e1000 ...", where drivers changed; NULL for none */
        char *to;
        char *plan;        /* the steps, "; " between them; NULL for none */
        bool no_iommu;     /* groups that have no IOMMU were opened by it */
        char **overridden; /* what safety would have refused; NULL for nothing */
        uint64_t duration_usec;
} Outcome;

#define OUTCOME_NULL {.lease_fd = -EBADF}

bool outcome_is_success(const Outcome *outcome);

/* The refusal's sentence or the failure's, "" for success. */
const char *outcome_sentence(const Outcome *outcome);

/* What moved where and how, for the record. -ENOMEM leaves it incomplete. */
int outcome_describe(Outcome *outcome, const Plan *plan);

/*
 * What a plan that did not succeed means. Errnos that tell something we have a word for become that
 * refusal (EBUSY on opening a group: HeldOutside), the others a failure that names the step.
 */
void outcome_judge(Outcome *outcome, const World *world, const Request *request, const Plan *plan,
                   const Progress *progress);

void outcome_done(Outcome *outcome);

#define _cleanup_outcome_ _cleanup_(outcome_done)
