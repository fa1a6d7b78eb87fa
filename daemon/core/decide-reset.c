/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reset of a device that nobody has, or by whoever has it.
 *   - What nobody has is reset through sysfs, which asks nobody and tears no mapping down
 *     (drivers/pci/pci-sysfs.c, reset_store): so its group is claimed for as long as it takes.
 *   - What is leased is reset through our file of it, as its holder could do, and waits for nobody.
 *   - A hot reset goes through files only, and takes those of all that is reset together.
 * A method is chosen by reset_method, which the same plan puts back.
 */

#include <stdlib.h>

#include "daemon/core/decide-common.h"
#include "daemon/core/reset-set.h"
#include "daemon/util/string.h"

#define METHOD_HOT "hot"

static RefusalKind check_kind(const Device *device, Refusal *refusal) {
        const DeviceFacts *facts = &device->facts;

        if (!device_facts_is_pci(facts))
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "%s is on the %s bus; only PCI devices can be reset from outside",
                              facts->name, facts->bus);
        if (device_is_bridge(facts))
                return refuse(
                        refusal, REFUSAL_UNSUPPORTED,
                        "%s is a bridge, and its reset would be that of all below it; reset a "
                        "device",
                        facts->name);
        return REFUSAL_NONE;
}

static RefusalKind check_method(const World *world, const Request *request, const Device *device,
                                Refusal *refusal) {
        const DeviceFacts *facts = &device->facts;
        bool told = reset_methods_are_told(&world->topology);
        _cleanup_free_ char *offered = strv_join(facts->reset_methods, ", ");

        if (!told && request->reset_method)
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "this kernel does not let a reset method be chosen (Linux 5.15 "
                              "does); leave it to the kernel");
        if (!told || strv_contains(facts->reset_methods, string_or_empty(request->reset_method)) ||
            (!request->reset_method && !string_is_empty(offered)))
                return REFUSAL_NONE;
        if (string_is_empty(offered))
                return refuse(refusal, REFUSAL_NO_RESET, "%s cannot be reset alone: %s",
                              facts->name,
                              facts->reset_methods
                                      ? "all its methods are switched off in its reset_method"
                                      : "the kernel knows no method for it");
        return refuse(refusal, REFUSAL_NO_RESET, "%s has no reset method '%s'; it has %s",
                      facts->name, request->reset_method, offered);
}

/* Others that are reset with the device, each with what stands in the way of that: "0000:05:00.1
 * (bound to e1000e)". `lease` is whose files there are, NULL for none. */
static int describe_others(const World *world, const Device *device, const Lease *lease,
                           bool in_the_way, char **ret) {
        const Topology *topology = &world->topology;

        for (size_t i = 0; i < topology->n_devices; i++) {
                const Device *other = topology->devices[i];
                const Lease *has = lease_table_find_group(&world->leases, other->facts.group);
                _cleanup_free_ char *why = NULL;

                if (other == device || !reset_set_has(&device->facts, &other->facts))
                        continue;
                if (!in_the_way)
                        why = string_format("group %u", other->facts.group);
                else if (has != lease)
                        why = has ? string_format("leased to uid %u", has->owner)
                                  : string_format("in no group of lease %u", lease->id);
                else if (device_verdict(topology, other) != VERDICT_VFIO)
                        why = string_is_empty(other->facts.driver)
                                      ? strdup("on no vfio driver")
                                      : string_format("bound to %s", other->facts.driver);
                else
                        continue;
                if (!why ||
                    string_append(ret, "%s%s (%s)", *ret ? ", " : "", other->facts.name, why) < 0)
                        return -1;
        }
        return 0;
}

/* By sysfs the kernel resets a bus only for the sake of its one device. */
static RefusalKind check_bus(const World *world, const Request *request, const Device *device,
                             Refusal *refusal) {
        _cleanup_free_ char *others = NULL;
        const char *method = request->reset_method;

        if (method ? !reset_method_is_bus(method) : reset_is_own(&world->topology, &device->facts))
                return REFUSAL_NONE;
        if (describe_others(world, device, NULL, false, &others) < 0)
                return refuse_memory(refusal);
        return others ? refuse(refusal, REFUSAL_RESET_SET_INCOMPLETE,
                               "a reset of the bus of %s is one of %s too; that is the method "
                               "'" METHOD_HOT "'",
                               device->facts.name, others)
                      : REFUSAL_NONE;
}

static RefusalKind check_hot(const World *world, const Device *device, const Lease *lease,
                             Refusal *refusal) {
        _cleanup_free_ char *others = NULL;

        if (describe_others(world, device, lease, true, &others) < 0)
                return refuse_memory(refusal);
        return others ? refuse(refusal, REFUSAL_RESET_SET_INCOMPLETE,
                               "a hot reset of %s is one of %s too; %s", device->facts.name, others,
                               lease ? "lease them together"
                                     : "bind them all, when nobody has them")
                      : REFUSAL_NONE;
}

static RefusalKind check_driver(const World *world, const Device *device, bool hot,
                                Refusal *refusal) {
        Verdict verdict = device_verdict(&world->topology, device);
        _cleanup_free_ char *reason = verdict_reason(verdict, &device->facts);
        _cleanup_free_ char *remedy = verdict_remedy(verdict, &device->facts);

        if (verdict == VERDICT_VFIO ||
            (!hot && (verdict == VERDICT_NO_DRIVER || verdict == VERDICT_MANAGED)))
                return REFUSAL_NONE;
        return refuse(refusal, REFUSAL_NOT_BOUND, "%s %s%s; %s", device->facts.name,
                      string_or_empty(reason),
                      verdict == VERDICT_HOST_DRIVER ? ", and in use by the host" : "",
                      string_or_empty(remedy));
}

