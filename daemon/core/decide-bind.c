/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bind: every member of the groups to a vfio driver. All overrides are set before the first device
 * loses its driver, so that nobody else can grab a member in between.
 */

#include "daemon/core/decide-common.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/util/string.h"

bool decide_needs_bind(const Topology *topology, const Device *device) {
        Verdict verdict = device_verdict(topology, device);

        return verdict == VERDICT_NO_DRIVER || verdict == VERDICT_HOST_DRIVER;
}

/* The driver wanted, which must be a vfio driver for all we can tell before the kernel judges. */
static RefusalKind choose_driver(const World *world, const Request *request, const Device *device,
                                 VfioDriver *ret, VfioDriver *plain, Refusal *refusal) {
        const DeviceFacts *facts = &device->facts;

        if (vfio_driver_plain(facts, plain) < 0 || !facts->driver_override)
                return refuse(
                        refusal, REFUSAL_NO_VFIO_DRIVER,
                        "%s is on the %s bus, for which there is no vfio driver to bind it to",
                        facts->name, facts->bus);
        if (request->driver) {
                if (vfio_driver_named(&world->aliases, facts, request->driver, ret) < 0)
                        return refuse(refusal, REFUSAL_NO_VFIO_DRIVER,
                                      "%s is no vfio driver for %s on this kernel", request->driver,
                                      facts->name);
                return REFUSAL_NONE;
        }
        *ret = *plain;
        if (world->config.variant_drivers && vfio_driver_best(&world->aliases, facts, ret) < 0)
                return refuse_memory(refusal);
        return REFUSAL_NONE;
}

static int plan_module(Plan *plan, const char *module) {
        Step *step;

        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].kind == STEP_LOAD_MODULE &&
                    strcmp(plan->steps[i].module, module) == 0)
                        return 0;
        step = plan_append(plan, STEP_LOAD_MODULE, 0);
        return step ? string_set(&step->module, module) : -1;
}

static int plan_prepare_member(Plan *plan, const Device *device, const VfioDriver *wanted,
                               const VfioDriver *plain) {
        assert(wanted->driver && wanted->module && plain->driver && plain->module);
        if (plan_module(plan, wanted->module) < 0)
                return -1;
        if (strcmp(wanted->driver, plain->driver) != 0 && plan_module(plan, plain->module) < 0)
                return -1;
        return plan_move(plan, STEP_SET_OVERRIDE, &device->facts, NULL, wanted->driver) ? 0 : -1;
}

static int plan_move_member(Plan *plan, const Request *request, const Device *device,
                            const VfioDriver *wanted, const VfioDriver *plain) {
        const DeviceFacts *facts = &device->facts;
        Step *step;

        assert(wanted->driver && plain->driver);
        if (!string_is_empty(facts->driver) &&
            !plan_move(plan, STEP_UNBIND_HOST, facts, facts->driver, wanted->driver))
                return -1;
        step = plan_move(plan, STEP_BIND_VFIO, facts, wanted->driver, wanted->driver);
        if (!step)
                return -1;
        /* A variant driver may refuse a device that it matches; the plain one takes it then. */
        if (!request->driver && strcmp(wanted->driver, plain->driver) != 0)
                return string_set(&step->fallback, plain->driver);
        return 0;
}

/*
 * What is in use is told of members that would lose their driver only; the chipset is the host's
 * with any driver or none.
 */
int decide_host_needs(const Topology *topology, const Device *device, char **ret) {
        const DeviceFacts *facts = &device->facts;
        _cleanup_free_ char *uses = strv_join(device->in_use, ", ");

        if (!uses)
                return -ENOMEM;
        if (device_is_chipset(facts))
                *ret = string_format("group %u is a part of the host's chipset: it holds the ISA "
                                     "bridge %s; use a device of another group",
                                     facts->group, facts->name);
        else if (device_verdict(topology, device) == VERDICT_HOST_DRIVER && device_is_bridge(facts))
                *ret = string_format("group %u is a part of the host's chipset: the host bridge %s "
                                     "is bound to %s; use a device of another group",
                                     facts->group, facts->name, facts->driver);
        else if (decide_needs_bind(topology, device) && !string_is_empty(uses))
                *ret = string_format("%s is in use by the host: %s; end that use, or take a device "
                                     "that the host does not need",
                                     facts->name, uses);
        else
                return 0;
        return *ret ? 0 : -ENOMEM;
}

/* What decide_host_needs() tells of it is its use, and not that the host is made of it. */
static bool is_spared_for_its_use(const DeviceFacts *facts) {
        return !device_is_bridge(facts);
}

static RefusalKind check_host_can_spare(const World *world, const Request *request,
                                        const Device *member, Plan *plan, Refusal *refusal) {
        _cleanup_free_ char *needs = NULL;

        if (decide_host_needs(&world->topology, member, &needs) < 0)
                return refuse_memory(refusal);
        if (!needs)
                return REFUSAL_NONE;
        if (!request->override_safety)
                return refuse(refusal, REFUSAL_HOST_DEVICE, "%s%s", needs,
                              is_spared_for_its_use(&member->facts)
                                      ? " ('--override-safety' takes it all the same)"
                                      : "");
        return strv_push(&plan->overridden, needs) < 0 ? refuse_memory(refusal) : REFUSAL_NONE;
}

