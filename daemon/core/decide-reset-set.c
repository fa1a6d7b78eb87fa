/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether devices that are reset together would be leased together. A device that can only be reset
 * with its bus cannot be given clean to its next owner while somebody else has another device
 * there. The unit is the group: whoever has it has all of its members.
 */

#include <stdlib.h>

#include "daemon/core/decide-common.h"
#include "daemon/core/reset-set.h"
#include "daemon/util/string.h"

typedef struct Scope {
        const World *world;
        const Selection *selection;
        const Lease *lease; /* NULL for a new one */
} Scope;

static bool is_selected(const Selection *selection, uint32_t group) {
        for (size_t i = 0; i < selection->n_groups; i++)
                if (selection->groups[i]->facts.number == group)
                        return true;
        return false;
}

static bool is_leased_here(const Scope *scope, uint32_t group) {
        return is_selected(scope->selection, group) ||
               (scope->lease && lease_has_group(scope->lease, group));
}

typedef struct Missing {
        char **groups;  /* "group/7", each once */
        char **devices; /* "0000:05:00.1 (group 7)" */
} Missing;

static void missing_done(Missing *missing) {
        strv_free(missing->groups);
        strv_free(missing->devices);
}

static int missing_add(Missing *missing, const DeviceFacts *facts) {
        _cleanup_free_ char *group = string_format("group/%u", facts->group);

        if (!group ||
            (!strv_contains(missing->groups, group) && strv_push(&missing->groups, group) < 0))
                return -1;
        return strv_push_consume(&missing->devices,
                                 string_format("%s (group %u)", facts->name, facts->group));
}

/* Bridges are for nobody to lease, and hold nothing of an owner's; but with one of them in its set
 * the kernel refuses every hot reset. */
static int find_missing(const Scope *scope, const Request *request, const DeviceFacts *facts,
                        Missing *missing) {
        const Topology *topology = &scope->world->topology;

        for (size_t i = 0; i < topology->n_devices; i++) {
                const DeviceFacts *other = &topology->devices[i]->facts;

                if (!reset_set_has(facts, other) || is_leased_here(scope, other->group) ||
                    (device_is_bridge(other) && !request->hot_reset))
                        continue;
                if (missing_add(missing, other) < 0)
                        return -1;
        }
        return 0;
}

static RefusalKind check_device(const Scope *scope, const Request *request,
                                const DeviceFacts *facts, Refusal *refusal) {
        bool own = reset_is_own(&scope->world->topology, facts);
        _cleanup_(missing_done) Missing missing = {.groups = NULL};
        _cleanup_free_ char *groups = NULL, *devices = NULL;

        if (own && !request->hot_reset)
                return REFUSAL_NONE;
        if (find_missing(scope, request, facts, &missing) < 0)
                return refuse_memory(refusal);
        if (!missing.devices)
                return REFUSAL_NONE;
        groups = strv_join(missing.groups, " ");
        devices = strv_join(missing.devices, ", ");
        if (!own)
                return refuse(refusal, REFUSAL_RESET_SET_INCOMPLETE,
                              "%s cannot be reset by itself, and a reset of its bus resets %s too; "
                              "lease %s with it, in one request",
                              facts->name, string_or_empty(devices), string_or_empty(groups));
        return refuse(refusal, REFUSAL_RESET_SET_INCOMPLETE,
                      "a hot reset of %s resets %s too; lease %s with it, in one request, or leave "
                      "out hot_reset",
                      facts->name, string_or_empty(devices), string_or_empty(groups));
}

/* Members that stay out of the owner's hands, bridges and those on pci-stub, need no reset. */
static RefusalKind check_group(const Scope *scope, const Request *request, const Group *group,
                               Refusal *refusal) {
        const Topology *topology = &scope->world->topology;

        for (size_t i = 0; i < group->n_members; i++) {
                const Device *member = group->members[i];

                if (!member->facts.vfio && !decide_needs_bind(topology, member))
                        continue;
                if (check_device(scope, request, &member->facts, refusal))
                        return refusal->kind;
        }
        return REFUSAL_NONE;
}

RefusalKind check_reset_sets(const World *world, const Request *request, const Selection *selection,
                             const Lease *lease, Refusal *refusal) {
        const Scope scope = {.world = world, .selection = selection, .lease = lease};

        for (size_t i = 0; i < selection->n_groups; i++)
                if (check_group(&scope, request, selection->groups[i], refusal))
                        return refusal->kind;
        for (size_t i = 0; lease && request->hot_reset && i < lease->n_groups; i++) {
                const Group *group = topology_find_group(&world->topology, lease->groups[i]);

                if (group && check_group(&scope, request, group, refusal))
                        return refusal->kind;
        }
        return REFUSAL_NONE;
}

static RefusalKind check_staying(const World *world, const DeviceFacts *facts,
                                 const Selection *leaving, Refusal *refusal) {
        if (!facts->vfio || reset_is_own(&world->topology, facts))
                return REFUSAL_NONE;
        for (size_t i = 0; i < leaving->n_groups; i++)
                for (size_t j = 0; j < leaving->groups[i]->n_members; j++) {
                        const DeviceFacts *other = &leaving->groups[i]->members[j]->facts;

                        if (reset_set_has(facts, other) && !device_is_bridge(other))
                                return refuse(refusal, REFUSAL_RESET_SET_INCOMPLETE,
                                              "%s cannot be reset by itself, and a reset of its "
                                              "bus resets %s too; remove group/%u with group/%u, "
                                              "in one request",
                                              facts->name, other->name, facts->group, other->group);
                }
        return REFUSAL_NONE;
}

RefusalKind check_reset_sets_without(const World *world, const Lease *lease,
                                     const Selection *leaving, Refusal *refusal) {
        for (size_t i = 0; i < lease->n_groups; i++) {
                const Group *group = topology_find_group(&world->topology, lease->groups[i]);

                if (!group || is_selected(leaving, lease->groups[i]))
                        continue;
                for (size_t j = 0; j < group->n_members; j++)
                        if (check_staying(world, &group->members[j]->facts, leaving, refusal))
                                return refusal->kind;
        }
        return REFUSAL_NONE;
}
