/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Acquire and Lease.Add: groups opened and, unless the receiver wants to do it, put into one
 * container with their devices open; or cdevs (daemon/core/decide-iommufd.c). The kernel is the
 * last judge of viability; the steps check it again.
 */

#include "daemon/core/decide-iommufd.h"

#include <inttypes.h>

#include "daemon/util/string.h"

static RefusalKind check_limits_of_groups(const World *world, const Request *request,
                                          const Selection *selection, const Lease *lease,
                                          Refusal *refusal) {
        const Config *config = &world->config;
        const LeaseTable *leases = &world->leases;
        uid_t uid = request->caller.uid;
        size_t more = selection->n_groups, groups = more + (lease ? lease->n_groups : 0);

        if (groups > config->limit_groups_per_lease)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "%zu groups in one lease, the limit is %" PRIu64
                              " (limits.groups_per_lease)",
                              groups, config->limit_groups_per_lease);
        if (lease_table_count_groups(leases) + more > config->limit_groups)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "there would be more than %" PRIu64 " groups in all leases, the "
                              "limit (limits.groups)",
                              config->limit_groups);
        if (uid != 0 &&
            lease_table_count_groups_of(leases, uid) + more > config->limit_groups_per_uid)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "uid %u would have more than %" PRIu64 " groups in its leases, the "
                              "limit (limits.groups_per_uid); release some",
                              uid, config->limit_groups_per_uid);
        return REFUSAL_NONE;
}

static RefusalKind check_limits(const World *world, const Request *request,
                                const Selection *selection, const Lease *lease, Refusal *refusal) {
        const Config *config = &world->config;
        uid_t uid = request->caller.uid;

        if (check_limits_of_groups(world, request, selection, lease, refusal) || lease)
                return refusal->kind;
        if (lease_table_count(&world->leases) >= config->limit_leases)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "there are %" PRIu64 " leases, the limit (limits.leases)",
                              config->limit_leases);
        if (uid != 0 &&
            lease_table_count_owner(&world->leases, uid) >= config->limit_leases_per_uid)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "uid %u has %" PRIu64 " leases, the limit (limits.leases_per_uid); "
                              "release one",
                              uid, config->limit_leases_per_uid);
        return REFUSAL_NONE;
}

RefusalKind check_group_is_safe(const World *world, const Group *group, Refusal *refusal) {
        if (world->config.unsafe_noiommu || !group_has_no_iommu(group))
                return REFUSAL_NONE;
        return refuse(refusal, REFUSAL_UNSUPPORTED,
                      "%s has no IOMMU: group %u is one of the kernel's unsafe no-IOMMU mode, and "
                      "whoever has it can read and write all of the host's memory; an "
                      "administrator who wants that all the same sets unsafe_noiommu in "
                      "vfiod.json, and allows org.vfiod1.unsafe-noiommu (see vfiod(8))",
                      group->members[0]->facts.name, group->facts.number);
}

static RefusalKind check_groups_are_safe(const World *world, const Selection *selection,
                                         Refusal *refusal) {
        for (size_t i = 0; i < selection->n_groups; i++)
                if (check_group_is_safe(world, selection->groups[i], refusal))
                        return refusal->kind;
        return REFUSAL_NONE;
}

/* The first of them that has an IOMMU, or that has none; NULL: there is no such group. */
static const Group *find_by_iommu(Group *const *groups, size_t n, bool no_iommu) {
        for (size_t i = 0; i < n; i++)
                if (group_has_no_iommu(groups[i]) == no_iommu)
                        return groups[i];
        return NULL;
}

/* The kernel's EPERM of SET_CONTAINER (drivers/vfio/container.c, vfio_container_attach_group). */
static RefusalKind check_not_mixed(const World *world, const Selection *selection,
                                   const Lease *lease, Refusal *refusal) {
        const Group *with = find_by_iommu(selection->groups, selection->n_groups, false);
        const Group *without = find_by_iommu(selection->groups, selection->n_groups, true);

        for (size_t i = 0; lease && i < lease->n_groups; i++) {
                Group *group = topology_find_group(&world->topology, lease->groups[i]);

                if (!group)
                        continue;
                with = with ?: find_by_iommu(&group, 1, false);
                without = without ?: find_by_iommu(&group, 1, true);
        }
        if (!with || !without)
                return REFUSAL_NONE;
        return refuse(refusal, REFUSAL_UNSUPPORTED,
                      "group %u has no IOMMU, and group %u has one: the kernel puts no two such "
                      "into one container; acquire each with a lease of its own",
                      without->facts.number, with->facts.number);
}

