/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A file of its own, so that tests can have a twin of it with more patience. */

#include "daemon/bus/flow-patience.h"

uint64_t flow_patience_usec(void) {
        return 5 * 1000 * 1000ULL;
}
