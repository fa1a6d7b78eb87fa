/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/authorise-checks.h"

#include <stdlib.h>

#include "daemon/bus/authorise-survey.h"
#include "daemon/core/reset-set.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static void check_done(Check *check) {
        free(check->device);
        free(check->vendor);
        free(check->class);
        free(check->driver);
        free(check->label);
        free(check->error);
}

void authorise_checks_free(Call *call) {
        for (size_t i = 0; i < call->n_checks; i++)
                check_done(&call->checks[i]);
        free(call->checks);
        call->checks = NULL;
        call->n_checks = 0;
}

Check *checks_add(Call *call, const char *action) {
        Check *grown = reallocarray(call->checks, call->n_checks + 1, sizeof(Check));

        if (!grown)
                return NULL;
        call->checks = grown;
        grown[call->n_checks] = (Check){.action = action};
        return &grown[call->n_checks++];
}

static int set_label(Check *check, const char *label) {
        return label && !(check->label = strdup(label)) ? -1 : 0;
}

/* Rules may want to know whose it is that is looked into or taken away. */
int check_describe_lease(Check *check, const Lease *lease) {
        if (!lease)
                return 0;
        check->lease = lease->id;
        check->owner = lease->owner;
        check->mode = mode_name(lease->mode);
        return set_label(check, lease->label);
}

/* The lease to be, or the one that is added to, whose label and owner are known already. */
int check_describe_request(Check *check, const Call *call) {
        const Lease *lease =
                lease_table_find(&broker_world(call->bus->broker)->leases, call->request.lease);
        int r = lease ? check_describe_lease(check, lease) : set_label(check, call->request.label);

        check->mode = call->request.mode == MODE_AUTO ? NULL : mode_name(call->request.mode);
        return r;
}

static int describe(Check *check, const Call *call, const DeviceFacts *facts) {
        const World *world = broker_world(call->bus->broker);

        return call->permission == PERMISSION_ACQUIRE ||
                               strcmp(check->action, VFIOD_ACTION_ACQUIRE) == 0 ||
                               strcmp(check->action, VFIOD_ACTION_UNSAFE_NOIOMMU) == 0
                       ? check_describe_request(check, call)
                       : check_describe_lease(check,
                                              lease_table_find_group(&world->leases, facts->group));
}

Check *checks_add_device(Call *call, const char *action, const DeviceFacts *facts) {
        bool pci = device_facts_is_pci(facts);
        Check *check = checks_add(call, action);

        if (!check)
                return NULL;
        check->group = facts->group;
        check->has_group = true;
        check->device = strdup(facts->name);
        check->driver = strdup(string_or_empty(facts->driver));
        check->vendor = pci ? string_format("%04x:%04x", facts->vendor, facts->device) : strdup("");
        check->class = pci ? string_format("%06x", facts->class_code) : strdup("");
        if (!check->device || !check->driver || !check->vendor || !check->class)
                return NULL;
        return describe(check, call, facts) < 0 ? NULL : check;
}

/* Bridges too: the chipset's are what the host lives on. */
static int add_override_check(Call *call, const Device *member) {
        _cleanup_free_ char *needs = NULL;
        int r;

        if (!call->request.override_safety)
                return 0;
        r = decide_host_needs(&broker_world(call->bus->broker)->topology, member, &needs);
        if (r < 0 || !needs)
                return r;
        return checks_add_device(call, VFIOD_ACTION_OVERRIDE_SAFETY, &member->facts) ? 0 : -1;
}

/* Nobody is asked about what will be refused whatever the answer is. */
static int add_no_iommu_check(Call *call, const Device *member) {
        if (call->permission != PERMISSION_ACQUIRE || !group_has_no_iommu(member->group) ||
            !broker_world(call->bus->broker)->config.unsafe_noiommu)
                return 0;
        return checks_add_device(call, VFIOD_ACTION_UNSAFE_NOIOMMU, &member->facts) ? 0 : -1;
}

/* What is asked of every member of a group: first what is wanted, then what comes with it. */
static int add_member_checks(Call *call, const Device *member) {
        const Topology *topology = &broker_world(call->bus->broker)->topology;
        const char *action = VFIOD_ACTION_BIND, *more = NULL;

        if (call->permission == PERMISSION_UNBIND || call->permission == PERMISSION_REVOKE)
                action = VFIOD_ACTION_UNBIND;
        if (call->permission == PERMISSION_REVOKE)
                more = VFIOD_ACTION_REVOKE;
        if (call->permission == PERMISSION_ACQUIRE)
                action = VFIOD_ACTION_ACQUIRE;
        if (call->permission == PERMISSION_ASSIGN)
                action = VFIOD_ACTION_ASSIGN;
        if (call->request.bind && decide_needs_bind(topology, member))
                more = VFIOD_ACTION_BIND;
        if (!checks_add_device(call, action, &member->facts) ||
            (more && !checks_add_device(call, more, &member->facts)))
                return -1;
        return add_no_iommu_check(call, member);
}

