/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/lease.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/lease-iommufd.h"
#include "daemon/util/string.h"

/* The state an event leads to. What is not listed cannot happen: zero is LEASE_GRANTING, and
 * nothing leads back there. */
static const LeaseState next[_LEASE_STATE_MAX][_LEASE_EVENT_MAX] = {
        [LEASE_GRANTING] =
                {
                        [LEASE_EVENT_GRANTED] = LEASE_HELD,
                        [LEASE_EVENT_FAILED] = LEASE_GONE,
                },
        [LEASE_HELD] =
                {
                        [LEASE_EVENT_ASKED] = LEASE_RELEASING,
                        [LEASE_EVENT_GIVEN_BACK] = LEASE_DRAINING,
                        [LEASE_EVENT_UNPLUGGED] = LEASE_LOST,
                },
        [LEASE_RELEASING] =
                {
                        [LEASE_EVENT_ASKED] = LEASE_RELEASING,
                        [LEASE_EVENT_WITHDRAWN] = LEASE_HELD,
                        [LEASE_EVENT_GIVEN_BACK] = LEASE_DRAINING,
                        [LEASE_EVENT_UNPLUGGED] = LEASE_LOST,
                },
        [LEASE_DRAINING] =
                {
                        [LEASE_EVENT_UNPLUGGED] = LEASE_LOST,
                        [LEASE_EVENT_FREE] = LEASE_GONE,
                },
        [LEASE_LOST] =
                {
                        [LEASE_EVENT_FREE] = LEASE_GONE,
                },
};

static const char *const names[_LEASE_STATE_MAX] = {
        [LEASE_GRANTING] = "granting", [LEASE_HELD] = "held", [LEASE_RELEASING] = "releasing",
        [LEASE_DRAINING] = "draining", [LEASE_LOST] = "lost", [LEASE_GONE] = "gone",
};

void lease_table_init(LeaseTable *table) {
        table->last_id = 0;
        list_init(&table->leases);
}

void lease_table_done(LeaseTable *table) {
        list_for_each_safe(link, &table->leases)
                lease_free(container_of(link, Lease, link));
}

int lease_new(LeaseTable *table, uid_t owner, const char *label, Lease **ret) {
        Lease *lease = calloc(1, sizeof(Lease));

        if (!lease)
                return -ENOMEM;
        list_init(&lease->link);
        if (string_set(&lease->label, string_or_empty(label)) < 0 ||
            string_set(&lease->client, "") < 0) {
                lease_free(lease);
                return -ENOMEM;
        }
        lease->id = ++table->last_id;
        lease->owner = owner;
        lease->state = LEASE_GRANTING;
        lease->mode = MODE_GROUP;
        list_insert(&table->leases, &lease->link);
        *ret = lease;
        return 0;
}

int lease_set_client(Lease *lease, const char *client) {
        return string_set(&lease->client, string_or_empty(client));
}

Lease *lease_free(Lease *lease) {
        if (!lease)
                return NULL;
        list_remove(&lease->link);
        free(lease->label);
        free(lease->client);
        free(lease->groups);
        strv_free(lease->devices);
        lease_iommufd_done(&lease->iommufd);
        free(lease);
        return NULL;
}

int lease_enter(Lease *lease, LeaseEvent event) {
        LeaseState state;

        assert(event >= 0 && event < _LEASE_EVENT_MAX);
        state = next[lease->state][event];
        if (state == LEASE_GRANTING)
                return -EINVAL;
        lease->state = state;
        if (state != LEASE_RELEASING)
                lease->deadline = 0;
        return 0;
}

int lease_ask(Lease *lease, uint64_t deadline) {
        int r = lease_enter(lease, LEASE_EVENT_ASKED);

        if (r >= 0)
                lease->deadline = deadline;
        return r;
}

int lease_add_group(Lease *lease, uint32_t group) {
        uint32_t *grown;
        size_t i = 0;

        if (lease_has_group(lease, group))
                return 0;
        grown = reallocarray(lease->groups, lease->n_groups + 1, sizeof(uint32_t));
        if (!grown)
                return -ENOMEM;
        while (i < lease->n_groups && grown[i] < group)
                i++;
        memmove(grown + i + 1, grown + i, (lease->n_groups - i) * sizeof(uint32_t));
        grown[i] = group;
        lease->groups = grown;
        lease->n_groups++;
        return 0;
}

void lease_remove_group(Lease *lease, uint32_t group) {
        for (size_t i = 0; i < lease->n_groups; i++) {
                if (lease->groups[i] != group)
                        continue;
                lease->n_groups--;
                memmove(lease->groups + i, lease->groups + i + 1,
                        (lease->n_groups - i) * sizeof(uint32_t));
                return;
        }
}

int lease_add_device(Lease *lease, const char *device) {
        int r;

        if (lease_has_device(lease, device))
                return 0;
        r = strv_push(&lease->devices, device);
        if (r < 0)
                return r;
        strv_sort(lease->devices);
        return 0;
}

void lease_remove_device(Lease *lease, const char *device) {
        lease_iommufd_forget(&lease->iommufd, device);
        strv_remove(lease->devices, device);
}

bool lease_has_device(const Lease *lease, const char *device) {
        return strv_contains(lease->devices, device);
}

bool lease_has_group(const Lease *lease, uint32_t group) {
        for (size_t i = 0; i < lease->n_groups; i++)
                if (lease->groups[i] == group)
                        return true;
        return false;
}

bool lease_is_live(const Lease *lease) {
        return lease->state == LEASE_HELD || lease->state == LEASE_RELEASING;
}

const char *lease_state_name(LeaseState state) {
        assert(state >= 0 && state < _LEASE_STATE_MAX);
        return names[state];
}

Lease *lease_table_find(const LeaseTable *table, uint32_t id) {
        list_for_each(link, &table->leases) {
                Lease *lease = container_of(link, Lease, link);

                if (lease->id == id)
                        return lease;
        }
        return NULL;
}

Lease *lease_table_find_group(const LeaseTable *table, uint32_t group) {
        list_for_each(link, &table->leases) {
                Lease *lease = container_of(link, Lease, link);

                if (lease_has_group(lease, group))
                        return lease;
        }
        return NULL;
}

size_t lease_table_count(const LeaseTable *table) {
        size_t n = 0;

        list_for_each(link, &table->leases)
                n++;
        return n;
}

size_t lease_table_count_owner(const LeaseTable *table, uid_t owner) {
        size_t n = 0;

        list_for_each(link, &table->leases)
                n += container_of(link, Lease, link)->owner == owner;
        return n;
}

size_t lease_table_count_groups(const LeaseTable *table) {
        size_t n = 0;

        list_for_each(link, &table->leases)
                n += container_of(link, Lease, link)->n_groups;
        return n;
}

size_t lease_table_count_groups_of(const LeaseTable *table, uid_t owner) {
        size_t n = 0;

        list_for_each(link, &table->leases) {
                const Lease *lease = container_of(link, Lease, link);

                n += lease->owner == owner ? lease->n_groups : 0;
        }
        return n;
}
