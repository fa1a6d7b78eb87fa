/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/ask.h"

#include "daemon/broker/broker-private.h"
#include "daemon/broker/look.h"

static void update_lease(Broker *broker, Lease *lease) {
        size_t n_waits;
        uint64_t deadline =
                wait_deadline(&broker->world.waits, lease->groups, lease->n_groups, &n_waits);

        if (n_waits > 0)
                (void)lease_ask(lease, deadline);
        else if (lease->state == LEASE_RELEASING)
                (void)lease_enter(lease, LEASE_EVENT_WITHDRAWN);
        else
                return;
        broker_emit(broker, CHANGE_LEASE_CHANGED, lease->id, NULL);
}

void ask_update_leases(Broker *broker) {
        list_for_each(link, &broker->world.leases.leases) {
                Lease *lease = container_of(link, Lease, link);

                if (lease_is_live(lease))
                        update_lease(broker, lease);
        }
}

static void ask_owner(Broker *broker, Lease *lease, const char *reason) {
        const Holding *holding = broker_find_holding(broker, lease->id);

        if (holding)
                holding_ask(holding);
        broker_emit_asked(broker, lease, reason);
}

static bool has_any_group(const Lease *lease, const uint32_t *groups, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (lease_has_group(lease, groups[i]))
                        return true;
        return false;
}

void ask_by_interrupt(Broker *broker, const uint32_t *groups, size_t n_groups) {
        _cleanup_plan_ Plan plan = PLAN_NULL;

        if (plan_ask(&broker->world, groups, n_groups, &plan) >= 0 && plan.n_steps > 0)
                run_errand(broker, &plan, NULL, NULL);
}

void ask_for_groups(Broker *broker, const uint32_t *groups, size_t n_groups, const char *reason) {
        list_for_each(link, &broker->world.leases.leases) {
                Lease *lease = container_of(link, Lease, link);

                if (lease_is_live(lease) && has_any_group(lease, groups, n_groups))
                        ask_owner(broker, lease, reason);
        }
        ask_by_interrupt(broker, groups, n_groups);
}
