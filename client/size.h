/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Amounts of memory as people type them: 4G, 512M, 64K, 4096. Pure. */

#include <stdint.h>

/* Bytes, at least 1. -EINVAL for what is no size, -ERANGE for what does not fit. */
int size_parse(const char *text, uint64_t *ret);
