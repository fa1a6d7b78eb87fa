/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Times, in microseconds everywhere. */

#include <stdint.h>
#include <time.h>

/* Of CLOCK_MONOTONIC for durations and deadlines of our own, of CLOCK_REALTIME for what is shown.
 */
uint64_t clock_now(clockid_t clock);

/* The pause after `previous` (0: the first): twice as long, from `first` up to `last`. */
uint64_t clock_back_off(uint64_t previous, uint64_t first, uint64_t last);
