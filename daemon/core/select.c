/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void selection_done(Selection *selection) {
        free(selection->groups);
        free(selection->devices);
        *selection = (Selection)SELECTION_NULL;
}

static int add_group(Selection *selection, Group *group) {
        Group **grown;

        for (size_t i = 0; i < selection->n_groups; i++)
                if (selection->groups[i] == group)
                        return 0;
        grown = reallocarray(selection->groups, selection->n_groups + 1, sizeof(Group *));
        if (!grown)
                return -ENOMEM;
        grown[selection->n_groups++] = group;
        selection->groups = grown;
        return 0;
}

static bool has_device(const Selection *selection, const Device *device) {
        for (size_t i = 0; i < selection->n_devices; i++)
                if (selection->devices[i] == device)
                        return true;
        return false;
}

static int add_device(Selection *selection, Device *device) {
        Device **grown;

        grown = reallocarray(selection->devices, selection->n_devices + 1, sizeof(Device *));
        if (!grown)
                return -ENOMEM;
        grown[selection->n_devices++] = device;
        selection->devices = grown;
        return add_group(selection, device->group);
}

static RefusalKind refuse_no_device(const Topology *topology, const char *name, Refusal *refusal) {
        if (!topology_is_ungrouped(topology, name))
                return refuse(refusal, REFUSAL_NOT_FOUND,
                              "there is no device %s with an IOMMU group; see 'vfioctl list'",
                              name);
        if (topology_has_iommu(topology))
                return refuse(refusal, REFUSAL_NOT_FOUND,
                              "%s is in no IOMMU group: the IOMMU of this machine does not stand "
                              "behind it; vfiod(8) tells how a device is used without one",
                              name);
        return refuse(refusal, REFUSAL_NOT_FOUND,
                      "%s is in no IOMMU group: this machine has no IOMMU that is switched on; "
                      "switch it on in the firmware and on the kernel's command line "
                      "(intel_iommu=on); vfiod(8) tells how a device is used without one",
                      name);
}

static RefusalKind add_target(const Topology *topology, const Target *target, Selection *selection,
                              Refusal *refusal) {
        Device *one, **devices = &one;
        size_t n = 1;

        if (target->kind == TARGET_GROUP) {
                Group *group = topology_find_group(topology, target->group);

                /* While its last device goes, a group is there for a moment with nothing in it. */
                if (!group || group->n_members == 0)
                        return refuse(refusal, REFUSAL_NOT_FOUND,
                                      "there is no IOMMU group %u; see 'vfioctl list'",
                                      target->group);
                devices = group->members;
                n = group->n_members;
        } else {
                one = topology_find_device(topology, target->device);
                if (!one)
                        return refuse_no_device(topology, target->device, refusal);
        }

        for (size_t i = 0; i < n; i++) {
                if (has_device(selection, devices[i]))
                        return refuse(refusal, REFUSAL_DUPLICATE_TARGET,
                                      "%s is given twice: by name and by its group %u",
                                      devices[i]->facts.name, devices[i]->facts.group);
                if (add_device(selection, devices[i]) < 0)
                        return refuse_memory(refusal);
        }
        return REFUSAL_NONE;
}

static int compare_groups(const void *a, const void *b) {
        uint32_t x = (*(Group *const *)a)->facts.number, y = (*(Group *const *)b)->facts.number;

        return x < y ? -1 : x > y;
}

static int compare_devices(const void *a, const void *b) {
        return strcmp((*(Device *const *)a)->facts.name, (*(Device *const *)b)->facts.name);
}

/* What was assigned may have been taken out since. */
static bool may_be_absent(const Topology *topology, const Request *request, const Target *target) {
        return request->operation == OPERATION_UNASSIGN && target->kind == TARGET_DEVICE &&
               !topology_find_device(topology, target->device);
}

RefusalKind select_targets(const Topology *topology, const Request *request, Selection *selection,
                           Refusal *refusal) {
        for (size_t i = 0; i < request->n_targets; i++) {
                if (may_be_absent(topology, request, &request->targets[i]))
                        continue;
                if (add_target(topology, &request->targets[i], selection, refusal))
                        return refusal->kind;
        }
        if (selection->n_groups > 0)
                qsort(selection->groups, selection->n_groups, sizeof(Group *), compare_groups);
        if (selection->n_devices > 0)
                qsort(selection->devices, selection->n_devices, sizeof(Device *), compare_devices);
        return REFUSAL_NONE;
}

uint32_t *selection_groups(const Selection *selection, size_t *ret_n) {
        uint32_t *groups = calloc(selection->n_groups + 1, sizeof(uint32_t));

        *ret_n = groups ? selection->n_groups : 0;
        for (size_t i = 0; i < *ret_n; i++)
                groups[i] = selection->groups[i]->facts.number;
        return groups;
}
