/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Unbind: every member that is on a vfio driver back to where it came from. No `unbind` is ever
 * written to a device in use, because the kernel would not come back from it:
 *   - A group that nobody has leased is claimed first: while we have its file open nobody else can
 *     open a device, and that we can open it proves that nobody has one open
 *     (drivers/vfio/group.c, vfio_group_fops_open).
 *   - A group that is taken from its lease is proved free through the lease's own file of it
 *     (daemon/core/decide-take.c).
 */

#include "daemon/core/decide-iommufd.h"

#include "daemon/util/string.h"

/* A device of which nothing is recorded goes to whatever driver the kernel finds for it. */
static int plan_return_member(Plan *plan, const Device *device) {
        const Original *original = &device->original;
        const DeviceFacts *facts = &device->facts;
        const char *override = string_or_empty(original->override);
        bool driverless = original->recorded && string_is_empty(original->driver);
        const char *driver = original->recorded ? original->driver : NULL;
        const char *module = original->recorded ? original->module : facts->modalias;

        if (!driverless && !string_is_empty(module)) {
                Step *step = plan_append(plan, STEP_LOAD_MODULE, 0);

                if (!step || string_set(&step->module, module) < 0)
                        return -1;
                step->optional = true;
        }
        if (!plan_move(plan, STEP_UNBIND_VFIO, facts, facts->driver, override) ||
            !plan_move(plan, STEP_SET_OVERRIDE, facts, NULL, override))
                return -1;
        return driverless || plan_move(plan, STEP_BIND_HOST, facts, driver, override) ? 0 : -1;
}

static RefusalKind check_can_return(const World *world, const Selection *selection,
                                    size_t *ret_members, Refusal *refusal) {
        *ret_members = 0;
        for (size_t i = 0; i < selection->n_groups; i++)
                for (size_t j = 0; j < selection->groups[i]->n_members; j++) {
                        const Device *member = selection->groups[i]->members[j];

                        if (device_verdict(&world->topology, member) != VERDICT_VFIO)
                                continue;
                        ++*ret_members;
                        if (member->facts.driver_override)
                                continue;
                        return refuse(refusal, REFUSAL_NO_VFIO_DRIVER,
                                      "%s is on the %s bus and has no host driver to go back to",
                                      member->facts.name, member->facts.bus);
                }
        return REFUSAL_NONE;
}

static bool has_vfio_member(const World *world, const Group *group) {
        for (size_t i = 0; i < group->n_members; i++)
                if (device_verdict(&world->topology, group->members[i]) == VERDICT_VFIO)
                        return true;
        return false;
}

static bool has_cdev(const Group *group) {
        for (size_t i = 0; i < group->n_members; i++)
                if (!string_is_empty(group->members[i]->facts.cdev))
                        return true;
        return false;
}

int plan_prove_unleased(const World *world, const Request *request, const Group *group,
                        Plan *plan) {
        if (!has_vfio_member(world, group))
                return 0;
        /* That an unbound cdev is open somewhere does not keep the group from being claimed. */
        if (has_cdev(group) && plan_expect_nobody(group->facts.number, plan) < 0)
                return -1;
        return plan_claim_group(request, group, plan);
}

/* The proof that the group is free: by taking it from its lease, or by claiming it. */
static int plan_prove_free(const World *world, const Request *request, const Group *group,
                           Plan *plan) {
        const Lease *lease = lease_table_find_group(&world->leases, group->facts.number);

        if (lease && !lease->closed && has_vfio_member(world, group))
                return plan_take_group(world, lease, group, plan);
        return plan_prove_unleased(world, request, group, plan);
}

static int plan_return_group(const World *world, const Group *group, Plan *plan) {
        for (size_t i = 0; i < group->n_members; i++) {
                const Device *member = group->members[i];

                if (device_verdict(&world->topology, member) == VERDICT_VFIO &&
                    plan_return_member(plan, member) < 0)
                        return -1;
        }
        return 0;
}

RefusalKind decide_unbind(const World *world, const Request *request, const Selection *selection,
                          Plan *plan, Refusal *refusal) {
        size_t n_members;

        if (check_groups_free(world, request, selection, NULL, refusal) ||
            check_can_return(world, selection, &n_members, refusal))
                return refusal->kind;
        if (request->due && n_members > 0 && plan_evict(world, selection, plan) < 0)
                return refuse_memory(refusal);
        /* All of them before the first device loses its driver: that cannot be undone for a lease.
         */
        for (size_t i = 0; i < selection->n_groups; i++)
                if (plan_prove_free(world, request, selection->groups[i], plan) < 0)
                        return refuse_memory(refusal);
        for (size_t i = 0; i < selection->n_groups; i++)
                if (plan_return_group(world, selection->groups[i], plan) < 0)
                        return refuse_memory(refusal);
        return REFUSAL_NONE;
}
