/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps on virtual functions. */

#include <errno.h>

#include "daemon/broker/execute-private.h"
#include "daemon/kernel/sriov.h"

/* A driver may make fewer than it was told, which the kernel only logs: that is no success. */
int run_set_vfs(const Run *run, const Step *step) {
        uint32_t present;
        int r = sriov_set_vfs(run->roots, step->device, step->n_vfs);

        if (r < 0)
                return r;
        r = sriov_count_vfs(run->roots, step->device, &present);
        if (r >= 0 && present == step->n_vfs)
                return 0;
        (void)sriov_set_vfs(run->roots, step->device, step->n_vfs_old);
        return r < 0 ? r : -ENOSPC;
}
