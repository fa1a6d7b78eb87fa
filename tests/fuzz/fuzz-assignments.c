/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* assignments.json, which vfiod and vfiod-assigned read: whole or refused with a sentence; and what
 * was read is written and read back as it was. */

#include <errno.h>
#include <string.h>

#include "daemon/core/assignment.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz.h"

static void write_back(const Assignments *assignments) {
        _cleanup_free_ char *text = assignments_write(assignments), *again = NULL, *error = NULL;
        _cleanup_assignments_ Assignments back = ASSIGNMENTS_NULL;

        MUST(text && assignments_read(text, &back, &error) == 0);
        again = assignments_write(&back);
        MUST(again && strcmp(text, again) == 0);
}

/* Each is found by its address, and gone when it is removed. */
static void take_apart(Assignments *assignments) {
        while (assignments->n > 0) {
                _cleanup_free_ char *device = strdup(assignments->items[assignments->n / 2].device);

                MUST(device && assignments_find(assignments, device));
                assignments_remove(assignments, device);
                MUST(!assignments_find(assignments, device));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size), *error = NULL;
        _cleanup_assignments_ Assignments assignments = ASSIGNMENTS_NULL;
        int r = assignments_read(text, &assignments, &error);

        MUST(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
        MUST((r < 0) == (error != NULL));
        MUST(r == 0 || !assignments.items);
        if (r == 0)
                write_back(&assignments);
        take_apart(&assignments);
        return 0;
}
