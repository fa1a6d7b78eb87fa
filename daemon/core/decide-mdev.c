/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Making and removing mediated devices. Whether a type has an instance left is for the kernel to
 * say, when one is taken: asking before would be out of date by then. Removing one waits in the
 * kernel for whoever has it open, and cannot be called off: so that nobody has is proved first, as
 * for Unbind.
 */

#include "daemon/core/decide-common.h"

#include "daemon/util/string.h"

/* A malformed name is quoted back only this far. */
#define QUOTE_MAX 65

/* `selection` is empty for a parent without an IOMMU group, which no operation works on. */
RefusalKind decide_create_mdev(const World *world, const Request *request,
                               const Selection *selection, Plan *plan, Refusal *refusal) {
        char quote[QUOTE_MAX];
        Step *step;

        if (!address_is_name(request->mdev_type))
                return refuse(refusal, REFUSAL_NOT_FOUND,
                              "%s has no type '%s' of mediated devices; see 'vfioctl mdev types'",
                              request->mdev_parent,
                              string_quotable(request->mdev_type, quote, sizeof(quote)));
        if (topology_find_device(&world->topology, request->mdev_uuid))
                return refuse(refusal, REFUSAL_ALREADY_EXISTS,
                              "there is a device %s already; take another UUID",
                              request->mdev_uuid);
        if (check_groups_free(world, request, selection, NULL, refusal))
                return refusal->kind;
        step = plan_append(plan, STEP_CREATE_MDEV, 0);
        if (!step || string_set(&step->mdev_parent, request->mdev_parent) < 0 ||
            string_set(&step->mdev_type, request->mdev_type) < 0 ||
            string_set(&step->mdev_uuid, request->mdev_uuid) < 0)
                return refuse_memory(refusal);
        return REFUSAL_NONE;
}

RefusalKind decide_remove_mdev(const World *world, const Request *request,
                               const Selection *selection, Plan *plan, Refusal *refusal) {
        const Device *device = selection->devices[0];

        if (!string_equal(device->facts.bus, "mdev"))
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "%s is on the %s bus; only mediated devices can be removed",
                              device->facts.name, device->facts.bus);
        if (check_groups_free(world, request, selection, NULL, refusal))
                return refusal->kind;
        if (plan_prove_unleased(world, request, device->group, plan) < 0 ||
            !plan_device(plan, STEP_REMOVE_MDEV, device))
                return refuse_memory(refusal);
        return REFUSAL_NONE;
}