/* A bridge whose driver claims the group comes first: until it is gone, nothing else helps. */
static char *remedy_of_group(const World *world, const Group *group) {
        for (size_t i = 0; i < group->n_members; i++) {
                Verdict verdict = device_verdict(&world->topology, group->members[i]);

                if (verdict == VERDICT_BRIDGE_DRIVER)
                        return verdict_remedy(verdict, &group->members[i]->facts);
        }
        return decide_bind_remedy(world, group);
}

RefusalKind check_group_is_bound(const World *world, const Group *group, Refusal *refusal) {
        _cleanup_free_ char *blockers = NULL, *remedy = NULL;
        uint32_t number = group->facts.number;

        if (check_group_is_safe(world, group, refusal))
                return refusal->kind;
        if (group_is_bound(&world->topology, group))
                return REFUSAL_NONE;
        blockers = describe_blockers(&world->topology, group);
        if (!blockers)
                return refuse(refusal, REFUSAL_NOTHING_TO_BIND,
                              "group %u has only bridges; there is no device in it to give away",
                              number);
        remedy = remedy_of_group(world, group);
        if (!remedy)
                return refuse_memory(refusal);
        if (!group_is_viable(&world->topology, group))
                return refuse(refusal, REFUSAL_NOT_VIABLE, "group %u is not viable: %s; %s", number,
                              blockers, remedy);
        return refuse(refusal, REFUSAL_NOT_BOUND, "group %u is not on a vfio driver: %s; %s",
                      number, blockers, remedy);
}

static bool is_named(const Request *request, const DeviceFacts *facts) {
        for (size_t i = 0; i < request->n_targets; i++)
                if (request->targets[i].kind == TARGET_DEVICE &&
                    strcmp(request->targets[i].device, facts->name) == 0)
                        return true;
        return false;
}

/* Members that no file is handed over of may come along with their group, but not be asked for. */
static RefusalKind check_devices(const World *world, const Request *request,
                                 const Selection *selection, Refusal *refusal) {
        for (size_t i = 0; i < selection->n_devices; i++) {
                const DeviceFacts *facts = &selection->devices[i]->facts;
                Verdict verdict = device_verdict(&world->topology, selection->devices[i]);

                if (!is_named(request, facts))
                        continue;
                if (device_is_bridge(facts) && verdict != VERDICT_VFIO)
                        return refuse(refusal, REFUSAL_NOTHING_TO_BIND,
                                      "%s is a bridge and cannot be given away; name a device of "
                                      "group %u, or group/%u",
                                      facts->name, facts->group, facts->group);
                if (verdict == VERDICT_MANAGED)
                        return refuse(refusal, REFUSAL_NOT_BOUND,
                                      "%s is on %s, where vfiod leaves it; as root: echo %s > "
                                      "/sys/bus/%s/drivers/%s/unbind",
                                      facts->name, facts->driver, facts->name, facts->bus,
                                      facts->driver);
        }
        return REFUSAL_NONE;
}

bool decide_gives_device(const World *world, const Device *device) {
        return device->facts.vfio || decide_needs_bind(&world->topology, device);
}

/* With container or iommufd, and lease_fd. */
static RefusalKind check_fds(const World *world, const Request *request, const Selection *selection,
                             Mode mode, Prepare prepare, bool is_new, Refusal *refusal) {
        bool devices = mode == MODE_IOMMUFD || prepare == PREPARE_ATTACH;
        size_t fds = (mode == MODE_GROUP ? selection->n_groups : 0) + (is_new ? 2 : 0);

        for (size_t i = 0; devices && i < selection->n_devices; i++)
                fds += decide_gives_device(world, selection->devices[i]);
        if (request->defer_fds || fds <= request->fds_max)
                return REFUSAL_NONE;
        return refuse(
                refusal, REFUSAL_TOO_MANY_FDS,
                "the reply would carry %zu file descriptors, a message can carry %zu; acquire "
                "with defer_fds and fetch them with GetFds",
                fds, request->fds_max);
}

