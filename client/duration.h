/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Lengths of time, as people type them ("90", "500ms", "10s", "2m") and read them ("12 s"), and
 * what a lease's deadline means at a given moment.
 */

#include <stdint.h>

/* Eleven days and a half: who wants to wait longer wants to wait for ever. */
#define DURATION_SECONDS_MAX UINT64_C(1000000)

/* Seconds, or with ms, s or m behind it. -EINVAL for any other text, -ERANGE above the maximum. */
int duration_parse(const char *text, uint64_t *ret_milliseconds);

/* "12 s", "3 min", "2 h"; begun seconds count whole, minutes and hours are rounded down. */
char *duration_text(uint64_t microseconds);

/* Of a lease: "held"; "releasing, 8 s left". Both times are in microseconds since 1970, 0: none. */
char *lease_state_text(const char *state, uint64_t deadline, uint64_t now);
