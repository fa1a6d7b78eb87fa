/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Taking a group back from those who hold it, in this order:
 *   1. The devices are quieted through our files of them, so that no DMA begins any more and the
 *      next access to a mapped BAR is a SIGBUS (drivers/vfio/pci/vfio_pci_core.c,
 *      vfio_pci_zap_and_down_write_memory_lock); in MODE_IOMMUFD they are detached too.
 *   2. The holders are sent SIGBUS, later SIGKILL, and given time after each.
 *   3. Our own device files are closed, and the group is taken out of its container. The kernel
 *      allows that only when no device of it is open (VFIO_GROUP_UNSET_CONTAINER, EBUSY): the proof
 *      that nobody is left, and the end of all DMA mappings.
 *   4. While our file of the group stays open, nobody can open it anew; what others still have of
 *      it is an orphan once its last device is unbound.
 * A group that nobody leased has no file of ours: 2., and then it is claimed. So is one in
 * MODE_IOMMUFD, once our cdevs of it are closed (daemon/core/decide-iommufd.c).
 */

#include <signal.h>

#include "daemon/core/decide-iommufd.h"
#include "daemon/util/string.h"

bool decide_may_take(const World *world, const Request *request, uint32_t group) {
        if (request->operation != OPERATION_UNBIND || request->policy == POLICY_FAIL)
                return false;
        return (request->policy == POLICY_REVOKE && request->due) ||
               wait_is_vacated(&world->waits, group);
}

static bool is_vfio(const World *world, const Device *device) {
        return device_verdict(&world->topology, device) == VERDICT_VFIO;
}

/* A device whose file the holder got by itself (prepare=open) is opened for the purpose; that fails
 * if nobody has opened any, and then there is nothing to quiet. */
static int plan_quiesce(const World *world, const Lease *lease, const Group *group, Plan *plan) {
        for (size_t i = 0; i < group->n_members; i++) {
                const Device *device = group->members[i];

                if (!is_vfio(world, device) ||
                    (lease->mode == MODE_IOMMUFD && !lease_has_device(lease, device->facts.name)))
                        continue;
                if (!lease_has_device(lease, device->facts.name)) {
                        Step *step = plan_device(plan, STEP_GET_DEVICE, device);

                        if (!step)
                                return -1;
                        step->optional = true;
                }
                if (!plan_device(plan, STEP_QUIESCE, device))
                        return -1;
        }
        return lease->mode == MODE_IOMMUFD ? plan_detach_cdevs(world, lease, group, plan) : 0;
}

static const Lease *lease_with_files(const World *world, uint32_t group) {
        const Lease *lease = lease_table_find_group(&world->leases, group);

        return lease && !lease->closed ? lease : NULL;
}

/* A step on those groups of the selection that are leased, or that are not; nothing for none. */
static int plan_on_groups(const World *world, const Selection *selection, bool leased,
                          const Step *template, Plan *plan) {
        Step *step = NULL;

        for (size_t i = 0; i < selection->n_groups; i++) {
                uint32_t number = selection->groups[i]->facts.number;

                if (!lease_with_files(world, number) == leased)
                        continue;
                if (!step) {
                        step = plan_append(plan, template->kind, number);
                        if (!step)
                                return -1;
                        *step = *template;
                }
                if (step_add_group(step, number) < 0)
                        return -1;
        }
        return 0;
}

static int plan_signals(const World *world, const Selection *selection, bool leased, Plan *plan) {
        const Config *config = &world->config;
        /* The file of a group nobody leased keeps us from claiming it. */
        Step step = {.kind = STEP_EVICT,
                     .and_group_files = !leased,
                     .signal = SIGBUS,
                     .grace_ms = config->sigbus_grace_ms,
                     .optional = config->sigkill};

        if (plan_on_groups(world, selection, leased, &step, plan) < 0)
                return -1;
        if (!config->sigkill)
                return 0;
        step.signal = SIGKILL;
        step.grace_ms = config->sigkill_grace_ms;
        step.optional = false;
        return plan_on_groups(world, selection, leased, &step, plan);
}

