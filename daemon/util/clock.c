/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/util/clock.h"

uint64_t clock_now(clockid_t clock) {
        struct timespec now = {0};

        (void)clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_back_off(uint64_t previous, uint64_t first, uint64_t last) {
        uint64_t next = previous ? previous * 2 : first;

        return next < last ? next : last;
}