static int plan_open(const Selection *selection, bool is_new, Plan *plan) {
        if (is_new && !plan_append(plan, STEP_OPEN_CONTAINER, 0))
                return -1;
        for (size_t i = 0; i < selection->n_groups; i++)
                if (!plan_group(plan, STEP_OPEN_GROUP, selection->groups[i]))
                        return -1;
        return 0;
}

/* The IOMMU is set once the first group is in: before that the kernel knows no backend for it. */
static int plan_attach(const World *world, const Selection *selection, bool is_new, Plan *plan) {
        for (size_t i = 0; i < selection->n_groups; i++) {
                const Group *group = selection->groups[i];

                if (!plan_group(plan, STEP_SET_CONTAINER, group))
                        return -1;
                if (is_new && i == 0 && !plan_group(plan, STEP_SET_IOMMU, group))
                        return -1;
        }
        for (size_t i = 0; i < selection->n_devices; i++) {
                const Device *device = selection->devices[i];

                if (decide_gives_device(world, device) &&
                    !plan_device(plan, STEP_GET_DEVICE, device))
                        return -1;
        }
        return 0;
}

static RefusalKind check_cookies(const Request *request, const Selection *selection, Mode mode,
                                 Refusal *refusal) {
        if (request->n_cookies > 0 && mode != MODE_IOMMUFD)
                return refuse(refusal, REFUSAL_INVALID_OPTION_VALUE,
                              "option cookies: only in mode 'iommufd', and this is '%s'",
                              mode_name(mode));
        for (size_t i = 0; i < request->n_cookies; i++) {
                bool found = false;

                for (size_t j = 0; j < selection->n_devices; j++)
                        found = found || strcmp(selection->devices[j]->facts.name,
                                                request->cookies[i].device) == 0;
                if (!found)
                        return refuse(refusal, REFUSAL_INVALID_OPTION_VALUE,
                                      "option cookies: %s is not among the devices asked for",
                                      request->cookies[i].device);
        }
        return REFUSAL_NONE;
}

static int plan_files(const World *world, const Request *request, const Selection *selection,
                      Mode mode, const Lease *lease, Plan *plan) {
        Prepare prepare = lease ? lease->prepare : request->prepare;

        if (mode == MODE_IOMMUFD)
                return plan_open_cdevs(world, request, selection, lease, plan);
        if (plan_open(selection, !lease, plan) < 0)
                return -1;
        return prepare == PREPARE_ATTACH ? plan_attach(world, selection, !lease, plan) : 0;
}

RefusalKind decide_acquire(const World *world, const Request *request, const Selection *selection,
                           Plan *plan, Refusal *refusal) {
        Lease *lease = NULL;
        Mode mode;

        if (request->lease && decide_lease(world, request, &lease, refusal))
                return refusal->kind;
        if (check_devices(world, request, selection, refusal) ||
            check_groups_are_safe(world, selection, refusal) ||
            check_not_mixed(world, selection, lease, refusal) ||
            check_groups_free(world, request, selection, NULL, refusal) ||
            check_limits(world, request, selection, lease, refusal) ||
            decide_mode(world, request, selection, lease, &mode, refusal) ||
            check_cookies(request, selection, mode, refusal) ||
            check_reset_sets(world, request, selection, lease, refusal))
                return refusal->kind;
        if (request->memlock && plan_memlock(world, request, plan, refusal))
                return refusal->kind;

        for (size_t i = 0; i < selection->n_groups; i++) {
                const Group *group = selection->groups[i];

                if (request->bind ? plan_bind_group(world, request, group, plan, refusal)
                                  : check_group_is_bound(world, group, refusal))
                        return refusal->kind;
        }

        if (check_fds(world, request, selection, mode, lease ? lease->prepare : request->prepare,
                      !lease, refusal))
                return refusal->kind;
        if (plan_files(world, request, selection, mode, lease, plan) < 0)
                return refuse_memory(refusal);
        return REFUSAL_NONE;
}