int plan_evict(const World *world, const Selection *selection, Plan *plan) {
        Step *look = plan_append(plan, STEP_FIND_HOLDERS, 0);

        if (!look)
                return -1;
        for (size_t i = 0; i < selection->n_groups; i++)
                if (step_add_group(look, selection->groups[i]->facts.number) < 0)
                        return -1;
        for (size_t i = 0; i < selection->n_groups; i++) {
                const Group *group = selection->groups[i];
                const Lease *lease = lease_with_files(world, group->facts.number);

                if (lease && plan_quiesce(world, lease, group, plan) < 0)
                        return -1;
        }
        return plan_signals(world, selection, true, plan) < 0 ||
                               plan_signals(world, selection, false, plan) < 0
                       ? -1
                       : 0;
}

int plan_claim_group(const Request *request, const Group *group, Plan *plan) {
        Step *claim = plan_group(plan, STEP_CLAIM_GROUP, group);

        if (!claim)
                return -1;
        claim->grace_ms = request->due ? DECIDE_CLOSING_MS : 0;
        return 0;
}

static int plan_reset(const World *world, const Group *group, Plan *plan) {
        for (size_t i = 0; i < group->n_members; i++) {
                Step *step;

                if (!is_vfio(world, group->members[i]))
                        continue;
                step = plan_device(plan, STEP_RESET, group->members[i]);
                if (!step)
                        return -1;
                step->optional = true;
        }
        return 0;
}

static int plan_take_cdevs(const Lease *lease, const Group *group, Plan *plan) {
        Step *claim;

        if (plan_close_cdevs(lease, group, plan) < 0)
                return -1;
        claim = plan_group(plan, STEP_CLAIM_GROUP, group);
        if (!claim)
                return -1;
        claim->grace_ms = DECIDE_CLOSING_MS;
        return 0;
}

static int plan_take_files(const World *world, const Lease *lease, const Group *group, Plan *plan) {
        Step *unset;

        for (size_t i = 0; i < group->n_members; i++) {
                const Device *device = group->members[i];
                Step *step = is_vfio(world, device) ? plan_device(plan, STEP_CLOSE_DEVICE, device)
                                                    : NULL;

                if (step)
                        step->optional = !lease_has_device(lease, device->facts.name);
                else if (is_vfio(world, device))
                        return -1;
        }
        unset = plan_group(plan, STEP_UNSET_CONTAINER, group);
        if (!unset)
                return -1;
        unset->grace_ms = DECIDE_CLOSING_MS;
        return 0;
}

int plan_take_group(const World *world, const Lease *lease, const Group *group, Plan *plan) {
        int r = lease->mode == MODE_IOMMUFD ? plan_take_cdevs(lease, group, plan)
                                            : plan_take_files(world, lease, group, plan);

        return r < 0 ? r : plan_reset(world, group, plan);
}

static int plan_ask_device(const Lease *lease, const Device *device, Plan *plan) {
        bool ours = lease_has_device(lease, device->facts.name);
        Step *step;

        if (!ours && lease->mode == MODE_IOMMUFD)
                return 0;
        if (!ours) {
                step = plan_device(plan, STEP_GET_DEVICE, device);
                if (!step)
                        return -1;
                step->optional = true;
        }
        step = plan_device(plan, STEP_REQUEST_DEVICE, device);
        if (!step || step_add_group(step, device->facts.group) < 0)
                return -1;
        return ours || plan_device(plan, STEP_CLOSE_DEVICE, device) ? 0 : -1;
}

int plan_ask(const World *world, const uint32_t *groups, size_t n_groups, Plan *plan) {
        for (size_t i = 0; i < n_groups; i++) {
                const Group *group = topology_find_group(&world->topology, groups[i]);
                const Lease *lease = lease_with_files(world, groups[i]);

                if (!group || !lease)
                        continue;
                for (size_t j = 0; j < group->n_members; j++)
                        if (is_vfio(world, group->members[j]) &&
                            plan_ask_device(lease, group->members[j], plan) < 0)
                                return -1;
        }
        return 0;
}
