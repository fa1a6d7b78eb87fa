/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps that make a device ready to be taken: it is asked for, and kept from the host's memory. */

#include "daemon/broker/execute-private.h"

#include "daemon/kernel/vfio-pci.h"

/* Best effort all three: whether the holder lets go does not hang on them. */
int run_request_device(const Run *run, const Step *step) {
        int fd = run_find_device(run, step);

        if (fd >= 0)
                (void)vfio_pci_request(fd);
        return 0;
}

int run_quiesce(const Run *run, const Step *step) {
        Trace *trace = run_trace(run, step);
        int fd = run_find_device(run, step);

        trace->done = fd >= 0 && vfio_pci_quiesce(fd, &trace->command) >= 0;
        return 0;
}

/* Also through a file that undo has opened anew: who else has the device open has kept it quiet. */
int undo_quiesce(const Run *run, const Step *step) {
        const Trace *trace = run_trace(run, step);
        int fd = run_find_device(run, step);

        return trace->done && !run->orphaned ? vfio_pci_restore(fd, trace->command) : 0;
}
