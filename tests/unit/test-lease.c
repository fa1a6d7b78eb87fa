/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/core/lease.h: the whole matrix of states and events against a table of its own, and a
 * random walk over tables of leases that checks what must always hold.
 */

#include "daemon/core/lease.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

#define NO -1

/* Written from the design (design.md 5), not from lease.c. Columns in the order of LeaseEvent:
 * granted, failed, asked, withdrawn, given back, unplugged, free. */
static const int expected[_LEASE_STATE_MAX][_LEASE_EVENT_MAX] = {
        [LEASE_GRANTING] = {LEASE_HELD, LEASE_GONE, NO, NO, NO, NO, NO},
        [LEASE_HELD] = {NO, NO, LEASE_RELEASING, NO, LEASE_DRAINING, LEASE_LOST, NO},
        [LEASE_RELEASING] = {NO, NO, LEASE_RELEASING, LEASE_HELD, LEASE_DRAINING, LEASE_LOST, NO},
        [LEASE_DRAINING] = {NO, NO, NO, NO, NO, LEASE_LOST, LEASE_GONE},
        [LEASE_LOST] = {NO, NO, NO, NO, NO, NO, LEASE_GONE},
        [LEASE_GONE] = {NO, NO, NO, NO, NO, NO, NO},
};

START_TEST(every_event_leads_where_the_design_says_or_is_refused) {
        for (LeaseState state = 0; state < _LEASE_STATE_MAX; state++)
                for (LeaseEvent event = 0; event < _LEASE_EVENT_MAX; event++) {
                        Lease lease = {.state = state};
                        int to = expected[state][event], r = lease_enter(&lease, event);

                        ck_assert_msg(r == (to == NO ? -EINVAL : 0), "%s, event %d: %d",
                                      lease_state_name(state), event, r);
                        ck_assert_msg(lease.state == (to == NO ? state : (LeaseState)to),
                                      "%s, event %d: to %s", lease_state_name(state), event,
                                      lease_state_name(lease.state));
                }
}
END_TEST

START_TEST(only_held_and_releasing_leases_are_live) {
        for (LeaseState state = 0; state < _LEASE_STATE_MAX; state++) {
                const Lease lease = {.state = state};

                ck_assert(lease_is_live(&lease) ==
                          (state == LEASE_HELD || state == LEASE_RELEASING));
                ck_assert(!string_is_empty(lease_state_name(state)));
        }
}
END_TEST

START_TEST(ids_are_never_used_twice) {
        LeaseTable table;
        Lease *first, *second;

        lease_table_init(&table);
        ck_assert_int_eq(lease_new(&table, 1000, "label", &first), 0);
        ck_assert_uint_eq(first->id, 1);
        ck_assert_str_eq(first->label, "label");
        ck_assert_int_eq(first->state, LEASE_GRANTING);
        ck_assert_ptr_null(lease_free(first));
        ck_assert_int_eq(lease_new(&table, 1000, NULL, &second), 0);
        ck_assert_uint_eq(second->id, 2);
        ck_assert_str_eq(second->label, "");
        ck_assert_ptr_null(lease_table_find(&table, 1));
        ck_assert_ptr_eq(lease_table_find(&table, 2), second);
        lease_table_done(&table);
        ck_assert(list_is_empty(&table.leases));
        ck_assert_ptr_null(lease_free(NULL));
}
END_TEST

