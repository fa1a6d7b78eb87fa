/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The plans of MODE_IOMMUFD. What is different from groups:
 *
 *   - A cdev may be opened by many; only binding it to an iommufd is exclusive, and lasts until the
 *     last copy of that file is closed (drivers/vfio/device_cdev.c). While one is bound, the kernel
 *     does not let the group be opened: that is the proof that somebody still has it.
 *
 *   - An unbound cdev keeps the device from being unbound as well, and nothing of the kernel's
 * tells of it. So looking comes first, and then our own copy is bound to an iommufd of nobody
 *     (STEP_SEAL_CDEV): from there on the proof works for it too.
 */

#include "daemon/core/decide-iommufd.h"

#include "daemon/util/string.h"

int plan_expect_nobody(uint32_t group, Plan *plan) {
        Step *look = plan_append(plan, STEP_EXPECT_NOBODY, group);

        return look ? step_add_group(look, group) : -1;
}

/* A group that a process has open, or has bound a cdev of, without a lease. */
static int plan_test_groups(const Selection *selection, Plan *plan) {
        for (size_t i = 0; i < selection->n_groups; i++)
                if (!plan_group(plan, STEP_TEST_GROUP, selection->groups[i]))
                        return -1;
        return 0;
}

static int plan_prepare(const Device *device, Prepare prepare, uint32_t ioas, Plan *plan) {
        Step *attach;

        if (prepare != PREPARE_OPEN && !plan_device(plan, STEP_BIND_CDEV, device))
                return -1;
        if (prepare != PREPARE_ATTACH)
                return 0;
        attach = plan_device(plan, STEP_ATTACH_CDEV, device);
        if (!attach)
                return -1;
        attach->ioas = ioas;
        return 0;
}

bool plan_read_iovas(uint32_t ioas, Plan *plan) {
        Step *step = plan_append(plan, STEP_READ_IOVAS, 0);

        if (step)
                step->ioas = ioas;
        return step;
}

int plan_open_cdevs(const World *world, const Request *request, const Selection *selection,
                    const Lease *lease, Plan *plan) {
        Prepare prepare = lease ? lease->prepare : request->prepare;
        uint32_t ioas = lease ? lease->iommufd.ioas : 0;

        if (!lease && !plan_append(plan, STEP_OPEN_IOMMUFD, 0))
                return -1;
        if (!lease && prepare == PREPARE_ATTACH && !plan_append(plan, STEP_ALLOC_IOAS, 0))
                return -1;
        if (plan_test_groups(selection, plan) < 0)
                return -1;
        for (size_t i = 0; i < selection->n_devices; i++) {
                const Device *device = selection->devices[i];

                if (!decide_gives_device(world, device))
                        continue;
                if (!plan_device(plan, STEP_OPEN_CDEV, device) ||
                    plan_prepare(device, prepare, ioas, plan) < 0)
                        return -1;
        }
        return prepare != PREPARE_ATTACH || plan_read_iovas(ioas, plan) ? 0 : -1;
}

/*
 * Attaching it again is not always possible: with PREPARE_BIND and PREPARE_OPEN only the receiver
 * knows what to. Then it is done only where there is a SIGKILL to follow.
 */
int plan_detach_cdevs(const World *world, const Lease *lease, const Group *group, Plan *plan) {
        if (lease->prepare != PREPARE_ATTACH && !world->config.sigkill)
                return 0;
        for (size_t i = 0; i < group->n_members; i++) {
                Step *step;

                if (!lease_has_device(lease, group->members[i]->facts.name))
                        continue;
                step = plan_device(plan, STEP_DETACH_CDEV, group->members[i]);
                if (!step)
                        return -1;
                step->ioas = lease->iommufd.ioas;
        }
        return 0;
}

static int plan_on_ours(const Lease *lease, const Group *group, StepKind kind, Plan *plan) {
        for (size_t i = 0; i < group->n_members; i++)
                if (lease_has_device(lease, group->members[i]->facts.name) &&
                    !plan_device(plan, kind, group->members[i]))
                        return -1;
        return 0;
}

int plan_seal_cdevs(const Lease *lease, const Group *group, Plan *plan) {
        if (lease->mode != MODE_IOMMUFD || lease->prepare != PREPARE_OPEN)
                return 0;
        return plan_on_ours(lease, group, STEP_SEAL_CDEV, plan);
}

int plan_close_cdevs(const Lease *lease, const Group *group, Plan *plan) {
        if (plan_expect_nobody(group->facts.number, plan) < 0 ||
            plan_seal_cdevs(lease, group, plan) < 0)
                return -1;
        return plan_on_ours(lease, group, STEP_CLOSE_CDEV, plan);
}