static int add_memlock_check(Call *call) {
        Check *check = checks_add(call, VFIOD_ACTION_RAISE_MEMLOCK);

        if (!check)
                return -1;
        check->memlock = call->request.memlock;
        return check_describe_request(check, call);
}

/* What polkit is told is what is done, whatever else may be possible by then. */
void checks_settle_mode(Call *call) {
        if (call->request.mode == MODE_AUTO)
                call->request.mode =
                        decide_expected_mode(broker_world(call->bus->broker), &call->request);
}

/* A device that is none of ours has nothing but its name to tell. */
static Check *add_name(Call *call, const char *action, const char *name) {
        Check *check = checks_add(call, action);

        if (!check)
                return NULL;
        check->device = strdup(name);
        check->vendor = strdup("");
        check->class = strdup("");
        check->driver = strdup("");
        return check->device && check->vendor && check->class && check->driver ? check : NULL;
}

/* Those that are unassigned after they were taken out. */
static int add_absent_checks(Call *call) {
        for (size_t i = 0; i < call->request.n_targets; i++) {
                const Target *target = &call->request.targets[i];

                if (call->request.operation == OPERATION_UNASSIGN &&
                    target->kind == TARGET_DEVICE &&
                    !topology_find_device(&broker_world(call->bus->broker)->topology,
                                          target->device) &&
                    !add_name(call, VFIOD_ACTION_ASSIGN, target->device))
                        return -1;
        }
        return 0;
}

static RefusalKind prepare_targets(Call *call, Refusal *refusal) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;

        broker_refresh(call->bus->broker, &call->request);
        if (select_targets(&broker_world(call->bus->broker)->topology, &call->request, &selection,
                           refusal))
                return refusal->kind;
        if (call->permission == PERMISSION_ACQUIRE)
                checks_settle_mode(call);
        for (size_t i = 0; i < selection.n_groups; i++)
                for (size_t j = 0; j < selection.groups[i]->n_members; j++) {
                        const Device *member = selection.groups[i]->members[j];

                        if ((!device_is_bystander(&member->facts) &&
                             add_member_checks(call, member) < 0) ||
                            add_override_check(call, member) < 0)
                                return refuse_memory(refusal);
                }
        if (call->permission == PERMISSION_ACQUIRE && call->request.memlock &&
            add_memlock_check(call) < 0)
                return refuse_memory(refusal);
        return add_absent_checks(call) < 0 ? refuse_memory(refusal) : REFUSAL_NONE;
}

/* Whoever has its files may do it anyway. */
static bool is_leased_by_caller(const Call *call, const Device *device) {
        const Lease *lease = lease_table_find_group(&broker_world(call->bus->broker)->leases,
                                                    device->facts.group);

        return lease && lease_is_live(lease) && lease->owner == call->request.caller.uid;
}

static int add_device_check(Call *call, const char *action, const Device *device) {
        if (call->permission != PERMISSION_MANAGE && is_leased_by_caller(call, device))
                return 0;
        return checks_add_device(call, action, &device->facts) ? 0 : -1;
}

/* What a hot reset resets with the device. */
static int add_reset_set_checks(Call *call, const Device *device) {
        const Topology *topology = &broker_world(call->bus->broker)->topology;
        int r = 0;

        if (!string_equal(call->request.reset_method, "hot"))
                return 0;
        for (size_t i = 0; r >= 0 && i < topology->n_devices; i++) {
                const Device *other = topology->devices[i];

                if (other != device && !device_is_bystander(&other->facts) &&
                    reset_set_has(&device->facts, &other->facts))
                        r = add_device_check(call, VFIOD_ACTION_RESET, other);
        }
        return r;
}

/* Its other neighbours in the group are not asked about: nothing is done to them. */
static RefusalKind prepare_device(Call *call, const char *action, Refusal *refusal) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        int r = 0;

        broker_refresh(call->bus->broker, &call->request);
        if (select_targets(&broker_world(call->bus->broker)->topology, &call->request, &selection,
                           refusal))
                return refusal->kind;
        for (size_t i = 0; r >= 0 && i < selection.n_devices; i++) {
                r = add_device_check(call, action, selection.devices[i]);
                if (r >= 0 && call->permission == PERMISSION_RESET)
                        r = add_reset_set_checks(call, selection.devices[i]);
        }
        return r < 0 ? refuse_memory(refusal) : REFUSAL_NONE;
}

