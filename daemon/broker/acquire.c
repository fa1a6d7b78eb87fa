/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Acquire and Lease.Add: the lease is in its table before the plan runs (GRANTING), so that nobody
 * else can be given its groups, and is the owner's when the plan has run (HELD). When the plan
 * fails, it has never been.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

static bool opens_iommufd(const Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].kind == STEP_OPEN_IOMMUFD)
                        return true;
        return false;
}

static bool opens_device(const Step *step) {
        return step->kind == STEP_GET_DEVICE || step->kind == STEP_OPEN_CDEV;
}

/* The lease's groups, and the devices whose files the plan opens: what joins it when it has run. */
static int add_to_lease(const Job *job, Lease *lease) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < job->activity.n_groups; i++)
                r = lease_add_group(lease, job->activity.groups[i]);
        for (size_t i = 0; r >= 0 && i < job->plan.n_steps; i++)
                if (opens_device(&job->plan.steps[i]))
                        r = lease_add_device(lease, job->plan.steps[i].device);
        return r;
}

static void remove_from_lease(const Job *job, Lease *lease) {
        for (size_t i = 0; i < job->activity.n_groups; i++)
                lease_remove_group(lease, job->activity.groups[i]);
        for (size_t i = 0; i < job->plan.n_steps; i++)
                if (opens_device(&job->plan.steps[i]))
                        lease_remove_device(lease, job->plan.steps[i].device);
}

/* Which of the lease's files this operation opened, for the reply. */
static int report(Job *job, const Lease *lease) {
        Outcome *outcome = &job->outcome;

        outcome->lease = lease->id;
        outcome->groups = calloc(job->activity.n_groups + 1, sizeof(uint32_t));
        if (!outcome->groups)
                return -ENOMEM;
        for (size_t i = 0; i < job->activity.n_groups; i++)
                outcome->groups[outcome->n_groups++] = job->activity.groups[i];
        for (size_t i = 0; i < job->plan.n_steps; i++)
                if (opens_device(&job->plan.steps[i]) &&
                    strv_push(&outcome->devices, job->plan.steps[i].device) < 0)
                        return -ENOMEM;
        return 0;
}

static int grant(Job *job) {
        Broker *broker = job->broker;
        Lease *lease;
        int r;

        r = lease_new(&broker->world.leases, job->request.caller.uid, job->request.label, &lease);
        if (r < 0)
                return r;
        lease->mode = opens_iommufd(&job->plan) ? MODE_IOMMUFD : MODE_GROUP;
        lease->prepare = job->request.prepare;
        job->request.lease = lease->id;
        r = lease_set_client(lease, job->request.caller.name);
        if (r >= 0)
                r = add_to_lease(job, lease);
        if (r < 0)
                lease_free(lease);
        return r;
}

static int acquire_prepare(Job *job) {
        int r = bind_prepare(job);

        if (r < 0)
                return r;
        r = grant(job);
        if (r < 0)
                bind_finish(job, false, NULL);
        return r;
}

int record_iommufd(const Job *job, Lease *lease) {
        const Findings *findings = &job->outcome.results.findings;
        LeaseIommufd *iommufd = &lease->iommufd;
        _cleanup_free_ IovaRange *iovas = calloc(findings->n_findings + 1, sizeof(IovaRange));
        uint64_t alignment = 0;
        size_t n = 0;
        int r = iovas ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < findings->n_findings; i++) {
                const Finding *finding = &findings->findings[i];

                if (finding->kind == FINDING_IOAS)
                        iommufd->ioas = (uint32_t)finding->values[0];
                else if (finding->kind == FINDING_IOVA_ALIGNMENT)
                        alignment = finding->values[0];
                else if (finding->kind == FINDING_IOVA_RANGE)
                        iovas[n++] = (IovaRange){finding->values[0], finding->values[1]};
                else if (finding->kind == FINDING_DEVICE_ID)
                        r = lease_iommufd_set_id(iommufd, finding->device,
                                                 (uint32_t)finding->values[0]);
        }
        for (size_t i = 0; r >= 0 && i < job->request.n_cookies; i++)
                r = lease_iommufd_set_cookie(iommufd, job->request.cookies[i].device,
                                             job->request.cookies[i].number);
        if (r >= 0 && alignment)
                lease_iommufd_set_iovas(iommufd, TAKE_PTR(iovas), n, alignment);
        return r;
}

