/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a plan has found out that only its reply wants to know: numbers the kernel has given, one
 * record each. Plain values of a fixed size, so that a worker process can send them to the daemon
 * as they are; in the order in which they were found.
 */

#include <stddef.h>
#include <stdint.h>

#include "daemon/util/cleanup.h"

#define FINDING_DEVICE_MAX 128
#define FINDING_VALUES 4

typedef enum FindingKind {
        FINDING_IOAS,           /* values: its id in the iommufd */
        FINDING_IOVA_ALIGNMENT, /* bytes */
        FINDING_IOVA_RANGE,     /* first and last address that can be mapped */
        FINDING_DEVICE_ID,      /* of `device`: its id in the iommufd */
        _FINDING_KIND_MAX,
} FindingKind;

typedef struct Finding {
        FindingKind kind;
        char device[FINDING_DEVICE_MAX + 1]; /* "" where it is not about one */
        uint64_t values[FINDING_VALUES];
} Finding;

typedef struct Findings {
        Finding *findings;
        size_t n_findings;
} Findings;

#define FINDINGS_NULL {.findings = NULL}

/* Copies the finding to the end. -ENOMEM leaves them as they were. */
int findings_add(Findings *findings, const Finding *finding);
void findings_done(Findings *findings);

#define _cleanup_findings_ _cleanup_(findings_done)
