/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is allowed, and what it takes. Each function judges a request on the facts of this moment
 * and returns a refusal, or a plan: the steps that do it, in order. Nothing is touched; the same
 * plan is shown by Plan, run by the broker and compared by the tests.
 */

#include "daemon/core/activity.h"
#include "daemon/core/assignment.h"
#include "daemon/core/config.h"
#include "daemon/core/lease.h"
#include "daemon/core/plan.h"
#include "daemon/core/request.h"
#include "daemon/core/select.h"
#include "daemon/core/topology.h"
#include "daemon/core/vfio-alias.h"
#include "daemon/core/wait.h"

typedef struct World {
        Topology topology;
        LeaseTable leases;
        ActivityTable activities;
        WaitTable waits;
        VfioAliases aliases;
        IommufdSupport iommufd;
        Config config;
        Assignments assignments;
        char *assignments_problem;    /* why they cannot be read, a sentence; NULL: they can */
        const char *config_directory; /* where they are; borrowed; NULL: nowhere */
} World;

/* An empty plan means that there is nothing to do. On a refusal the plan is of no use. */
RefusalKind decide_bind(const World *world, const Request *request, const Selection *selection,
                        Plan *plan, Refusal *refusal);
RefusalKind decide_unbind(const World *world, const Request *request, const Selection *selection,
                          Plan *plan, Refusal *refusal);

/* For a new lease, and for one joined or added to (request->lease). */
RefusalKind decide_acquire(const World *world, const Request *request, const Selection *selection,
                           Plan *plan, Refusal *refusal);
RefusalKind decide_remove(const World *world, const Request *request, const Selection *selection,
                          Plan *plan, Refusal *refusal);

/* For a request whose target is one device. */
RefusalKind decide_inspect(const World *world, const Request *request, const Selection *selection,
                           Plan *plan, Refusal *refusal);

/*
 * For a request whose first target is one device, and the others, for a hot reset, the other groups
 * that are reset with it.
 */
RefusalKind decide_reset(const World *world, const Request *request, const Selection *selection,
                         Plan *plan, Refusal *refusal);

/* For a request whose first target is one device, and the others the groups of its virtual
 * functions. */
RefusalKind decide_set_vfs(const World *world, const Request *request, const Selection *selection,
                           Plan *plan, Refusal *refusal);

/* For a request whose target is the parent, or none where that has no IOMMU group. */
RefusalKind decide_create_mdev(const World *world, const Request *request,
                               const Selection *selection, Plan *plan, Refusal *refusal);

/* For a request whose target is one device. */
RefusalKind decide_remove_mdev(const World *world, const Request *request,
                               const Selection *selection, Plan *plan, Refusal *refusal);

/* From boot on, and with request->bind at once. Whole groups, as with Bind. */
RefusalKind decide_assign(const World *world, const Request *request, const Selection *selection,
                          Plan *plan, Refusal *refusal);
/* Also of devices that are not there any more. */
RefusalKind decide_unassign(const World *world, const Request *request, const Selection *selection,
                            Plan *plan, Refusal *refusal);

/* "" for a device that is not assigned; "assigned"; or that with what is wrong, and what to do
 * about it. Allocated. */
char *assignment_state(const World *world, const Device *device);

/* Whichever of these the request's operation calls for. */
RefusalKind decide(const World *world, const Request *request, const Selection *selection,
                   Plan *plan, Refusal *refusal);

/* The live lease that the request is about, for its owner alone: NOT_FOUND, NOT_OWNER, LEASE_ENDED.
 */
RefusalKind decide_lease(const World *world, const Request *request, Lease **ret, Refusal *refusal);

/* The mode that an acquisition would be in now, as far as it would be allowed at all. */
Mode decide_expected_mode(const World *world, const Request *request);

/* What makes our unbound cdevs of the lease tell whether others have them; nothing for other
 * leases. */
int plan_seal_cdevs(const Lease *lease, const Group *group, Plan *plan);

/* What asks the holders of leased groups for their devices by interrupt; nothing for the others. */
int plan_ask(const World *world, const uint32_t *groups, size_t n_groups, Plan *plan);

/* What keeps Bind from moving the member unless safety is overridden, a sentence; NULL: nothing.
 * Allocated. */
int decide_host_needs(const Topology *topology, const Device *device, char **ret);

/* What to do about members of the group that are on no vfio driver, a sentence: to bind it, or what
 * Bind has against that. NULL: no memory. Allocated. */
char *decide_bind_remedy(const World *world, const Group *group);

/* A group of the lease has no IOMMU; then none of them has one. */
bool decide_lease_has_no_iommu(const Topology *topology, const Lease *lease);

/* Members that would be moved to a vfio driver: what the bind action is asked for. */
bool decide_needs_bind(const Topology *topology, const Device *device);
