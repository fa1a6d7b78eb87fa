/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The step that reads what there is to know of a device. */

#include "daemon/broker/execute-private.h"
#include "daemon/kernel/inspect.h"
#include "daemon/util/string.h"

int run_inspect(Run *run, const Step *step) {
        Findings *findings = &run->results->findings;
        int file = handles_find(run->files, HANDLE_DEVICE, step->group, step->device);
        int r = inspect_read_device(file, step->device, findings);

        if (r >= 0 && strcmp(step->bus, "pci") == 0)
                r = inspect_read_resets(run->roots, step->device, findings);
        return r;
}
