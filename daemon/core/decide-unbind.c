/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Unbind: every member that is on a vfio driver back to where it came from. The group is claimed
 * first: while we have its file open nobody else can open a device, and that we can open it proves
 * that nobody has one open, so no `unbind` is ever written to a device in use
 * (drivers/vfio/group.c, vfio_group_fops_open).
 */

#include "daemon/core/decide-common.h"

#include "daemon/util/string.h"

static Step *plan_device(Plan *plan, StepKind kind, const Device *device, const char *driver) {
        const DeviceFacts *facts = &device->facts;
        Step *step = plan_append(plan, kind, facts->group);

        if (!step || step_set_device(step, facts->name, facts->bus, driver) < 0 ||
            step_set_override(step, string_or_empty(device->original.override),
                              string_or_empty(facts->driver_override)) < 0)
                return NULL;
        return step;
}

/* A device of which nothing is recorded goes to whatever driver the kernel finds for it. */
static int plan_return_member(Plan *plan, const Device *device) {
        const Original *original = &device->original;
        bool driverless = original->recorded && string_is_empty(original->driver);
        const char *driver = original->recorded ? original->driver : NULL;
        const char *module = original->recorded ? original->module : device->facts.modalias;

        if (!driverless && !string_is_empty(module)) {
                Step *step = plan_append(plan, STEP_LOAD_MODULE, 0);

                if (!step || string_set(&step->module, module) < 0)
                        return -1;
                step->optional = true;
        }
        if (!plan_device(plan, STEP_UNBIND_VFIO, device, device->facts.driver) ||
            !plan_device(plan, STEP_SET_OVERRIDE, device, NULL))
                return -1;
        return driverless || plan_device(plan, STEP_BIND_HOST, device, driver) ? 0 : -1;
}

static RefusalKind plan_return_group(const World *world, const Group *group, Plan *plan,
                                     Refusal *refusal) {
        bool claimed = false;

        for (size_t i = 0; i < group->n_members; i++) {
                const Device *member = group->members[i];

                if (device_verdict(&world->topology, member) != VERDICT_VFIO)
                        continue;
                if (!member->facts.driver_override)
                        return refuse(refusal, REFUSAL_NO_VFIO_DRIVER,
                                      "%s is on the %s bus and has no host driver to go back to",
                                      member->facts.name, member->facts.bus);
                if (!claimed && !plan_append(plan, STEP_CLAIM_GROUP, group->facts.number))
                        return refuse_memory(refusal);
                claimed = true;
                if (plan_return_member(plan, member) < 0)
                        return refuse_memory(refusal);
        }
        return REFUSAL_NONE;
}

RefusalKind decide_unbind(const World *world, const Request *request, const Selection *selection,
                          Plan *plan, Refusal *refusal) {
        if (check_groups_free(world, request, selection, NULL, refusal))
                return refusal->kind;
        for (size_t i = 0; i < selection->n_groups; i++)
                if (plan_return_group(world, selection->groups[i], plan, refusal))
                        return refusal->kind;
        return REFUSAL_NONE;
}
