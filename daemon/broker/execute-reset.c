/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps that reset devices. */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/execute-private.h"
#include "daemon/kernel/vfio-pci.h"
#include "daemon/util/string.h"

int run_reset(const Run *run, const Step *step) {
        int r = strcmp(step->bus, "pci") == 0 ? pci_reset(run->roots, step->device) : 0;

        return step->optional ? 0 : r;
}

int run_reset_file(const Run *run, const Step *step) {
        return vfio_device_reset(run_find_device(run, step));
}

/* With the files of the groups, unless the device was opened as a cdev. */
int run_hot_reset(const Run *run, const Step *step) {
        int cdev = handles_find(run->files, HANDLE_CDEV, step->group, step->device);
        _cleanup_free_ int *groups = calloc(step->n_groups + 1, sizeof(int));

        if (!groups)
                return -ENOMEM;
        if (cdev >= 0)
                return vfio_pci_hot_reset(cdev, NULL, 0);
        for (size_t i = 0; i < step->n_groups; i++)
                groups[i] = handles_find(run->files, HANDLE_GROUP, step->groups[i], NULL);
        return vfio_pci_hot_reset(run_find_device(run, step), groups, step->n_groups);
}
