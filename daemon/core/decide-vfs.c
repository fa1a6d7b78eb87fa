/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SetVfs: how many virtual functions a PCI device has (SR-IOV). The kernel makes them from none and
 * removes all at once (Documentation/PCI/pci-iov-howto.rst): another number means to remove those
 * that there are, which is done only where the caller says so, and nobody uses one.
 *   - One that is on a vfio driver is somebody's, who would have it open at any moment: the kernel
 *     would not come back from removing it then. So it is to be unbound first.
 *   - Whether host drivers may take them is switched before they are made, and stays so: a driver
 *     whose module udev loads because of the first function would take them all a moment later.
 */

#include "daemon/core/decide-common.h"

#include <stdlib.h>

#include "daemon/util/string.h"

/* So many functions are named; there can be hundreds. */
#define NAMED_MAX 8

/* What drivers take, at worst, to probe one function. */
#define PROBE_MS 2000U

static RefusalKind check_capable(const Device *device, const Request *request, Refusal *refusal) {
        const DeviceFacts *facts = &device->facts;

        if (!string_is_empty(facts->physfn))
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "%s is a virtual function of %s itself; name that device",
                              facts->name, facts->physfn);
        if (facts->total_vfs == 0)
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "%s cannot have virtual functions: it has no SR-IOV capability, or "
                              "firmware has left it no room",
                              facts->name);
        if (request->n_vfs > facts->total_vfs)
                return refuse(refusal, REFUSAL_EXHAUSTED,
                              "%s can have %u virtual functions at most, not %u", facts->name,
                              facts->total_vfs, request->n_vfs);
        return REFUSAL_NONE;
}

/* Functions are made by the device's own driver. */
static RefusalKind check_driver(const World *world, const Device *device, Refusal *refusal) {
        const DeviceFacts *facts = &device->facts;

        if (string_is_empty(facts->driver))
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "%s is bound to no driver, and its driver is what makes virtual "
                              "functions; bind it to its own, or to pci-pf-stub",
                              facts->name);
        if (device_verdict(&world->topology, device) == VERDICT_VFIO)
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "%s is bound to %s: virtual functions of it would want a VF token, "
                              "which vfiod does not know; give it back to its host driver with "
                              "'vfioctl unbind %s' first",
                              facts->name, facts->driver, facts->name);
        return REFUSAL_NONE;
}

/* What keeps the function from being removed: NONE and no text for nothing. */
static RefusalKind why_not_removed(const World *world, const Device *function, char **ret) {
        const Lease *lease = lease_table_find_group(&world->leases, function->facts.group);
        const Device *mdev = topology_find_mdev(&world->topology, function);
        _cleanup_free_ char *uses = strv_join(function->in_use, ", ");

        if (lease && lease->state != LEASE_GRANTING) {
                *ret = string_format("leased to uid %u, lease %u", lease->owner, lease->id);
                return REFUSAL_LEASED;
        }
        if (device_verdict(&world->topology, function) == VERDICT_VFIO) {
                *ret = string_format("bound to %s", function->facts.driver);
                return REFUSAL_IN_USE;
        }
        if (mdev) {
                *ret = string_format("parent of mediated device %s", mdev->facts.name);
                return REFUSAL_IN_USE;
        }
        if (string_is_empty(uses))
                return REFUSAL_NONE;
        *ret = string_format("in use by the host: %s", uses);
        return REFUSAL_HOST_DEVICE;
}

static RefusalKind refuse_removal(const Device *device, RefusalKind worst, const char *names,
                                  size_t unnamed, Refusal *refusal) {
        static const char *const remedies[_REFUSAL_MAX] = {
                [REFUSAL_LEASED] = "it is free when the lease is over; see 'vfioctl leases'",
                [REFUSAL_IN_USE] = ("give it back with 'vfioctl unbind', and remove mediated "
                                    "devices, first"),
                [REFUSAL_HOST_DEVICE] = "end that use first",
        };
        _cleanup_free_ char *more = unnamed > 0 ? string_format(" and %zu more", unnamed) : NULL;

        return refuse(refusal, worst, "virtual functions of %s are in use: %s%s; %s",
                      device->facts.name, names, string_or_empty(more), remedies[worst]);
}