/* Mediated devices are on vfio drivers from the beginning. */
static RefusalKind check_has_no_mdev(const World *world, const Device *member, Refusal *refusal) {
        const Device *mdev = topology_find_mdev(&world->topology, member);

        return mdev ? refuse(refusal, REFUSAL_HOST_DEVICE,
                             "%s is a mediated device of %s, and would go with its driver; remove "
                             "it "
                             "with 'vfioctl mdev remove %s' first",
                             mdev->facts.name, member->facts.name, mdev->facts.name)
                    : REFUSAL_NONE;
}

/*
 * Whatever is overridden: when its driver lets go of the device it takes the virtual functions
 * away, and the kernel would not come back from that while somebody has one. The same goes for
 * mediated devices.
 */
static RefusalKind check_functions_unused(const World *world, const Device *member,
                                          Refusal *refusal) {
        const Topology *topology = &world->topology;

        for (size_t i = 0; i < topology->n_devices; i++) {
                const DeviceFacts *facts = &topology->devices[i]->facts;

                if (!device_is_vf_of(topology->devices[i], member) ||
                    device_verdict(topology, topology->devices[i]) != VERDICT_VFIO)
                        continue;
                return refuse(refusal, REFUSAL_HOST_DEVICE,
                              "%s, a virtual function of %s, is bound to %s; unbind it, and remove "
                              "the virtual functions with 'vfioctl vfs %s 0' first",
                              facts->name, member->facts.name, facts->driver, member->facts.name);
        }
        return check_has_no_mdev(world, member, refusal);
}

static RefusalKind check_group_may_move(const World *world, const Request *request,
                                        const Group *group, Plan *plan, Refusal *refusal) {
        const Topology *topology = &world->topology;
        bool any = false;

        for (size_t i = 0; i < group->n_members; i++) {
                const Device *member = group->members[i];
                Verdict verdict = device_verdict(topology, member);

                any = any || decide_needs_bind(topology, member) || verdict == VERDICT_VFIO;
                if (decide_needs_bind(topology, member) &&
                    check_functions_unused(world, member, refusal))
                        return refusal->kind;
                if (check_host_can_spare(world, request, member, plan, refusal))
                        return refusal->kind;
                if (verdict == VERDICT_BRIDGE_DRIVER) {
                        _cleanup_free_ char *remedy = verdict_remedy(verdict, &member->facts);

                        return refuse(refusal, REFUSAL_NOT_VIABLE,
                                      "group %u is not viable: the bridge %s is bound to %s, which "
                                      "claims the whole group; %s",
                                      group->facts.number, member->facts.name, member->facts.driver,
                                      string_or_empty(remedy));
                }
        }
        if (!any)
                return refuse(refusal, REFUSAL_NOTHING_TO_BIND,
                              "group %u has only bridges; there is no device in it to give away",
                              group->facts.number);
        return REFUSAL_NONE;
}

RefusalKind plan_bind_group(const World *world, const Request *request, const Group *group,
                            Plan *plan, Refusal *refusal) {
        VfioDriver wanted = {0}, plain = {0};

        if (check_group_is_safe(world, group, refusal) ||
            check_group_may_move(world, request, group, plan, refusal))
                return refusal->kind;
        for (size_t i = 0; i < group->n_members; i++) {
                const Device *member = group->members[i];

                if (!decide_needs_bind(&world->topology, member))
                        continue;
                if (choose_driver(world, request, member, &wanted, &plain, refusal))
                        return refusal->kind;
                if (plan_prepare_member(plan, member, &wanted, &plain) < 0)
                        return refuse_memory(refusal);
        }
        for (size_t i = 0; i < group->n_members; i++) {
                const Device *member = group->members[i];

                if (!decide_needs_bind(&world->topology, member))
                        continue;
                if (choose_driver(world, request, member, &wanted, &plain, refusal))
                        return refusal->kind;
                if (plan_move_member(plan, request, member, &wanted, &plain) < 0)
                        return refuse_memory(refusal);
        }
        return REFUSAL_NONE;
}

char *decide_bind_remedy(const World *world, const Group *group) {
        Request request = {.operation = OPERATION_BIND};
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        _cleanup_plan_ Plan plan = PLAN_NULL;

        if (plan_bind_group(world, &request, group, &plan, &refusal))
                return TAKE_PTR(refusal.sentence);
        return string_format("bind the whole group with 'vfioctl bind group/%u'",
                             group->facts.number);
}

RefusalKind decide_bind(const World *world, const Request *request, const Selection *selection,
                        Plan *plan, Refusal *refusal) {
        if (check_groups_free(world, request, selection, NULL, refusal))
                return refusal->kind;
        for (size_t i = 0; i < selection->n_groups; i++)
                if (plan_bind_group(world, request, selection->groups[i], plan, refusal))
                        return refusal->kind;
        return REFUSAL_NONE;
}