static int hold(Job *job, Lease *lease, Handles *opened) {
        Broker *broker = job->broker;
        Holding *holding;
        int r;

        r = report(job, lease);
        if (r >= 0)
                r = record_iommufd(job, lease);
        if (r < 0)
                return r;
        r = holding_new(broker->event, lease->id, release_abandoned, broker, &job->outcome.lease_fd,
                        &holding);
        if (r < 0)
                return r;
        holding->files = *opened;
        *opened = (Handles)HANDLES_NULL;
        list_insert(&broker->holdings, &holding->link);
        return 0;
}

static void acquire_finish(Job *job, bool ran, Handles *opened) {
        Broker *broker = job->broker;
        Lease *lease = lease_table_find(&broker->world.leases, job->request.lease);
        int r = ran && lease && !job->answered ? hold(job, lease, opened) : -ECANCELED;

        bind_finish(job, ran, opened);
        if (r < 0) {
                if (ran && !job->answered)
                        job->outcome.error = r;
                release_files(broker, opened);
                lease_free(lease);
                return;
        }
        lease->since = clock_now(CLOCK_REALTIME);
        (void)lease_enter(lease, LEASE_EVENT_GRANTED);
        broker_emit(broker, CHANGE_LEASE_ADDED, lease->id, NULL);
}

/* The container or iommufd of the lease, for the new groups to be put into. */
static int add_prepare(Job *job) {
        Broker *broker = job->broker;
        const Handles *files = broker_lease_files(broker, job->request.lease);
        Lease *lease = lease_table_find(&broker->world.leases, job->request.lease);
        int r;

        HandleKind kind = lease && lease->mode == MODE_IOMMUFD ? HANDLE_IOMMUFD : HANDLE_CONTAINER;

        job->lent.handles = calloc(1, sizeof(Handle));
        if (!files || !lease || !job->lent.handles)
                return -ENOMEM;
        job->lent.handles[job->lent.n_handles++] = (Handle){
                .kind = kind,
                .fd = handles_find(files, kind, 0, NULL),
        };
        r = bind_prepare(job);
        if (r < 0)
                return r;
        r = add_to_lease(job, lease);
        if (r < 0) {
                remove_from_lease(job, lease);
                bind_finish(job, false, NULL);
        }
        return r;
}

static int hold_more(Job *job, Lease *lease, Holding *holding, Handles *opened) {
        int r;

        r = report(job, lease);
        if (r >= 0)
                r = record_iommufd(job, lease);
        if (r < 0)
                return r;
        job->outcome.lease_fd = holding_open_read_end(holding, &job->broker->roots);
        if (job->outcome.lease_fd < 0)
                return job->outcome.lease_fd;
        return handles_move_all(opened, &holding->files);
}

/* The lease may have ended meanwhile: then the new files go the way of the old ones. */
static void add_finish(Job *job, bool ran, Handles *opened) {
        Broker *broker = job->broker;
        Lease *lease = lease_table_find(&broker->world.leases, job->request.lease);
        Holding *holding = broker_find_holding(broker, job->request.lease);
        int r = ran && !job->answered ? 0 : -ECANCELED;

        bind_finish(job, ran, opened);
        if (r >= 0 && (!lease || !holding || !lease_is_live(lease)))
                r = -EPIPE;
        if (r >= 0)
                r = hold_more(job, lease, holding, opened);
        if (r < 0) {
                if (r == -EPIPE)
                        (void)refuse(&job->outcome.refusal, REFUSAL_LEASE_ENDED,
                                     "lease %u ended meanwhile", job->request.lease);
                else if (ran && !job->answered)
                        job->outcome.error = r;
                release_files(broker, opened);
                if (lease)
                        remove_from_lease(job, lease);
        }
        if (lease) {
                (void)lease_set_client(lease, job->request.caller.name);
                broker_emit(broker, CHANGE_LEASE_CHANGED, lease->id, NULL);
        }
}

const JobClass job_class_acquire = {.prepare = acquire_prepare, .finish = acquire_finish};
const JobClass job_class_add = {.prepare = add_prepare, .finish = add_finish};