START_TEST(groups_and_devices_of_a_lease_are_ordered_sets) {
        static const uint32_t groups[] = {5, 3, 5, 1, 1};
        LeaseTable table;
        Lease *lease;

        lease_table_init(&table);
        ck_assert_int_eq(lease_new(&table, 0, NULL, &lease), 0);
        for (size_t i = 0; i < ELEMENTS(groups); i++)
                ck_assert_int_eq(lease_add_group(lease, groups[i]), 0);
        ck_assert_uint_eq(lease->n_groups, 3);
        ck_assert(lease->groups[0] == 1 && lease->groups[1] == 3 && lease->groups[2] == 5);
        lease_remove_group(lease, 4);
        lease_remove_group(lease, 3);
        ck_assert(lease->n_groups == 2 && lease->groups[1] == 5);
        ck_assert(lease_has_group(lease, 1) && !lease_has_group(lease, 3));

        lease_remove_device(lease, "a");
        ck_assert_int_eq(lease_add_device(lease, "b"), 0);
        ck_assert_int_eq(lease_add_device(lease, "a"), 0);
        ck_assert_int_eq(lease_add_device(lease, "b"), 0);
        ck_assert_uint_eq(strv_length(lease->devices), 2);
        ck_assert_str_eq(lease->devices[0], "a");
        lease_remove_device(lease, "a");
        ck_assert_str_eq(lease->devices[0], "b");
        ck_assert_ptr_null(lease->devices[1]);
        lease_table_done(&table);
}
END_TEST

START_TEST(whoever_asks_sets_the_deadline_and_none_is_left_when_nobody_does) {
        static const LeaseEvent ends[] = {LEASE_EVENT_WITHDRAWN, LEASE_EVENT_GIVEN_BACK,
                                          LEASE_EVENT_UNPLUGGED};

        for (size_t i = 0; i < ELEMENTS(ends); i++) {
                Lease lease = {.state = LEASE_HELD};

                ck_assert_int_eq(lease_ask(&lease, 500), 0);
                ck_assert_int_eq(lease.state, LEASE_RELEASING);
                ck_assert_uint_eq(lease.deadline, 500);
                ck_assert_int_eq(lease_ask(&lease, 700), 0);
                ck_assert_uint_eq(lease.deadline, 700);
                ck_assert_int_eq(lease_enter(&lease, LEASE_EVENT_GRANTED), -EINVAL);
                ck_assert_uint_eq(lease.deadline, 700);
                ck_assert_int_eq(lease_enter(&lease, ends[i]), 0);
                ck_assert_uint_eq(lease.deadline, 0);
        }
}
END_TEST

START_TEST(asked_without_a_deadline_it_has_none) {
        Lease lease = {.state = LEASE_HELD};

        ck_assert_int_eq(lease_ask(&lease, 500), 0);
        ck_assert_int_eq(lease_ask(&lease, 0), 0);
        ck_assert_int_eq(lease.state, LEASE_RELEASING);
        ck_assert_uint_eq(lease.deadline, 0);
}
END_TEST

START_TEST(a_lease_that_is_not_live_cannot_be_asked_for) {
        for (LeaseState state = 0; state < _LEASE_STATE_MAX; state++) {
                Lease lease = {.state = state};

                if (lease_is_live(&lease))
                        continue;
                ck_assert_int_eq(lease_ask(&lease, 500), -EINVAL);
                ck_assert_int_eq(lease.state, state);
                ck_assert_uint_eq(lease.deadline, 0);
        }
}
END_TEST

START_TEST(a_lease_knows_whom_to_tell) {
        LeaseTable table;
        Lease *lease;

        lease_table_init(&table);
        ck_assert_int_eq(lease_new(&table, 0, NULL, &lease), 0);
        ck_assert_str_eq(lease->client, "");
        ck_assert_int_eq(lease_set_client(lease, ":1.7"), 0);
        ck_assert_int_eq(lease_set_client(lease, ":1.9"), 0);
        ck_assert_str_eq(lease->client, ":1.9");
        ck_assert_int_eq(lease_set_client(lease, NULL), 0);
        ck_assert_str_eq(lease->client, "");
        lease_table_done(&table);
}
END_TEST

START_TEST(leases_are_counted_in_total_and_by_owner) {
        LeaseTable table;
        Lease *lease;

        lease_table_init(&table);
        for (uid_t uid = 0; uid < 6; uid++)
                ck_assert_int_eq(lease_new(&table, uid % 2, NULL, &lease), 0);
        ck_assert_uint_eq(lease_table_count(&table), 6);
        ck_assert_uint_eq(lease_table_count_owner(&table, 1), 3);
        ck_assert_uint_eq(lease_table_count_owner(&table, 7), 0);
        lease_table_done(&table);
}
END_TEST

#define GROUPS 12

