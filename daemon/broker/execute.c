/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/execute-private.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/kernel/driver.h"
#include "daemon/kernel/module.h"
#include "daemon/kernel/vfio-pci.h"
#include "daemon/kernel/vfio.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

/* How long a step that waits for a file to be closed pauses between two tries. */
#define RETRY_MS 20

Trace *run_trace(const Run *run, const Step *step) {
        return &run->traces[step - run->plan->steps];
}

static int run_load_module(const Run *run, const Step *step) {
        int r = module_load(run->roots, step->module);

        return step->optional ? 0 : r;
}

/* -ENODEV: somebody was quicker; fine as long as nobody has it now. */
static int run_unbind(const Run *run, const Step *step) {
        _cleanup_free_ char *driver = NULL;
        int r, q;

        r = driver_unbind(run->roots, step->bus, step->device, step->driver);
        if (r != -ENODEV && r != -ENOENT)
                return r;
        q = driver_read(run->roots, step->bus, step->device, &driver);
        if (q < 0)
                return q;
        return string_is_empty(driver) ? 0 : -EBUSY;
}

static int bind_vfio_to(const Run *run, const Step *step, const char *driver) {
        int r = driver_bind(run->roots, step->bus, step->device, driver);

        if (r < 0)
                return r;
        if (driver_is_vfio(run->roots, step->bus, step->device))
                return 0;
        (void)driver_unbind(run->roots, step->bus, step->device, driver);
        return -ENODEV;
}

static int run_bind_vfio(const Run *run, const Step *step) {
        int r, q;

        r = bind_vfio_to(run, step, step->driver);
        if (r >= 0 || !step->fallback)
                return r;
        q = driver_set_override(run->roots, step->bus, step->device, step->fallback);
        return q < 0 ? q : bind_vfio_to(run, step, step->fallback);
}

/*
 * The recorded driver, or whichever the kernel finds when that one is not there any more. When
 * nothing was recorded, ending up with no driver is how it is on a machine that has none for the
 * device.
 */
static int run_bind_host(const Run *run, const Step *step) {
        _cleanup_free_ char *driver = NULL;
        int r, q;

        r = step->driver ? driver_bind(run->roots, step->bus, step->device, step->driver) : -ENOENT;
        if (r >= 0)
                return 0;
        q = driver_probe(run->roots, step->bus, step->device);
        if (q < 0)
                return step->driver ? r : q;
        q = driver_read(run->roots, step->bus, step->device, &driver);
        if (q < 0)
                return q;
        return string_is_empty(driver) && step->driver ? r : 0;
}

static int run_open(const Run *run, HandleKind kind, uint32_t group) {
        int fd = kind == HANDLE_CONTAINER ? vfio_open_container(run->roots)
                                          : vfio_open_group(run->roots, group);

        return fd < 0 ? fd : handles_add_consume(run->files, kind, group, NULL, fd);
}

