/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which decider answers a request, and what they share. */

#include "daemon/core/decide-common.h"

#include <inttypes.h>
#include <stdlib.h>

#include "daemon/core/stuck.h"
#include "daemon/util/string.h"

RefusalKind decide(const World *world, const Request *request, const Selection *selection,
                   Plan *plan, Refusal *refusal) {
        switch (request->operation) {
        case OPERATION_BIND:
                return decide_bind(world, request, selection, plan, refusal);
        case OPERATION_UNBIND:
                return decide_unbind(world, request, selection, plan, refusal);
        case OPERATION_ACQUIRE:
        case OPERATION_ADD:
                return decide_acquire(world, request, selection, plan, refusal);
        case OPERATION_REMOVE:
                return decide_remove(world, request, selection, plan, refusal);
        case OPERATION_INSPECT:
                return decide_inspect(world, request, selection, plan, refusal);
        case OPERATION_RESET:
                return decide_reset(world, request, selection, plan, refusal);
        case OPERATION_SET_VFS:
                return decide_set_vfs(world, request, selection, plan, refusal);
        case OPERATION_CREATE_MDEV:
                return decide_create_mdev(world, request, selection, plan, refusal);
        case OPERATION_REMOVE_MDEV:
                return decide_remove_mdev(world, request, selection, plan, refusal);
        case OPERATION_ASSIGN:
                return decide_assign(world, request, selection, plan, refusal);
        case OPERATION_UNASSIGN:
                return decide_unassign(world, request, selection, plan, refusal);
        case OPERATION_RELEASE:
        case OPERATION_LOOK:
        case _OPERATION_MAX:
                break;
        }
        abort();
}

static RefusalKind check_room(const World *world, const Request *request, Refusal *refusal) {
        const Config *config = &world->config;
        uid_t uid = request->caller.uid;

        if (activity_count(&world->activities) >= config->limit_operations)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "%" PRIu64
                              " operations are under way, the limit (limits.operations); "
                              "try again",
                              config->limit_operations);
        if (uid != 0 &&
            activity_count_uid(&world->activities, uid) >= config->limit_operations_per_uid)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "uid %u has %" PRIu64 " operations under way, the limit "
                              "(limits.operations_per_uid); try again",
                              uid, config->limit_operations_per_uid);
        return REFUSAL_NONE;
}

static RefusalKind refuse_leased(const Lease *lease, uint32_t group, Refusal *refusal) {
        _cleanup_free_ char *label = NULL;

        if (!string_is_empty(lease->label))
                label = string_format(" for '%s'", lease->label);
        if (lease->state == LEASE_DRAINING || lease->state == LEASE_LOST)
                return refuse(refusal, REFUSAL_LEASED,
                              "group %u was given back by uid %u (lease %u%s), but a process still "
                              "has it open; it is free when that process closes it",
                              group, lease->owner, lease->id, string_or_empty(label));
        return refuse(refusal, REFUSAL_LEASED,
                      "group %u is leased to uid %u (lease %u%s); it is free when the holder exits "
                      "or after 'vfioctl release %u'",
                      group, lease->owner, lease->id, string_or_empty(label), lease->id);
}

/* Nobody new is given what somebody waits for. */
static RefusalKind check_not_awaited(const World *world, const Request *request, uint32_t group,
                                     Refusal *refusal) {
        const Wait *wait = wait_find_group(&world->waits, group);

        if (!wait || request->operation == OPERATION_UNBIND ||
            request->operation == OPERATION_REMOVE)
                return REFUSAL_NONE;
        return refuse(refusal, REFUSAL_BUSY,
                      "group %u is about to be unbound: uid %u waits for its holders to let go",
                      group, wait->uid);
}

static RefusalKind refuse_busy(const Activity *activity, uint32_t group, Refusal *refusal) {
        return refuse(refusal, REFUSAL_BUSY,
                      "group %u is busy: %s for uid %u is under way; try again when it is done",
                      group, operation_name(activity->operation), activity->uid);
}

static RefusalKind check_group_free(const World *world, const Request *request, const Group *group,
                                    const Lease *own, Refusal *refusal) {
        uint32_t number = group->facts.number;
        const Lease *lease = lease_table_find_group(&world->leases, number);
        const Activity *activity = activity_find_late(&world->activities, number);
        const char *stuck = stuck_reason(world, number);

        if (stuck && group->n_members > 0 && (activity || !decide_may_take(world, request, number)))
                return refuse(refusal, REFUSAL_STUCK,
                              "%s is stuck: %s; it will be usable when the kernel lets go",
                              group->members[0]->facts.name, stuck);
        if (check_not_awaited(world, request, number, refusal))
                return refusal->kind;
        /* Who has it tells more than that it is being worked on; but nobody has it while it is
         * granted. */
        if (lease && lease != own && lease->state != LEASE_GRANTING &&
            !decide_may_take(world, request, number))
                return refuse_leased(lease, number, refusal);
        activity = activity_find_group(&world->activities, number);
        return activity ? refuse_busy(activity, number, refusal) : REFUSAL_NONE;
}

