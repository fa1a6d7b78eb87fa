/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps on groups, containers, and devices that are opened through their group. */

#include "daemon/broker/execute-private.h"

#include <errno.h>
#include <linux/vfio.h>

#include "daemon/kernel/vfio.h"
#include "daemon/util/fd.h"

static int find_container(const Run *run, uint32_t group) {
        return run_find_shared(run, HANDLE_CONTAINER, group);
}

int run_open_container(const Run *run) {
        int fd = vfio_open_container(run->roots);

        return fd < 0 ? fd : handles_add_consume(run->files, HANDLE_CONTAINER, 0, NULL, fd);
}

static int open_group_as(const Run *run, HandleKind kind, const Step *step) {
        int fd = vfio_open_group(run->roots, step->group, step->no_iommu);

        return fd < 0 ? fd : handles_add_consume(run->files, kind, step->group, NULL, fd);
}

/* The kernel, not our table, has the last word on viability. */
int run_open_group(const Run *run, const Step *step) {
        bool viable;
        int r;

        r = open_group_as(run, HANDLE_GROUP, step);
        if (r < 0)
                return r;
        r = vfio_group_is_viable(handles_find(run->files, HANDLE_GROUP, step->group, NULL),
                                 &viable);
        if (r >= 0 && !viable)
                r = -EPERM;
        if (r < 0)
                handles_close(run->files, HANDLE_GROUP, step->group, NULL);
        return r;
}

/* A node that is gone cannot be held by anybody: the group's last vfio device has left it. */
int run_test_group(const Run *run, const Step *step) {
        _cleanup_close_ int fd = vfio_open_group(run->roots, step->group, step->no_iommu);

        return fd == -ENOENT || fd == -ENODEV || fd == -ENXIO || fd >= 0 ? 0 : fd;
}

int run_set_container(const Run *run, const Step *step) {
        return vfio_group_set_container(handles_find(run->files, HANDLE_GROUP, step->group, NULL),
                                        find_container(run, step->group));
}

int run_set_iommu(const Run *run, const Step *step) {
        return vfio_container_set_iommu(find_container(run, step->group),
                                        step->no_iommu ? VFIO_NOIOMMU_IOMMU : VFIO_TYPE1v2_IOMMU);
}

/* A group that is in no container (-EINVAL) is where it is to be: its holder has taken it out. */
int run_unset_container(const Run *run, const Step *step) {
        int r = vfio_group_unset_container(
                handles_find(run->files, HANDLE_GROUP, step->group, NULL));

        run_trace(run, step)->done = r >= 0;
        return r == -EINVAL ? 0 : r;
}

/* With its last group the container has lost its IOMMU (drivers/vfio/container.c,
 * vfio_group_detach_container); with others in it, setting it says -EINVAL. -ENODEV: the group's
 * last device was unbound meanwhile, and our file of it is an orphan (unbind.c lets go of it). */
int undo_unset_container(Run *run, const Step *step) {
        int r;

        if (!run_trace(run, step)->done)
                return 0;
        r = run_set_container(run, step);
        if (r >= 0)
                r = run_set_iommu(run, step);
        run->orphaned = run->orphaned || r == -ENODEV;
        return r == -EINVAL || r == -ENODEV ? 0 : r;
}

int run_get_device(const Run *run, const Step *step) {
        int fd = vfio_group_get_device(handles_find(run->files, HANDLE_GROUP, step->group, NULL),
                                       step->device);

        return fd < 0 ? fd
                      : handles_add_consume(run->files, HANDLE_DEVICE, step->group, step->device,
                                            fd);
}

int undo_close_device(const Run *run, const Step *step) {
        int r = run_get_device(run, step);

        return step->optional || run->orphaned ? 0 : r;
}

int run_claim_group(const Run *run, const Step *step) {
        return open_group_as(run, HANDLE_CLAIM, step);
}
