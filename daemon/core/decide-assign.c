/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Assign and Unassign: whose a device is from the next boot on. What is judged is whether it could
 * be bound now, so that what the host lives on is not taken away at a boot either; what somebody
 * has it for today does not matter. Which driver has it is as with Bind, or the vfio driver that
 * it is on.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/decide-common.h"
#include "daemon/util/string.h"

static RefusalKind check_file(const World *world, Refusal *refusal) {
        if (!world->config_directory)
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "this vfiod has no directory to write assignments to");
        if (world->assignments_problem)
                return refuse(refusal, REFUSAL_BAD_ASSIGNMENTS,
                              "%s; mend it or remove it, nothing is assigned until then",
                              world->assignments_problem);
        return REFUSAL_NONE;
}

/* The driver that the plan moves the device to, or it is on already; NULL: neither. */
static const char *driver_of(const World *world, const Plan *bind, const Device *device) {
        for (size_t i = 0; i < bind->n_steps; i++)
                if (bind->steps[i].kind == STEP_BIND_VFIO &&
                    string_equal(bind->steps[i].device, device->facts.name))
                        return bind->steps[i].driver;
        return device_verdict(&world->topology, device) == VERDICT_VFIO ? device->facts.driver
                                                                        : NULL;
}

static int add_entry(const Device *device, const char *driver, uint64_t when_usec,
                     Assignments *entries) {
        _cleanup_assignment_ Assignment entry = {0};

        return assignment_of(&device->facts, driver, when_usec, &entry) < 0 ||
                               assignments_put(entries, &entry) < 0
                       ? -ENOMEM
                       : 0;
}

static RefusalKind collect_group(const World *world, const Request *request, const Group *group,
                                 const Plan *bind, Assignments *entries, Refusal *refusal) {
        for (size_t i = 0; i < group->n_members; i++) {
                const Device *member = group->members[i];
                const char *driver = driver_of(world, bind, member);

                if (!driver)
                        continue;
                if (!device_facts_is_pci(&member->facts))
                        return refuse(refusal, REFUSAL_UNSUPPORTED,
                                      "%s is on the %s bus; only PCI devices can be assigned",
                                      member->facts.name, member->facts.bus);
                if (request->driver && !string_equal(driver, request->driver))
                        return refuse(refusal, REFUSAL_NO_VFIO_DRIVER,
                                      "%s is bound to %s; unbind it before it is assigned to %s",
                                      member->facts.name, driver, request->driver);
                if (add_entry(member, driver, request->when_usec, entries) < 0)
                        return refuse_memory(refusal);
        }
        return REFUSAL_NONE;
}

