/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps on iommufds and cdevs (daemon/kernel/iommufd.h). */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/broker/execute-private.h"
#include "daemon/kernel/iommufd.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

static int add_finding(Run *run, FindingKind kind, const char *device, uint64_t first,
                       uint64_t second) {
        Finding finding = {.kind = kind, .values = {first, second}};

        if (device)
                (void)snprintf(finding.device, sizeof(finding.device), "%s", device);
        return findings_add(&run->results->findings, &finding);
}

static int find_cdev(const Run *run, const Step *step) {
        return handles_find(run->files, HANDLE_CDEV, step->group, step->device);
}

static int find_iommufd(const Run *run, const Step *step) {
        return run_find_shared(run, HANDLE_IOMMUFD, step->group);
}

static uint32_t ioas_of(const Run *run, const Step *step) {
        return step->ioas ? step->ioas : run->ioas;
}

int run_open_iommufd(Run *run) {
        int fd = iommufd_open(run->roots);

        return fd < 0 ? fd : handles_add_consume(run->files, HANDLE_IOMMUFD, 0, NULL, fd);
}

int run_alloc_ioas(Run *run, const Step *step) {
        int r = iommufd_alloc_ioas(find_iommufd(run, step), &run->ioas);

        return r < 0 ? r : add_finding(run, FINDING_IOAS, NULL, run->ioas, 0);
}

int run_open_cdev(Run *run, const Step *step) {
        int fd = cdev_open(run->roots, step->bus, step->device);

        return fd < 0 ? fd
                      : handles_add_consume(run->files, HANDLE_CDEV, step->group, step->device, fd);
}

int run_bind_cdev(Run *run, const Step *step) {
        uint32_t id;
        int r = cdev_bind(find_cdev(run, step), find_iommufd(run, step), &id);

        return r < 0 ? r : add_finding(run, FINDING_DEVICE_ID, step->device, id, 0);
}

int run_attach_cdev(const Run *run, const Step *step) {
        return cdev_attach(find_cdev(run, step), ioas_of(run, step));
}

int undo_attach_cdev(const Run *run, const Step *step) {
        return cdev_detach(find_cdev(run, step));
}

int run_read_iovas(Run *run, const Step *step) {
        _cleanup_free_ IovaRange *ranges = NULL;
        uint64_t alignment;
        size_t n;
        int r;

        r = iommufd_read_iovas(find_iommufd(run, step), ioas_of(run, step), &ranges, &n,
                               &alignment);
        if (r >= 0)
                r = add_finding(run, FINDING_IOVA_ALIGNMENT, NULL, alignment, 0);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_finding(run, FINDING_IOVA_RANGE, NULL, ranges[i].first, ranges[i].last);
        return r;
}

/* Best effort: a cdev that nobody has bound is attached to nothing. */
int run_detach_cdev(Run *run, const Step *step) {
        run_trace(run, step)->done = cdev_detach(find_cdev(run, step)) >= 0;
        return 0;
}

/* What the receiver has attached it to by itself is not known to us. */
int undo_detach_cdev(Run *run, const Step *step) {
        if (!run_trace(run, step)->done || !step->ioas)
                return 0;
        return cdev_attach(find_cdev(run, step), step->ioas);
}

/*
 * Whether a copy of an unbound cdev is open somewhere, the kernel does not tell; of a bound one it
 * does, by not letting its group be opened. -EINVAL: its receiver has bound it already. -EPERM: not
 * this one but another of its group, which is one iommufd's as a whole.
 */
int run_seal_cdev(Run *run, const Step *step) {
        int cdev = find_cdev(run, step);
        uint32_t id;

        if (run->nobody < 0)
                run->nobody = iommufd_open(run->roots);
        if (cdev_bind(cdev, run->nobody, &id) == -EPERM)
                (void)cdev_bind(cdev, find_iommufd(run, step), &id);
        return 0;
}

/* With its last close the kernel resets the device and detaches it: what was done to it before is
 * not to be undone any more. */
int run_close_cdev(Run *run, const Step *step) {
        handles_close(run->files, HANDLE_CDEV, step->group, step->device);
        for (const Step *done = run->plan->steps; done < step; done++)
                if (string_equal(done->device, step->device))
                        run_trace(run, done)->done = false;
        return 0;
}
