/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lease.Remove: our files of the groups go to the worker, and are closed when it has ended; on undo
 * it opens those of devices anew that can be. */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"

static bool closes_device(const Step *step) {
        return step->kind == STEP_CLOSE_DEVICE || step->kind == STEP_CLOSE_CDEV;
}

static int lend_groups(Job *job, const Handles *files) {
        job->lent.handles = calloc(files->n_handles + 1, sizeof(Handle));
        if (!job->lent.handles)
                return -ENOMEM;
        for (size_t i = 0; i < files->n_handles; i++)
                if (!handle_kind_is_device(files->handles[i].kind))
                        job->lent.handles[job->lent.n_handles++] = files->handles[i];
        return 0;
}

static int remove_prepare(Job *job) {
        Holding *holding = broker_find_holding(job->broker, job->request.lease);
        int r = 0;

        if (!holding)
                return -ENOENT;
        for (size_t i = 0; r >= 0 && i < job->activity.n_groups; i++)
                r = handles_move_group(&holding->files, job->activity.groups[i], &job->given);
        return r < 0 ? r : lend_groups(job, &holding->files);
}

static void remove_finish(Job *job, bool ran, Handles *opened) {
        Broker *broker = job->broker;
        Lease *lease = lease_table_find(&broker->world.leases, job->request.lease);
        Holding *holding = broker_find_holding(broker, job->request.lease);
        Handles files = HANDLES_NULL;

        if (!lease || !holding || !lease_is_live(lease)) {
                release_files(broker, opened);
                return;
        }
        if (!ran) {
                if (handles_move_all(opened, &holding->files) < 0)
                        release_files(broker, opened);
                return;
        }
        for (size_t i = 0; i < job->activity.n_groups; i++) {
                (void)handles_move_group(&holding->files, job->activity.groups[i], &files);
                lease_remove_group(lease, job->activity.groups[i]);
        }
        for (size_t i = 0; i < job->plan.n_steps; i++)
                if (closes_device(&job->plan.steps[i]))
                        lease_remove_device(lease, job->plan.steps[i].device);
        release_files(broker, &files);
        (void)record_iommufd(job, lease);
        (void)lease_set_client(lease, job->request.caller.name);
        job->outcome.lease = lease->id;
        broker_emit(broker, CHANGE_LEASE_CHANGED, lease->id, NULL);
}

const JobClass job_class_remove = {.prepare = remove_prepare, .finish = remove_finish};
