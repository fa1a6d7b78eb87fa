/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/authorise-checks.h"

#include <stdlib.h>

#include "daemon/util/string.h"
#include "protocol/names.h"

static void check_done(Check *check) {
        free(check->device);
        free(check->vendor);
        free(check->class);
        free(check->driver);
}

void authorise_checks_free(Call *call) {
        for (size_t i = 0; i < call->n_checks; i++)
                check_done(&call->checks[i]);
        free(call->checks);
        call->checks = NULL;
        call->n_checks = 0;
}

static Check *add_check(Call *call, const char *action) {
        Check *grown = reallocarray(call->checks, call->n_checks + 1, sizeof(Check));

        if (!grown)
                return NULL;
        call->checks = grown;
        grown[call->n_checks] = (Check){.action = action};
        return &grown[call->n_checks++];
}

static int add_device_check(Call *call, const char *action, const DeviceFacts *facts) {
        bool pci = device_facts_is_pci(facts);
        Check *check = add_check(call, action);

        if (!check)
                return -1;
        check->group = facts->group;
        check->has_group = true;
        check->device = strdup(facts->name);
        check->driver = strdup(string_or_empty(facts->driver));
        check->vendor = pci ? string_format("%04x:%04x", facts->vendor, facts->device) : strdup("");
        check->class = pci ? string_format("%06x", facts->class_code) : strdup("");
        return check->device && check->driver && check->vendor && check->class ? 0 : -1;
}

static int add_member_checks(Call *call, const Device *member) {
        const Topology *topology = &broker_world(call->bus->broker)->topology;
        int r;

        if (call->permission == PERMISSION_BIND || call->permission == PERMISSION_REVOKE) {
                r = add_device_check(call, VFIOD_ACTION_BIND, &member->facts);
                if (r >= 0 && call->permission == PERMISSION_REVOKE)
                        r = add_device_check(call, VFIOD_ACTION_REVOKE, &member->facts);
                return r;
        }
        r = add_device_check(call, VFIOD_ACTION_ACQUIRE, &member->facts);
        if (r >= 0 && call->request.bind && decide_needs_bind(topology, member))
                r = add_device_check(call, VFIOD_ACTION_BIND, &member->facts);
        return r;
}

static RefusalKind prepare_targets(Call *call, Refusal *refusal) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;

        broker_refresh(call->bus->broker, &call->request);
        if (select_targets(&broker_world(call->bus->broker)->topology, &call->request, &selection,
                           refusal))
                return refusal->kind;
        for (size_t i = 0; i < selection.n_groups; i++)
                for (size_t j = 0; j < selection.groups[i]->n_members; j++) {
                        const Device *member = selection.groups[i]->members[j];

                        if (device_is_bridge(&member->facts) && !member->facts.vfio)
                                continue;
                        if (add_member_checks(call, member) < 0)
                                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                                              "vfiod is out of memory");
                }
        if (call->permission == PERMISSION_ACQUIRE && call->request.memlock &&
            !add_check(call, VFIOD_ACTION_RAISE_MEMLOCK))
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED, "vfiod is out of memory");
        return REFUSAL_NONE;
}

/* Whoever has its files may read them anyway. */
static bool is_leased_by_caller(const Call *call, const Device *device) {
        const Lease *lease = lease_table_find_group(&broker_world(call->bus->broker)->leases,
                                                    device->facts.group);

        return lease && lease_is_live(lease) && lease->owner == call->request.caller.uid;
}

/* Its neighbours in the group are not asked about: nothing is read of them. */
static RefusalKind prepare_device(Call *call, Refusal *refusal) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;

        broker_refresh(call->bus->broker, &call->request);
        if (select_targets(&broker_world(call->bus->broker)->topology, &call->request, &selection,
                           refusal))
                return refusal->kind;
        for (size_t i = 0; i < selection.n_devices; i++) {
                const Device *device = selection.devices[i];

                if (!is_leased_by_caller(call, device) &&
                    add_device_check(call, VFIOD_ACTION_INSPECT, &device->facts) < 0)
                        return refuse(refusal, REFUSAL_LIMIT_EXCEEDED, "vfiod is out of memory");
        }
        return REFUSAL_NONE;
}

static RefusalKind prepare_lease(Call *call, Refusal *refusal) {
        const Lease *lease =
                lease_table_find(&broker_world(call->bus->broker)->leases, call->request.lease);

        if (!lease)
                return refuse(refusal, REFUSAL_NOT_FOUND, "there is no lease %u",
                              call->request.lease);
        if (lease->owner == call->request.caller.uid)
                return REFUSAL_NONE;
        if (call->permission == PERMISSION_OWNER)
                return refuse(refusal, REFUSAL_NOT_OWNER,
                              "lease %u belongs to uid %u; only its owner may do this", lease->id,
                              lease->owner);
        if (!add_check(call, VFIOD_ACTION_RELEASE_OTHER))
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED, "vfiod is out of memory");
        return REFUSAL_NONE;
}

RefusalKind checks_prepare(Call *call, Refusal *refusal) {
        switch (call->permission) {
        case PERMISSION_LIST:
                if (!add_check(call, VFIOD_ACTION_LIST))
                        return refuse(refusal, REFUSAL_LIMIT_EXCEEDED, "vfiod is out of memory");
                return REFUSAL_NONE;
        case PERMISSION_BIND:
        case PERMISSION_REVOKE:
        case PERMISSION_ACQUIRE:
                return prepare_targets(call, refusal);
        case PERMISSION_INSPECT:
                return prepare_device(call, refusal);
        case PERMISSION_OWNER:
        case PERMISSION_RELEASE:
                return prepare_lease(call, refusal);
        }
        return refuse(refusal, REFUSAL_NOT_AUTHORISED, "this is not for anybody to do");
}

/* The driver may have changed meanwhile; the device behind the name must not. */
static bool check_was_asked(const Call *call, const Check *check) {
        for (size_t i = 0; i < call->n_checks; i++) {
                const Check *asked = &call->checks[i];

                if (asked->action == check->action && asked->group == check->group &&
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
