/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which mode a request for files means, on this kernel and for these devices. */

#include "daemon/core/decide-common.h"

#include "daemon/util/string.h"

static RefusalKind check_iommufd(const World *world, const Selection *selection, Refusal *refusal) {
        for (size_t i = 0; i < selection->n_groups; i++)
                if (group_has_no_iommu(selection->groups[i]))
                        return refuse(refusal, REFUSAL_UNSUPPORTED,
                                      "group %u has no IOMMU, and the kernel lets no such device "
                                      "be bound to an iommufd; use mode 'group'",
                                      selection->groups[i]->facts.number);
        if (!world->iommufd.iommufd)
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "this kernel has no iommufd (CONFIG_IOMMUFD); use mode 'group'");
        if (world->iommufd.cdevs_known && !world->iommufd.cdevs)
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "this kernel gives VFIO devices no nodes of their own "
                              "(CONFIG_VFIO_DEVICE_CDEV); use mode 'group'");
        for (size_t i = 0; i < selection->n_devices; i++) {
                const DeviceFacts *facts = &selection->devices[i]->facts;

                if (facts->vfio && string_is_empty(facts->cdev))
                        return refuse(refusal, REFUSAL_UNSUPPORTED,
                                      "%s has no node under /dev/vfio/devices; use mode 'group'",
                                      facts->name);
        }
        return REFUSAL_NONE;
}

RefusalKind decide_mode(const World *world, const Request *request, const Selection *selection,
                        const Lease *lease, Mode *ret, Refusal *refusal) {
        _cleanup_refusal_ Refusal reason = REFUSAL_NULL;

        *ret = lease ? lease->mode : request->mode;
        if (lease && request->mode != MODE_AUTO && request->mode != lease->mode)
                return refuse(refusal, REFUSAL_INVALID_OPTION_VALUE,
                              "option mode: lease %u is in mode '%s'; acquire a lease of its own",
                              lease->id, mode_name(lease->mode));
        /* Only iommufd mode knows it. */
        if (*ret == MODE_AUTO && request->prepare == PREPARE_BIND)
                *ret = MODE_IOMMUFD;
        if (*ret == MODE_GROUP)
                return REFUSAL_NONE;
        if (*ret == MODE_IOMMUFD)
                return check_iommufd(world, selection, refusal);
        *ret = check_iommufd(world, selection, &reason) ? MODE_GROUP : MODE_IOMMUFD;
        return REFUSAL_NONE;
}

Mode decide_expected_mode(const World *world, const Request *request) {
        const Lease *lease = lease_table_find(&world->leases, request->lease);
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        Mode mode = MODE_GROUP;

        if (select_targets(&world->topology, request, &selection, &refusal) == REFUSAL_NONE)
                (void)decide_mode(world, request, &selection, lease, &mode, &refusal);
        return mode;
}
