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
#define FINDING_VALUES 5
#define FINDING_BYTES 64

typedef enum FindingKind {
        FINDING_IOAS,           /* values: its id in the iommufd */
        FINDING_IOVA_ALIGNMENT, /* bytes */
        FINDING_IOVA_RANGE,     /* first and last address that can be mapped */
        FINDING_DEVICE_ID,      /* of `device`: its id in the iommufd */
        /* Of `device`, by daemon/kernel/inspect.h: */
        FINDING_DEVICE_FLAGS, /* of vfio_device_info */
        FINDING_REGION,  /* index, flags of vfio_region_info, size, offset in the file, and 1 where
                            also the MSI-X table in it may be mapped */
        FINDING_AREA,    /* of the region before it: offset in it, size */
        FINDING_IRQ,     /* index, flags of vfio_irq_info, how many */
        FINDING_RESET,   /* bytes: the name of a method, zero-terminated */
        FINDING_HW_INFO, /* type of the data, capabilities, bits of a PASID */
        FINDING_HW_DATA, /* how many of `bytes` come next in the data */
        /* By daemon/kernel/mdev-types.h: */
        FINDING_MDEV_TYPE, /* of the parent `device`: how many can still be made */
        FINDING_MDEV_TEXT, /* of the type before it: which field, how many of `bytes` come next */
        FINDING_CDEV,      /* it was read through its cdev, and not through its group */
        _FINDING_KIND_MAX,
} FindingKind;

typedef struct Finding {
        FindingKind kind;
        char device[FINDING_DEVICE_MAX + 1]; /* "" where it is not about one */
        uint64_t values[FINDING_VALUES];
        uint8_t bytes[FINDING_BYTES];
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
