/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Unbind, one try of it (daemon/broker/wait.h tries again). Groups that are taken from a lease go
 * to the worker with our files of them; a try that is undone gives the files back.
 */

#include <errno.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/look.h"

typedef void (*TakenGroup)(Job *job, Lease *lease, uint32_t group);

/* Every group that the plan takes from a lease; from one that drains, by claiming it. */
static void for_each_taken(Job *job, TakenGroup act) {
        for (size_t i = 0; i < job->plan.n_steps; i++) {
                const Step *step = &job->plan.steps[i];
                Lease *lease;

                if (step->kind != STEP_UNSET_CONTAINER && step->kind != STEP_CLAIM_GROUP)
                        continue;
                lease = lease_table_find_group(&job->broker->world.leases, step->group);
                if (lease)
                        act(job, lease, step->group);
        }
}

/* The container stays with the lease: it may have other groups in it. */
static void give_files(Job *job, Lease *lease, uint32_t group) {
        Holding *holding = broker_find_holding(job->broker, lease->id);

        (void)lend_shared(job, group);
        if (holding)
                (void)handles_move_group(&holding->files, group, &job->given);
}

static int unbind_prepare(Job *job) {
        for_each_taken(job, give_files);
        return 0;
}

static void take_from_lease(Job *job, Lease *lease, uint32_t group) {
        release_taken_group(job->broker, lease, group);
}

/*
 * Once a device of the group has lost its vfio driver there is no way back for the lease: with the
 * last of them the kernel makes an orphan of our file of the group, and binding them again another
 * group (drivers/vfio/group.c, vfio_device_remove_group). Its holders had let go by then.
 */
static bool is_lost(const Job *job, uint32_t group) {
        for (size_t i = 0; i < job->outcome.step && i < job->plan.n_steps; i++)
                if (job->plan.steps[i].kind == STEP_UNBIND_VFIO &&
                    job->plan.steps[i].group == group)
                        return true;
        return false;
}

static void lose_group(Job *job, Lease *lease, uint32_t group) {
        if (is_lost(job, group))
                release_taken_group(job->broker, lease, group);
}

/* A lease that has ended meanwhile will drain with the files it gets back. */
static void return_files(Job *job, Handles *opened) {
        Broker *broker = job->broker;

        while (opened->n_handles > 0) {
                uint32_t group = opened->handles[0].group;
                const Lease *lease = lease_table_find_group(&broker->world.leases, group);
                Holding *holding = lease ? broker_find_holding(broker, lease->id) : NULL;

                if (!holding || handles_move_group(opened, group, &holding->files) < 0) {
                        release_files(broker, opened);
                        return;
                }
        }
}

static void unbind_finish(Job *job, bool ran, Handles *opened) {
        if (!ran) {
                return_files(job, opened);
                for_each_taken(job, lose_group);
                return;
        }
        bind_forget(job->broker, &job->plan);
        for_each_taken(job, take_from_lease);
}

const JobClass job_class_unbind = {.prepare = unbind_prepare, .finish = unbind_finish};