/* Those of the file that are for the same devices. */
static int collect_old(const World *world, const Assignments *entries, Assignments *old) {
        for (size_t i = 0; i < entries->n; i++) {
                const Assignment *entry =
                        assignments_find(&world->assignments, entries->items[i].device);

                if (entry && assignments_put(old, entry) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int plan_write(const World *world, StepKind kind, const Assignments *entries,
                      const Assignments *old, Plan *plan) {
        Step *step = plan_append(plan, kind, 0);

        if (!step || string_set(&step->directory, world->config_directory) < 0)
                return -ENOMEM;
        step->subjects = assignments_names(kind == STEP_ASSIGN ? entries : old);
        step->assignments_old = assignments_write(old);
        if (kind == STEP_ASSIGN)
                step->assignments = assignments_write(entries);
        return step->subjects && step->assignments_old && (step->assignments || !entries) ? 0
                                                                                          : -ENOMEM;
}

static int plan_serials(const World *world, const Assignments *entries, Plan *plan) {
        for (size_t i = 0; i < entries->n; i++) {
                const Device *device =
                        topology_find_device(&world->topology, entries->items[i].device);

                if (!device || !plan_device(plan, STEP_READ_SERIAL, device))
                        return -ENOMEM;
        }
        return 0;
}

static RefusalKind refuse_too_many(Refusal *refusal) {
        return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                      "more than %u devices would be assigned; unassign some first",
                      ASSIGNMENTS_MAX);
}

static RefusalKind plan_assign(const World *world, const Assignments *entries, Plan *plan,
                               Refusal *refusal) {
        _cleanup_assignments_ Assignments old = ASSIGNMENTS_NULL;

        if (collect_old(world, entries, &old) < 0)
                return refuse_memory(refusal);
        if (world->assignments.n - old.n + entries->n > ASSIGNMENTS_MAX)
                return refuse_too_many(refusal);
        return plan_serials(world, entries, plan) < 0 ||
                               plan_write(world, STEP_ASSIGN, entries, &old, plan) < 0
                       ? refuse_memory(refusal)
                       : REFUSAL_NONE;
}

static RefusalKind judge_groups(const World *world, const Request *request,
                                const Selection *selection, Plan *bind, Assignments *entries,
                                Refusal *refusal) {
        for (size_t i = 0; i < selection->n_groups; i++)
                if (plan_bind_group(world, request, selection->groups[i], bind, refusal) ||
                    collect_group(world, request, selection->groups[i], bind, entries, refusal))
                        return refusal->kind;
        return REFUSAL_NONE;
}

RefusalKind decide_assign(const World *world, const Request *request, const Selection *selection,
                          Plan *plan, Refusal *refusal) {
        _cleanup_assignments_ Assignments entries = ASSIGNMENTS_NULL;
        _cleanup_plan_ Plan bind = PLAN_NULL;

        if (check_file(world, refusal) ||
            (request->bind ? check_groups_free(world, request, selection, NULL, refusal)
                           : check_groups_quiet(world, request, selection, refusal)) ||
            judge_groups(world, request, selection, &bind, &entries, refusal))
                return refusal->kind;
        if (entries.n == 0)
                return refuse(refusal, REFUSAL_NOTHING_TO_BIND,
                              "there is no device that a vfio driver would take");
        /* What safety would have refused is told of either way. */
        if (request->bind) {
                *plan = bind;
                bind = (Plan)PLAN_NULL;
        } else {
                plan->overridden = TAKE_PTR(bind.overridden);
        }
        return plan_assign(world, &entries, plan, refusal);
}

static RefusalKind collect_absent(const World *world, const Request *request, Assignments *old,
                                  Refusal *refusal) {
        for (size_t i = 0; i < request->n_targets; i++) {
                const Target *target = &request->targets[i];
                const Assignment *entry;

                if (target->kind != TARGET_DEVICE ||
                    topology_find_device(&world->topology, target->device))
                        continue;
                entry = assignments_find(&world->assignments, target->device);
                if (!entry)
                        return refuse(refusal, REFUSAL_NOT_FOUND,
                                      "there is no device %s with an IOMMU group, and none is "
                                      "assigned; see 'vfioctl list'",
                                      target->device);
                if (assignments_put(old, entry) < 0)
                        return refuse_memory(refusal);
        }
        return REFUSAL_NONE;
}

/* That of a device which waits for a driver and nobody has; Unbind clears the others'. */
static int plan_clear_override(const World *world, const Device *device, const Assignment *entry,
                               Plan *plan) {
        const DeviceFacts *facts = &device->facts;
        Step *step;

        if (device_verdict(&world->topology, device) != VERDICT_NO_DRIVER ||
            !string_equal(facts->driver_override, entry->driver) ||
            lease_table_find_group(&world->leases, facts->group))
                return 0;
        step = plan_device(plan, STEP_SET_OVERRIDE, device);
        return step ? step_set_override(step, "", facts->driver_override) : -ENOMEM;
}

static RefusalKind collect_present(const World *world, const Group *group, Assignments *old,
                                   Plan *plan, Refusal *refusal) {
        for (size_t i = 0; i < group->n_members; i++) {
                const Device *member = group->members[i];
                const Assignment *entry = assignments_find(&world->assignments, member->facts.name);

                if (entry && (assignments_put(old, entry) < 0 ||
                              plan_clear_override(world, member, entry, plan) < 0))
                        return refuse_memory(refusal);
        }
        return REFUSAL_NONE;
}

/* Nothing to do for what is not assigned. */
RefusalKind decide_unassign(const World *world, const Request *request, const Selection *selection,
                            Plan *plan, Refusal *refusal) {
        _cleanup_assignments_ Assignments old = ASSIGNMENTS_NULL;

        if (check_file(world, refusal) || check_groups_quiet(world, request, selection, refusal) ||
            collect_absent(world, request, &old, refusal))
                return refusal->kind;
        for (size_t i = 0; i < selection->n_groups; i++)
                if (collect_present(world, selection->groups[i], &old, plan, refusal))
                        return refusal->kind;
        if (old.n > 0 && plan_write(world, STEP_UNASSIGN, NULL, &old, plan) < 0)
                return refuse_memory(refusal);
        return REFUSAL_NONE;
}

static char *describe_driver(const Device *device) {
        const DeviceFacts *facts = &device->facts;

        return string_format("assigned, but on %s: 'vfioctl bind %s' moves it now; a driver that "
                             "is built into the kernel, or loaded before udev, comes first at boot",
                             facts->driver, facts->name);
}

char *assignment_state(const World *world, const Device *device) {
        const DeviceFacts *facts = &device->facts;
        const Assignment *entry = assignments_find(&world->assignments, facts->name);
        _cleanup_free_ char *id = NULL, *subsystem = NULL, *mismatch = NULL;

        if (!entry)
                return strdup("");
        id = assignment_id(facts->vendor, facts->device);
        subsystem = assignment_id(facts->subsystem_vendor, facts->subsystem_device);
        if (!id || !subsystem ||
            assignment_check(entry, id, subsystem, device->serial, &mismatch) < 0)
                return NULL;
        if (mismatch)
                return string_format("mismatch: %s; 'vfioctl assign %s' takes this one instead, "
                                     "'vfioctl unassign %s' neither",
                                     mismatch, facts->name, facts->name);
        if (device_verdict(&world->topology, device) == VERDICT_HOST_DRIVER)
                return describe_driver(device);
        return strdup("assigned");
}