/* The parent of a mediated device, which need not have an IOMMU group. */
static RefusalKind prepare_parent(Call *call, Refusal *refusal) {
        const char *name = call->request.targets[0].device;
        const Device *device;

        if (broker_check_mdev_parent(call->bus->broker, name, refusal))
                return refusal->kind;
        broker_refresh(call->bus->broker, &call->request);
        device = topology_find_device(&broker_world(call->bus->broker)->topology, name);
        return (device ? checks_add_device(call, VFIOD_ACTION_MANAGE, &device->facts)
                       : add_name(call, VFIOD_ACTION_MANAGE, name))
                       ? REFUSAL_NONE
                       : refuse_memory(refusal);
}

static RefusalKind prepare_lease(Call *call, Refusal *refusal) {
        const Lease *lease =
                lease_table_find(&broker_world(call->bus->broker)->leases, call->request.lease);
        Check *check;

        /* It was there a moment ago, as the object that was called. */
        if (!lease && call->permission == PERMISSION_RELEASE)
                return REFUSAL_NONE;
        if (!lease)
                return refuse(refusal, REFUSAL_LEASE_ENDED, "lease %u is over",
                              call->request.lease);
        if (lease->owner == call->request.caller.uid)
                return REFUSAL_NONE;
        if (call->permission == PERMISSION_OWNER)
                return refuse(refusal, REFUSAL_NOT_OWNER,
                              "lease %u belongs to uid %u; only its owner may do this", lease->id,
                              lease->owner);
        check = checks_add(call, VFIOD_ACTION_RELEASE_OTHER);
        return !check || check_describe_lease(check, lease) < 0 ? refuse_memory(refusal)
                                                                : REFUSAL_NONE;
}

RefusalKind checks_prepare(Call *call, Refusal *refusal) {
        switch (call->permission) {
        case PERMISSION_LIST:
                return checks_add(call, VFIOD_ACTION_LIST) ? REFUSAL_NONE : refuse_memory(refusal);
        case PERMISSION_BIND:
        case PERMISSION_UNBIND:
        case PERMISSION_REVOKE:
        case PERMISSION_ACQUIRE:
        case PERMISSION_ASSIGN:
                return prepare_targets(call, refusal);
        case PERMISSION_INSPECT:
                return prepare_device(call, VFIOD_ACTION_INSPECT, refusal);
        case PERMISSION_RESET:
                return prepare_device(call, VFIOD_ACTION_RESET, refusal);
        case PERMISSION_MANAGE:
                return call->request.operation == OPERATION_CREATE_MDEV
                               ? prepare_parent(call, refusal)
                               : prepare_device(call, VFIOD_ACTION_MANAGE, refusal);
        case PERMISSION_OWNER:
        case PERMISSION_RELEASE:
                return prepare_lease(call, refusal);
        case PERMISSION_SURVEY:
                return survey_prepare(call, refusal);
        }
        abort();
}

/* The driver may have changed meanwhile, and the lease have ended; the device behind the name must
 * not have, nor may somebody else have it. */
static bool check_was_asked(const Call *call, const Check *check) {
        for (size_t i = 0; i < call->n_checks; i++) {
                const Check *asked = &call->checks[i];

                if (asked->action == check->action && asked->group == check->group &&
                    (asked->lease == check->lease || check->lease == 0) &&
                    asked->memlock == check->memlock &&
                    string_equal(asked->device, check->device) &&
                    string_equal(asked->vendor, check->vendor) &&
                    string_equal(asked->class, check->class))
                        return true;
        }
        return false;
}

RefusalKind checks_confirm(const Call *call, Refusal *refusal) {
        Call now = *call;

        now.checks = NULL;
        now.n_checks = 0;
        if (checks_prepare(&now, refusal) == REFUSAL_NONE)
                for (size_t i = 0; i < now.n_checks; i++)
                        if (!check_was_asked(call, &now.checks[i])) {
                                (void)refuse(
                                        refusal, REFUSAL_CHANGED,
                                        "%s is not what it was when authorisation was asked; try "
                                        "again",
                                        now.checks[i].device ?: "the lease");
                                break;
                        }
        authorise_checks_free(&now);
        return refusal->kind;
}
