/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Groups that cannot be used until the kernel lets go of them: a step that has not come back is
 * under way on them, or a lease of them has ended and a process that cannot be found has its files.
 */

#include <stdint.h>

#include "daemon/core/decide.h"

/* Of all devices of the group; NULL: it is not stuck. Borrowed. */
const char *stuck_reason(const World *world, uint32_t group);
