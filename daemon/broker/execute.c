/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The run of a plan: which function a step and its undo are, and their order. The functions are in
 * execute-NOUN.c. */

#include "daemon/broker/execute-private.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/broker/test-hook.h"
#include "daemon/kernel/driver.h"
#include "daemon/kernel/mdev-types.h"
#include "daemon/kernel/mdev.h"
#include "daemon/kernel/sriov.h"
#include "daemon/kernel/vfio-pci.h"
#include "daemon/kernel/vfio.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

/* How long a step that waits for a file to be closed pauses between two tries. */
#define RETRY_MS 20

Trace *run_trace(const Run *run, const Step *step) {
        return &run->traces[step - run->plan->steps];
}

int run_find_shared(const Run *run, HandleKind kind, uint32_t group) {
        int fd = handles_find(run->files, kind, group, NULL);

        return fd >= 0 ? fd : handles_find(run->files, kind, 0, NULL);
}

int run_find_device(const Run *run, const Step *step) {
        int fd = handles_find(run->files, HANDLE_DEVICE, step->group, step->device);

        return fd >= 0 ? fd : handles_find(run->files, HANDLE_CDEV, step->group, step->device);
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
                return run_open_container(run);
        case STEP_OPEN_GROUP:
                return run_open_group(run, step);
        case STEP_SET_CONTAINER:
                return run_set_container(run, step);
        case STEP_SET_IOMMU:
                return run_set_iommu(run, step);
        case STEP_GET_DEVICE:
                return step->optional ? run_get_device(run, step), 0 : run_get_device(run, step);
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
        case STEP_SET_AUTOPROBE:
                return sriov_set_autoprobe(run->roots, step->device, step->autoprobe);
        case STEP_SET_VFS:
                return run_set_vfs(run, step);
        case STEP_CREATE_MDEV:
                return mdev_create(run->roots, step->mdev_parent, step->mdev_type, step->mdev_uuid);
        case STEP_REMOVE_MDEV:
                return mdev_remove(run->roots, step->device);
        case STEP_READ_MDEV_TYPES:
                return mdev_read_types(run->roots, step->mdev_parent, &run->results->findings);
        case STEP_INSPECT:
                return run_inspect(run, step);
        case STEP_READ_SERIAL:
                return run_read_serial(run, step);
        case STEP_ASSIGN:
        case STEP_UNASSIGN:
                return run_assign(run, step);
        case _STEP_KIND_MAX:
                break;
        }
        abort();
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
        case STEP_SET_AUTOPROBE:
                return sriov_set_autoprobe(run->roots, step->device, step->autoprobe_old);
        case STEP_SET_VFS:
                return sriov_set_vfs(run->roots, step->device, step->n_vfs_old);
        case STEP_CREATE_MDEV:
                return mdev_remove(run->roots, step->mdev_uuid);
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
        case STEP_ASSIGN:
        case STEP_UNASSIGN:
                return undo_assign(run, step);
        case STEP_READ_SERIAL:
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
        case STEP_REMOVE_MDEV:
        case STEP_READ_MDEV_TYPES:
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
                test_hook_before(run->roots, run->host->vfiod, &plan->steps[i]);
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
        strv_free(run.serials);
        fd_close(run.nobody);
        free(run.traces);
        progress->finished = true;
}
