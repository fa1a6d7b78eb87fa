/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Link-time twin of daemon/kernel/inspect-calls.h: answers as a test has written them. */

#include <stdbool.h>

#include "daemon/kernel/inspect-calls.h"

#define STUB_REGIONS 10
#define STUB_ANSWER 8192

/* One region's answer: as many bytes of it as the caller has room for. */
typedef struct StubRegion {
        int error;
        uint32_t needs; /* bytes that it says it takes; 0: as many as it is given */
        union {
                struct vfio_region_info info;
                char bytes[STUB_ANSWER];
        };
} StubRegion;

typedef struct StubAnswers {
        int device_error;
        struct vfio_device_info device;
        StubRegion regions[STUB_REGIONS];
        bool grows; /* no room is ever enough */
        unsigned region_calls;
        int irq_errors[STUB_REGIONS];
        struct vfio_irq_info irqs[STUB_REGIONS];
        int hw_error;
        struct iommufd_hw_info_v1 hw;
        uint8_t hw_data[STUB_ANSWER];
        struct iommufd_hw_info_v1 hw_asked;
} StubAnswers;

extern StubAnswers stub_answers;