/* The refusal is that of the first in the way, in the order lease, vfio driver, host. */
static RefusalKind check_unused(const World *world, const Device *device, Refusal *refusal) {
        const Topology *topology = &world->topology;
        _cleanup_free_ char *names = NULL;
        RefusalKind worst = REFUSAL_NONE;
        size_t n = 0;

        for (size_t i = 0; i < topology->n_devices; i++) {
                _cleanup_free_ char *why = NULL;
                RefusalKind kind;

                if (!device_is_vf_of(topology->devices[i], device))
                        continue;
                kind = why_not_removed(world, topology->devices[i], &why);
                if (kind == REFUSAL_NONE)
                        continue;
                if (worst == REFUSAL_NONE || kind == REFUSAL_LEASED ||
                    (kind == REFUSAL_IN_USE && worst == REFUSAL_HOST_DEVICE))
                        worst = kind;
                if (n++ < NAMED_MAX &&
                    string_append(&names, "%s%s (%s)", names ? ", " : "",
                                  topology->devices[i]->facts.name, string_or_empty(why)) < 0)
                        return refuse_memory(refusal);
        }
        return worst == REFUSAL_NONE ? REFUSAL_NONE
                                     : refuse_removal(device, worst, names,
                                                      n > NAMED_MAX ? n - NAMED_MAX : 0, refusal);
}

static RefusalKind check_may_remove(const World *world, const Request *request,
                                    const Device *device, size_t present, Refusal *refusal) {
        if (request->n_vfs > 0 && !request->recreate)
                return refuse(refusal, REFUSAL_ALREADY_EXISTS,
                              "%s has %zu virtual function%s, and the kernel makes another number "
                              "from none only; remove them with 'vfioctl vfs %s 0' first, or give "
                              "--recreate",
                              device->facts.name, present, present == 1 ? "" : "s",
                              device->facts.name);
        return check_unused(world, device, refusal);
}

int plan_autoprobe(const Device *device, bool autoprobe, Plan *plan) {
        Step *step;

        if (autoprobe == device->facts.vfs_autoprobe)
                return 0;
        step = plan_device(plan, STEP_SET_AUTOPROBE, device);
        if (!step)
                return -1;
        step->autoprobe = autoprobe;
        step->autoprobe_old = !autoprobe;
        return 0;
}

int plan_vfs(const Device *device, size_t from, size_t to, Plan *plan) {
        Step *step = plan_device(plan, STEP_SET_VFS, device);

        if (!step)
                return -1;
        step->n_vfs = (uint32_t)to;
        step->n_vfs_old = (uint32_t)from;
        step->grace_ms = (from + to) * PROBE_MS;
        return 0;
}

/* The group of the device alone, where the functions are left as they are. */
static RefusalKind check_free(const World *world, const Request *request, const Device *device,
                              const Selection *all, bool removes, Refusal *refusal) {
        Group *group = device->group;
        const Selection own = {.groups = &group, .n_groups = 1};

        return check_groups_free(world, request, removes ? all : &own, NULL, refusal);
}

RefusalKind decide_set_vfs(const World *world, const Request *request, const Selection *selection,
                           Plan *plan, Refusal *refusal) {
        const Device *device = topology_find_device(&world->topology, request->targets[0].device);
        size_t present = topology_count_vfs(&world->topology, device);
        bool same = present == request->n_vfs && !(request->recreate && present > 0);
        bool removes = !same && present > 0, makes = !same && request->n_vfs > 0;

        if (check_capable(device, request, refusal) ||
            (removes && check_may_remove(world, request, device, present, refusal)) ||
            check_free(world, request, device, selection, removes, refusal) ||
            (makes && check_driver(world, device, refusal)))
                return refusal->kind;
        if ((removes && plan_vfs(device, present, 0, plan) < 0) ||
            (request->has_autoprobe && plan_autoprobe(device, request->autoprobe, plan) < 0) ||
            (makes && plan_vfs(device, 0, request->n_vfs, plan) < 0))
                return refuse_memory(refusal);
        return REFUSAL_NONE;
}
