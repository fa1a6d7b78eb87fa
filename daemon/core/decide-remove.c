/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lease.Remove: groups out of a live lease. Our own device files go first, because the kernel lets
 * a group out of its container only when no device of it is open (VFIO_GROUP_UNSET_CONTAINER,
 * EBUSY).
 */

#include "daemon/core/decide-iommufd.h"

#include "daemon/util/string.h"

/* Closing may still go on in a holder that has just ended. */
static int plan_remove_cdevs(const Lease *lease, const Group *group, Plan *plan) {
        Step *test;

        if (plan_close_cdevs(lease, group, plan) < 0)
                return -1;
        test = plan_group(plan, STEP_TEST_GROUP, group);
        if (!test)
                return -1;
        test->grace_ms = DECIDE_CLOSING_MS;
        return 0;
}

static int plan_remove_group(const Lease *lease, const Group *group, Plan *plan) {
        if (lease->mode == MODE_IOMMUFD)
                return plan_remove_cdevs(lease, group, plan);
        if (lease->prepare != PREPARE_ATTACH)
                return 0;
        for (size_t i = 0; i < group->n_members; i++) {
                const Device *device = group->members[i];

                if (lease_has_device(lease, device->facts.name) &&
                    !plan_device(plan, STEP_CLOSE_DEVICE, device))
                        return -1;
        }
        return plan_group(plan, STEP_UNSET_CONTAINER, group) ? 0 : -1;
}

RefusalKind decide_remove(const World *world, const Request *request, const Selection *selection,
                          Plan *plan, Refusal *refusal) {
        Lease *lease;

        if (decide_lease(world, request, &lease, refusal))
                return refusal->kind;
        for (size_t i = 0; i < selection->n_groups; i++)
                if (!lease_has_group(lease, selection->groups[i]->facts.number))
                        return refuse(refusal, REFUSAL_NOT_IN_LEASE,
                                      "lease %u does not have group %u", lease->id,
                                      selection->groups[i]->facts.number);
        if (selection->n_groups == lease->n_groups)
                return refuse(refusal, REFUSAL_NOT_IN_LEASE,
                              "lease %u would have no group left; end it with 'vfioctl release %u'",
                              lease->id, lease->id);
        if (check_reset_sets_without(world, lease, selection, refusal))
                return refusal->kind;
        if (check_groups_free(world, request, selection, lease, refusal))
                return refusal->kind;
        for (size_t i = 0; i < selection->n_groups; i++)
                if (plan_remove_group(lease, selection->groups[i], plan) < 0)
                        return refuse_memory(refusal);
        /* A device that has left no longer narrows what can be mapped. */
        if (lease->iommufd.ioas && !plan_read_iovas(lease->iommufd.ioas, plan))
                return refuse_memory(refusal);
        return REFUSAL_NONE;
}
