/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The twin of daemon/bus/flow-patience.c: an hour, so that nothing here depends on how fast it is,
 * or what a test has said (fake_machine_patience()). */

#include "daemon/bus/flow-patience.h"

#include "tests/bus/fake-machine.h"

uint64_t flow_patience_usec(void) {
        size_t seconds = fake_machine_patience();

        return (seconds > 0 ? seconds : 3600) * 1000 * 1000ULL;
}