int plan_reset_method(const Device *device, const char *method, const char *old, Plan *plan) {
        Step *step = plan_device(plan, STEP_SET_RESET_METHOD, device);

        if (!step || string_set(&step->reset_method, method) < 0)
                return -1;
        return string_set(&step->reset_method_old, old) < 0 ? -1 : 0;
}

static int plan_function(const World *world, const Request *request, const Device *device,
                         const Lease *lease, Plan *plan) {
        const char *method = request->reset_method;
        _cleanup_free_ char *before = strv_join(device->facts.reset_methods, " ");

        if (!before || (!lease && plan_prove_unleased(world, request, device->group, plan) < 0) ||
            (method && plan_reset_method(device, method, before, plan) < 0) ||
            (lease ? plan_through_lease(lease, device, STEP_RESET_FILE, plan) < 0
                   : !plan_device(plan, STEP_RESET, device)))
                return -1;
        return method ? plan_reset_method(device, before, method, plan) : 0;
}

static int plan_open_groups(const Selection *selection, const Device *device, Plan *plan) {
        const Group *own = device->group;

        if (!plan_append(plan, STEP_OPEN_CONTAINER, 0))
                return -1;
        for (size_t i = 0; i < selection->n_groups; i++)
                if (!plan_group(plan, STEP_OPEN_GROUP, selection->groups[i]))
                        return -1;
        return plan_group(plan, STEP_SET_CONTAINER, own) && plan_group(plan, STEP_SET_IOMMU, own) &&
                               plan_device(plan, STEP_GET_DEVICE, device)
                       ? 0
                       : -1;
}

static int plan_open_all_cdevs(const World *world, const Selection *selection, Plan *plan) {
        if (!plan_append(plan, STEP_OPEN_IOMMUFD, 0))
                return -1;
        for (size_t i = 0; i < selection->n_groups; i++)
                for (size_t j = 0; j < selection->groups[i]->n_members; j++) {
                        const Device *member = selection->groups[i]->members[j];

                        if (device_verdict(&world->topology, member) == VERDICT_VFIO &&
                            (!plan_device(plan, STEP_OPEN_CDEV, member) ||
                             !plan_device(plan, STEP_BIND_CDEV, member)))
                                return -1;
                }
        return 0;
}

static int plan_hot_step(const Selection *selection, const Device *device, Plan *plan) {
        Step *step = plan_device(plan, STEP_HOT_RESET, device);

        for (size_t i = 0; step && i < selection->n_groups; i++)
                if (step_add_group(step, selection->groups[i]->facts.number) < 0)
                        return -1;
        return step ? 0 : -1;
}

static int plan_hot(const World *world, const Selection *selection, const Device *device,
                    const Lease *lease, Plan *plan) {
        bool open = !lease, get = lease && !lease_has_device(lease, device->facts.name);

        if (open &&
            (decide_has_cdev(world, device) ? plan_open_all_cdevs(world, selection, plan)
                                            : plan_open_groups(selection, device, plan)) < 0)
                return -1;
        if ((get && !plan_device(plan, STEP_GET_DEVICE, device)) ||
            plan_hot_step(selection, device, plan) < 0)
                return -1;
        if (get && !plan_device(plan, STEP_CLOSE_DEVICE, device))
                return -1;
        return open && !plan_device(plan, STEP_CLOSE_FILES, device) ? -1 : 0;
}

static RefusalKind check_groups_are_bound(const World *world, const Selection *selection,
                                          Refusal *refusal) {
        for (size_t i = 0; i < selection->n_groups; i++)
                if (check_group_is_bound(world, selection->groups[i], refusal))
                        return refusal->kind;
        return REFUSAL_NONE;
}

static RefusalKind check_what_is_reset(const World *world, const Request *request, bool hot,
                                       const Device *device, const Lease *lease, Refusal *refusal) {
        if (check_driver(world, device, hot, refusal) ||
            (lease && check_lease_reaches(lease, device, "reset", refusal)))
                return refusal->kind;
        if (hot)
                return check_hot(world, device, lease, refusal);
        return check_method(world, request, device, refusal) ||
                               check_bus(world, request, device, refusal)
                       ? refusal->kind
                       : REFUSAL_NONE;
}

RefusalKind decide_reset(const World *world, const Request *request, const Selection *selection,
                         Plan *plan, Refusal *refusal) {
        const Device *device = topology_find_device(&world->topology, request->targets[0].device);
        const Lease *lease = lease_table_find_group(&world->leases, device->facts.group);
        const Lease *own = lease && lease->owner == request->caller.uid ? lease : NULL;
        bool hot = string_equal(request->reset_method, METHOD_HOT);

        if (check_kind(device, refusal) ||
            (lease == own && check_what_is_reset(world, request, hot, device, own, refusal)) ||
            check_groups_free(world, request, selection, own, refusal))
                return refusal->kind;
        if (hot && !own && check_groups_are_bound(world, selection, refusal))
                return refusal->kind;
        return (hot ? plan_hot(world, selection, device, own, plan)
                    : plan_function(world, request, device, own, plan)) < 0
                       ? refuse_memory(refusal)
                       : REFUSAL_NONE;
}
