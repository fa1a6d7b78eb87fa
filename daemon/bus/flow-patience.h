/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* How long files wait for room on the bus before they are refused; microseconds. */
uint64_t flow_patience_usec(void);