RefusalKind check_groups_quiet(const World *world, const Request *request,
                               const Selection *selection, Refusal *refusal) {
        for (size_t i = 0; i < selection->n_groups; i++) {
                uint32_t number = selection->groups[i]->facts.number;
                const Activity *activity = activity_find_group(&world->activities, number);

                if (activity)
                        return refuse_busy(activity, number, refusal);
        }
        return check_room(world, request, refusal);
}

RefusalKind check_groups_free(const World *world, const Request *request,
                              const Selection *selection, const Lease *own, Refusal *refusal) {
        for (size_t i = 0; i < selection->n_groups; i++)
                if (check_group_free(world, request, selection->groups[i], own, refusal))
                        return refusal->kind;
        return check_room(world, request, refusal);
}

char *describe_blockers(const Topology *topology, const Group *group) {
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < group->n_members; i++) {
                const Device *member = group->members[i];
                Verdict verdict = device_verdict(topology, member);
                _cleanup_free_ char *reason = NULL;

                if (verdict_is_bound(verdict))
                        continue;
                reason = verdict_reason(verdict, &member->facts);
                if (!reason || string_append(&text, "%s%s %s", text ? "; " : "", member->facts.name,
                                             reason) < 0)
                        return NULL;
        }
        return TAKE_PTR(text);
}

RefusalKind decide_lease(const World *world, const Request *request, Lease **ret,
                         Refusal *refusal) {
        Lease *lease = lease_table_find(&world->leases, request->lease);

        if (!lease)
                return refuse(refusal, REFUSAL_NOT_FOUND,
                              "there is no lease %u; see 'vfioctl leases'", request->lease);
        if (lease->owner != request->caller.uid)
                return refuse(refusal, REFUSAL_NOT_OWNER,
                              "lease %u belongs to uid %u; only its owner may do this", lease->id,
                              lease->owner);
        if (!lease_is_live(lease))
                return refuse(refusal, REFUSAL_LEASE_ENDED, "lease %u is %s; acquire a new one",
                              lease->id, lease_state_name(lease->state));
        *ret = lease;
        return REFUSAL_NONE;
}

bool decide_lease_has_no_iommu(const Topology *topology, const Lease *lease) {
        for (size_t i = 0; i < lease->n_groups; i++) {
                const Group *group = topology_find_group(topology, lease->groups[i]);

                if (group && group_has_no_iommu(group))
                        return true;
        }
        return false;
}

Step *plan_group(Plan *plan, StepKind kind, const Group *group) {
        Step *step = plan_append(plan, kind, group->facts.number);

        if (step)
                step->no_iommu = group_has_no_iommu(group);
        return step;
}

Step *plan_device(Plan *plan, StepKind kind, const Device *device) {
        const DeviceFacts *facts = &device->facts;
        Step *step = plan_append(plan, kind, facts->group);

        return step && step_set_device(step, facts->name, facts->bus, NULL) >= 0 ? step : NULL;
}

Step *plan_move(Plan *plan, StepKind kind, const DeviceFacts *facts, const char *driver,
                const char *override) {
        Step *step = plan_append(plan, kind, facts->group);

        if (!step || step_set_device(step, facts->name, facts->bus, driver) < 0 ||
            step_set_override(step, override, string_or_empty(facts->driver_override)) < 0)
                return NULL;
        return step;
}

RefusalKind check_lease_reaches(const Lease *lease, const Device *device, const char *verb,
                                Refusal *refusal) {
        uint32_t group = device->facts.group;

        if (!lease_is_live(lease))
                return refuse(refusal, REFUSAL_IN_USE,
                              "group %u was given back by uid %u (lease %u), but a process still "
                              "has it open; %s it when that process has closed it",
                              group, lease->owner, lease->id, verb);
        if (lease->mode == MODE_IOMMUFD && !lease_has_device(lease, device->facts.name))
                return refuse(refusal, REFUSAL_IN_USE,
                              "group %u is leased to uid %u (lease %u) without a file of %s; "
                              "%s it when the lease is over",
                              group, lease->owner, lease->id, device->facts.name, verb);
        return REFUSAL_NONE;
}

/*
 * The receiver may have opened the device by itself, or not: one more file of it is closed again.
 * Whether the group can give one, the kernel knows (daemon/broker/outcome.c).
 */
int plan_through_lease(const Lease *lease, const Device *device, StepKind kind, Plan *plan) {
        const LeaseDeviceId *known = lease_iommufd_find(&lease->iommufd, device->facts.name);
        bool ours = lease_has_device(lease, device->facts.name);
        Step *step;

        if (!ours && !plan_device(plan, STEP_GET_DEVICE, device))
                return -1;
        step = plan_device(plan, kind, device);
        if (!step)
                return -1;
        step->device_id = known ? known->id : 0;
        return ours || plan_device(plan, STEP_CLOSE_DEVICE, device) ? 0 : -1;
}
