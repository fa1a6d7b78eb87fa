/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Inspect: a device that is leased is read through our files of the lease, so that its holder feels
 * nothing of it; one that nobody has is opened for as long as it takes, which resets it.
 */

#include <assert.h>

#include "daemon/core/decide-common.h"
#include "daemon/util/string.h"

static RefusalKind check_is_on_vfio(const World *world, const Device *device, Refusal *refusal) {
        Verdict verdict = device_verdict(&world->topology, device);
        _cleanup_free_ char *reason = verdict_reason(verdict, &device->facts);
        _cleanup_free_ char *remedy = verdict_remedy(verdict, &device->facts);

        if (verdict == VERDICT_VFIO)
                return REFUSAL_NONE;
        return refuse(refusal, REFUSAL_NOT_BOUND,
                      "%s %s; only a device on a vfio driver can be inspected%s%s",
                      device->facts.name, string_or_empty(reason),
                      string_is_empty(remedy) ? "" : ": ", string_or_empty(remedy));
}

static int plan_in_group_mode(const Device *device, Plan *plan) {
        const Group *group = device->group;

        return plan_append(plan, STEP_OPEN_CONTAINER, 0) &&
                               plan_group(plan, STEP_OPEN_GROUP, group) &&
                               plan_group(plan, STEP_SET_CONTAINER, group) &&
                               plan_group(plan, STEP_SET_IOMMU, group) &&
                               plan_device(plan, STEP_GET_DEVICE, device) &&
                               plan_device(plan, STEP_INSPECT, device) &&
                               plan_device(plan, STEP_CLOSE_FILES, device)
                       ? 0
                       : -1;
}

/* Tells of the IOMMU as well. */
static int plan_in_iommufd_mode(const Device *device, Plan *plan) {
        return plan_append(plan, STEP_OPEN_IOMMUFD, 0) &&
                               plan_device(plan, STEP_OPEN_CDEV, device) &&
                               plan_device(plan, STEP_BIND_CDEV, device) &&
                               plan_device(plan, STEP_INSPECT, device) &&
                               plan_device(plan, STEP_CLOSE_FILES, device)
                       ? 0
                       : -1;
}

/* The files are closed by the plan that opens them: nothing is handed to anybody. */
static RefusalKind plan_unleased(const World *world, const Device *device, Plan *plan,
                                 Refusal *refusal) {
        if (check_group_is_bound(world, device->group, refusal))
                return refusal->kind;
        return (decide_has_cdev(world, device) ? plan_in_iommufd_mode(device, plan)
                                               : plan_in_group_mode(device, plan)) < 0
                       ? refuse_memory(refusal)
                       : REFUSAL_NONE;
}

RefusalKind decide_inspect(const World *world, const Request *request, const Selection *selection,
                           Plan *plan, Refusal *refusal) {
        const Device *device = selection->devices[0];
        const Lease *lease = lease_table_find_group(&world->leases, device->facts.group);

        assert(selection->n_devices == 1);
        if (check_groups_free(world, request, selection, lease, refusal) ||
            check_is_on_vfio(world, device, refusal))
                return refusal->kind;
        if (!lease)
                return plan_unleased(world, device, plan, refusal);
        if (check_lease_reaches(lease, device, "inspect", refusal))
                return refusal->kind;
        return plan_through_lease(lease, device, STEP_INSPECT, plan) < 0 ? refuse_memory(refusal)
                                                                         : REFUSAL_NONE;
}
