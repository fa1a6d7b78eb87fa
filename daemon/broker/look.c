/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/look.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"

static void lend(Job *job, const Handle *handle, uint32_t group) {
        Handle *lent = &job->lent.handles[job->lent.n_handles++];

        *lent = *handle;
        lent->group = group;
}

static bool is_lent(const Job *job, uint32_t group) {
        for (size_t i = 0; i < job->lent.n_handles; i++)
                if (job->lent.handles[i].group == group)
                        return true;
        return false;
}

static int lend_files(Job *job, uint32_t group, bool shared_only) {
        const Lease *lease = lease_table_find_group(&job->broker->world.leases, group);
        const Holding *holding = lease ? broker_find_holding(job->broker, lease->id) : NULL;
        Handle *grown;

        if (!holding || is_lent(job, group))
                return 0;
        grown = reallocarray(job->lent.handles, job->lent.n_handles + holding->files.n_handles + 1,
                             sizeof(Handle));
        if (!grown)
                return -ENOMEM;
        job->lent.handles = grown;
        for (size_t i = 0; i < holding->files.n_handles; i++) {
                const Handle *handle = &holding->files.handles[i];

                if (handle_kind_is_shared(handle->kind) || (!shared_only && handle->group == group))
                        lend(job, handle, group);
        }
        if (holding->pipe >= 0)
                lend(job, &(Handle){.kind = HANDLE_LEASE, .fd = holding->pipe}, group);
        return 0;
}

int lend_group(Job *job, uint32_t group) {
        return lend_files(job, group, false);
}

int lend_shared(Job *job, uint32_t group) {
        return lend_files(job, group, true);
}

int lend_groups_of_plan(Job *job) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < job->plan.n_steps; i++) {
                const Step *step = &job->plan.steps[i];

                for (size_t j = 0; r >= 0 && j < step->n_groups; j++)
                        r = lend_group(job, step->groups[j]);
        }
        return r;
}

static const JobClass job_class_look = {.prepare = lend_groups_of_plan, .is_errand = true};

void run_errand(Broker *broker, Plan *plan, BrokerDone done, void *userdata) {
        Request request = {.operation = OPERATION_LOOK};
        Handles nothing = HANDLES_NULL;

        job_run_plan(broker, &job_class_look, &request, plan, &nothing, NULL, 0, done, userdata);
}

int plan_look(Plan *plan, const uint32_t *groups, size_t n_groups) {
        Step *step = plan_append(plan, STEP_FIND_HOLDERS, 0);

        if (!step)
                return -ENOMEM;
        for (size_t i = 0; i < n_groups; i++)
                if (step_add_group(step, groups[i]) < 0)
                        return -ENOMEM;
        return 0;
}

void look_for_holders(Broker *broker, const uint32_t *groups, size_t n_groups, BrokerDone done,
                      void *userdata) {
        _cleanup_plan_ Plan plan = PLAN_NULL;

        /* A look at nobody would show that nobody is there. */
        if (plan_look(&plan, groups, n_groups) < 0)
                broker_end_without_memory(done, userdata);
        else
                run_errand(broker, &plan, done, userdata);
}