/* The kernel, not our table, has the last word on viability. */
static int run_open_group(const Run *run, const Step *step) {
        bool viable;
        int r;

        r = run_open(run, HANDLE_GROUP, step->group);
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
static int run_test_group(const Run *run, const Step *step) {
        _cleanup_close_ int fd = vfio_open_group(run->roots, step->group);

        return fd == -ENOENT || fd == -ENODEV || fd == -ENXIO || fd >= 0 ? 0 : fd;
}

int run_find_shared(const Run *run, HandleKind kind, uint32_t group) {
        int fd = handles_find(run->files, kind, group, NULL);

        return fd >= 0 ? fd : handles_find(run->files, kind, 0, NULL);
}

static int find_container(const Run *run, uint32_t group) {
        return run_find_shared(run, HANDLE_CONTAINER, group);
}

int run_find_device(const Run *run, const Step *step) {
        int fd = handles_find(run->files, HANDLE_DEVICE, step->group, step->device);

        return fd >= 0 ? fd : handles_find(run->files, HANDLE_CDEV, step->group, step->device);
}

static int set_container(const Run *run, uint32_t group) {
        return vfio_group_set_container(handles_find(run->files, HANDLE_GROUP, group, NULL),
                                        find_container(run, group));
}

/* A group that is in no container (-EINVAL) is where it is to be: its holder has taken it out. */
static int run_unset_container(const Run *run, const Step *step) {
        int r = vfio_group_unset_container(
                handles_find(run->files, HANDLE_GROUP, step->group, NULL));

        run_trace(run, step)->done = r >= 0;
        return r == -EINVAL ? 0 : r;
}

/* With its last group the container has lost its IOMMU (drivers/vfio/container.c,
 * vfio_group_detach_container); with others in it, setting it says -EINVAL. -ENODEV: the group's
 * last device was unbound meanwhile, and our file of it is an orphan (unbind.c lets go of it). */
static int undo_unset_container(Run *run, const Step *step) {
        int r;

        if (!run_trace(run, step)->done)
                return 0;
        r = set_container(run, step->group);
        if (r >= 0)
                r = vfio_container_set_iommu(find_container(run, step->group), VFIO_TYPE1v2_IOMMU);
        run->orphaned = run->orphaned || r == -ENODEV;
        return r == -EINVAL || r == -ENODEV ? 0 : r;
}

static int get_device(const Run *run, const Step *step) {
        int fd = vfio_group_get_device(handles_find(run->files, HANDLE_GROUP, step->group, NULL),
                                       step->device);

        return fd < 0 ? fd
                      : handles_add_consume(run->files, HANDLE_DEVICE, step->group, step->device,
                                            fd);
}

/* Best effort all three: whether the holder lets go does not hang on them. */
static int run_request_device(const Run *run, const Step *step) {
        int fd = run_find_device(run, step);

        if (fd >= 0)
                (void)vfio_pci_request(fd);
        return 0;
}

static int run_quiesce(const Run *run, const Step *step) {
        Trace *trace = run_trace(run, step);
        int fd = run_find_device(run, step);

        trace->done = fd >= 0 && vfio_pci_quiesce(fd, &trace->command) >= 0;
        return 0;
}

/* Also through a file that undo has opened anew: who else has the device open has kept it quiet. */
static int undo_quiesce(const Run *run, const Step *step) {
        const Trace *trace = run_trace(run, step);
        int fd = run_find_device(run, step);

        return trace->done && !run->orphaned ? vfio_pci_restore(fd, trace->command) : 0;
}

static int undo_close_device(const Run *run, const Step *step) {
        int r = get_device(run, step);

        return step->optional || run->orphaned ? 0 : r;
}

static int run_claim_group(const Run *run, const Step *step) {
        return run_open(run, HANDLE_CLAIM, step->group);
}

/* While it is busy, and has time to become free. */
static int run_until_free(const Run *run, const Step *step,
                          int (*act)(const Run *run, const Step *step)) {
        for (uint64_t waited_ms = 0;; waited_ms += RETRY_MS) {
                int r = act(run, step);

                if (r != -EBUSY || waited_ms >= step->grace_ms)
                        return r;
                if (run->host->cancelled(run->host->userdata))
                        return -ECANCELED;
                (void)usleep(RETRY_MS * 1000);
        }
}

static int run_step(Run *run, const Step *step) {
        switch (step->kind) {
        case STEP_RAISE_MEMLOCK:
                return run_raise_memlock(run, step);
        case STEP_LOAD_MODULE:
                return run_load_module(run, step);
        case STEP_SET_OVERRIDE:
                return driver_set_override(run->roots, step->bus, step->device, step->override);
        case STEP_UNBIND_HOST:
        case STEP_UNBIND_VFIO:
                return run_unbind(run, step);
        case STEP_BIND_VFIO:
                return run_bind_vfio(run, step);
        case STEP_BIND_HOST:
                return run_bind_host(run, step);
        case STEP_CLAIM_GROUP:
                return run_until_free(run, step, run_claim_group);
        case STEP_OPEN_CONTAINER:
                return run_open(run, HANDLE_CONTAINER, 0);
        case STEP_OPEN_GROUP:
                return run_open_group(run, step);
        case STEP_SET_CONTAINER:
                return set_container(run, step->group);
        case STEP_SET_IOMMU:
                return vfio_container_set_iommu(handles_find(run->files, HANDLE_CONTAINER, 0, NULL),
                                                VFIO_TYPE1v2_IOMMU);
        case STEP_GET_DEVICE:
                return step->optional ? get_device(run, step), 0 : get_device(run, step);
        case STEP_CLOSE_DEVICE:
                handles_close(run->files, HANDLE_DEVICE, step->group, step->device);
                return 0;
        case STEP_UNSET_CONTAINER:
                return run_until_free(run, step, run_unset_container);
        case STEP_OPEN_IOMMUFD:
                return run_open_iommufd(run);
        case STEP_ALLOC_IOAS:
                return run_alloc_ioas(run, step);
        case STEP_OPEN_CDEV:
                return run_open_cdev(run, step);
        case STEP_BIND_CDEV:
                return run_bind_cdev(run, step);
        case STEP_ATTACH_CDEV:
                return run_attach_cdev(run, step);
        case STEP_READ_IOVAS:
                return run_read_iovas(run, step);
        case STEP_DETACH_CDEV:
                return run_detach_cdev(run, step);
        case STEP_SEAL_CDEV:
                return run_seal_cdev(run, step);
        case STEP_CLOSE_CDEV:
                return run_close_cdev(run, step);
        case STEP_CLOSE_FILES:
                handles_done(run->files);
                return 0;
        case STEP_TEST_GROUP:
                return run_until_free(run, step, run_test_group);
        case STEP_FIND_HOLDERS:
                return run_find_holders(run, step);
        case STEP_EXPECT_NOBODY:
                return run_expect_nobody(run, step);
        case STEP_REQUEST_DEVICE:
                return run_request_device(run, step);
        case STEP_QUIESCE:
                return run_quiesce(run, step);
        case STEP_EVICT:
                return run_evict(run, step);
        case STEP_SET_RESET_METHOD:
                return pci_set_reset_method(run->roots, step->device, step->reset_method);
        case STEP_RESET:
                return run_reset(run, step);
        case STEP_RESET_FILE:
                return run_reset_file(run, step);
        case STEP_HOT_RESET:
                return run_hot_reset(run, step);
        case STEP_INSPECT:
                return run_inspect(run, step);
        case _STEP_KIND_MAX:
                break;
        }
        abort();
}

/* Back to `driver` under the override that was in force before the plan: the other would keep it
 * off. */
static int undo_unbind(const Run *run, const Step *step) {
        int r = driver_set_override(run->roots, step->bus, step->device, step->override_old);

        return r < 0 ? r : driver_bind(run->roots, step->bus, step->device, step->driver);
}

/* Whichever driver it ended up with: the fallback, or one that the kernel chose. */
static int undo_bind(const Run *run, const Step *step) {
        _cleanup_free_ char *driver = NULL;
        int r = driver_read(run->roots, step->bus, step->device, &driver);

        if (r < 0 || string_is_empty(driver))
                return r;
        return driver_unbind(run->roots, step->bus, step->device, driver);
}

static int undo_step(Run *run, const Step *step) {
        switch (step->kind) {
        case STEP_RAISE_MEMLOCK:
                return undo_raise_memlock(run, step);
        case STEP_SET_OVERRIDE:
                return driver_set_override(run->roots, step->bus, step->device, step->override_old);
        case STEP_UNBIND_HOST:
        case STEP_UNBIND_VFIO:
                return undo_unbind(run, step);
        case STEP_BIND_VFIO:
        case STEP_BIND_HOST:
                return undo_bind(run, step);
        case STEP_CLAIM_GROUP:
                handles_close(run->files, HANDLE_CLAIM, step->group, NULL);
                return 0;
        case STEP_OPEN_CONTAINER:
                handles_close(run->files, HANDLE_CONTAINER, 0, NULL);
                return 0;
        case STEP_OPEN_GROUP:
                handles_close(run->files, HANDLE_GROUP, step->group, NULL);
                return 0;
        case STEP_SET_CONTAINER:
                return vfio_group_unset_container(
                        handles_find(run->files, HANDLE_GROUP, step->group, NULL));
        case STEP_GET_DEVICE:
                handles_close(run->files, HANDLE_DEVICE, step->group, step->device);
                return 0;
        case STEP_CLOSE_DEVICE:
                return undo_close_device(run, step);
        case STEP_UNSET_CONTAINER:
                return undo_unset_container(run, step);
        case STEP_QUIESCE:
                return undo_quiesce(run, step);
        case STEP_SET_RESET_METHOD:
                return pci_set_reset_method(run->roots, step->device, step->reset_method_old);
        case STEP_OPEN_IOMMUFD:
                handles_close(run->files, HANDLE_IOMMUFD, 0, NULL);
                return 0;
        case STEP_OPEN_CDEV:
                handles_close(run->files, HANDLE_CDEV, step->group, step->device);
                return 0;
        case STEP_ATTACH_CDEV:
                return undo_attach_cdev(run, step);
        case STEP_DETACH_CDEV:
                return undo_detach_cdev(run, step);
        case STEP_ALLOC_IOAS:
        case STEP_BIND_CDEV:
        case STEP_READ_IOVAS:
        case STEP_SEAL_CDEV:
        case STEP_CLOSE_CDEV:
        case STEP_LOAD_MODULE:
        case STEP_SET_IOMMU:
        case STEP_CLOSE_FILES:
        case STEP_TEST_GROUP:
        case STEP_FIND_HOLDERS:
        case STEP_EXPECT_NOBODY:
        case STEP_REQUEST_DEVICE:
        case STEP_EVICT:
        case STEP_RESET:
        case STEP_RESET_FILE:
        case STEP_HOT_RESET:
        case STEP_INSPECT:
                return 0;
        case _STEP_KIND_MAX:
                break;
        }
        abort();
}

/* Nothing is to be put back of a device that was unplugged. */
static bool device_is_gone(const Run *run, const Step *step) {
        _cleanup_free_ char *driver = NULL;

        return step->device && driver_read(run->roots, step->bus, step->device, &driver) == -ENOENT;
}

/* Goes on past a step that cannot be undone: the more is put back the better. */
static void undo_before(Run *run, const Plan *plan, size_t end, volatile Progress *progress) {
        progress->undoing = true;
        for (size_t i = end; i > 0; i--) {
                int r;

                if (progress->undo_error == 0)
                        progress->undo_step = i - 1;
                r = undo_step(run, &plan->steps[i - 1]);
                if (r < 0 && progress->undo_error == 0 && !device_is_gone(run, &plan->steps[i - 1]))
                        progress->undo_error = r;
        }
}

static void run_steps(Run *run, volatile Progress *progress) {
        const Plan *plan = run->plan;

        for (size_t i = 0; i < plan->n_steps; i++) {
                int r;

                progress->step = i;
                r = run->host->cancelled(run->host->userdata) ? -ECANCELED
                                                              : run_step(run, &plan->steps[i]);
                if (r >= 0)
                        continue;
                progress->error = r;
                undo_before(run, plan, i, progress);
                return;
        }
}

void results_done(Results *results) {
        holds_done(&results->holds);
        findings_done(&results->findings);
}

void execute_plan(const Roots *roots, const Plan *plan, Handles *files, Results *results,
                  volatile Progress *progress, const ExecuteHost *host) {
        Run run = {.roots = roots,
                   .plan = plan,
                   .files = files,
                   .results = results,
                   .host = host,
                   .nobody = -EBADF,
                   .traces = calloc(plan->n_steps + 1, sizeof(Trace))};

        if (run.traces)
                run_steps(&run, progress);
        else
                progress->error = -ENOMEM;
        handles_close_kind(files, HANDLE_CLAIM);
        holder_search_free(run.search);
        fd_close(run.nobody);
        free(run.traces);
        progress->finished = true;
}