/* One owner a group, groups ordered, ids ordered, deadlines only while asked for, counts that add
 * up. */
static void assert_invariants(const LeaseTable *table) {
        size_t owners[GROUPS + 1] = {0}, n = 0;
        uint32_t last = 0;

        list_for_each(link, (List *)&table->leases) {
                const Lease *lease = container_of(link, Lease, link);

                n++;
                ck_assert_uint_gt(lease->id, last);
                last = lease->id;
                ck_assert_int_ne(lease->state, LEASE_GONE);
                ck_assert(lease->deadline == 0 || lease->state == LEASE_RELEASING);
                for (size_t i = 0; i < lease->n_groups; i++) {
                        owners[lease->groups[i]]++;
                        ck_assert(i == 0 || lease->groups[i - 1] < lease->groups[i]);
                        ck_assert_ptr_eq(lease_table_find_group(table, lease->groups[i]), lease);
                }
        }
        for (uint32_t i = 1; i <= GROUPS; i++) {
                ck_assert_uint_le(owners[i], 1);
                ck_assert(owners[i] || !lease_table_find_group(table, i));
        }
        ck_assert_uint_eq(lease_table_count(table), n);
        ck_assert_uint_eq(lease_table_count_owner(table, 0) + lease_table_count_owner(table, 1), n);
}

static Lease *random_lease(const LeaseTable *table, unsigned *seed) {
        return table->last_id == 0
                       ? NULL
                       : lease_table_find(table, (uint32_t)rand_r(seed) % table->last_id + 1);
}

/* What the broker does at random: new leases, groups taken and given, asked for, events. */
static void random_step(LeaseTable *table, unsigned *seed) {
        uint32_t group = (uint32_t)rand_r(seed) % GROUPS + 1;
        Lease *lease = random_lease(table, seed);

        switch (rand_r(seed) % 5) {
        case 0:
                if (lease_table_count(table) < 8)
                        ck_assert_int_eq(lease_new(table, (uid_t)rand_r(seed) % 2, NULL, &lease),
                                         0);
                break;
        case 1:
                if (lease && !lease_table_find_group(table, group))
                        ck_assert_int_eq(lease_add_group(lease, group), 0);
                break;
        case 2:
                if (lease)
                        lease_remove_group(lease, group);
                break;
        case 3:
                if (lease)
                        (void)lease_ask(lease, (uint64_t)rand_r(seed) % 3);
                break;
        default:
                if (!lease)
                        break;
                (void)lease_enter(lease, (LeaseEvent)(rand_r(seed) % _LEASE_EVENT_MAX));
                if (lease->state == LEASE_GONE)
                        lease_free(lease);
        }
}

START_TEST(a_random_walk_never_gives_a_group_two_owners) {
        for (unsigned walk = 0; walk < 8; walk++) {
                unsigned seed = walk;
                LeaseTable table;

                lease_table_init(&table);
                for (int i = 0; i < 500; i++) {
                        random_step(&table, &seed);
                        assert_invariants(&table);
                        /* Ids stay findable for random_lease(). */
                        if (table.last_id > 40)
                                break;
                }
                lease_table_done(&table);
        }
}
END_TEST

int main(void) {
        TCase *tests = tests_new("lease");

        tcase_add_test(tests, every_event_leads_where_the_design_says_or_is_refused);
        tcase_add_test(tests, only_held_and_releasing_leases_are_live);
        tcase_add_test(tests, ids_are_never_used_twice);
        tcase_add_test(tests, groups_and_devices_of_a_lease_are_ordered_sets);
        tcase_add_test(tests, whoever_asks_sets_the_deadline_and_none_is_left_when_nobody_does);
        tcase_add_test(tests, asked_without_a_deadline_it_has_none);
        tcase_add_test(tests, a_lease_that_is_not_live_cannot_be_asked_for);
        tcase_add_test(tests, a_lease_knows_whom_to_tell);
        tcase_add_test(tests, leases_are_counted_in_total_and_by_owner);
        tcase_add_test(tests, a_random_walk_never_gives_a_group_two_owners);
        return tests_run(tests);
}
