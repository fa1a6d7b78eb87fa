/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/wait.h */

#include "daemon/core/wait.h"

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static void begin(WaitTable *table, Wait *wait, uid_t uid, uint64_t deadline, uint32_t group) {
        const uint32_t groups[] = {group, group + 1};

        ck_assert_int_eq(wait_begin(table, wait, uid, deadline, groups, 2), 0);
}

START_TEST(a_wait_is_for_its_groups_until_it_ends) {
        uint32_t groups[] = {3, 5};
        WaitTable table;
        Wait wait;

        wait_table_init(&table);
        ck_assert_int_eq(wait_begin(&table, &wait, 1000, 77, groups, 2), 0);
        groups[0] = 7;
        ck_assert_uint_eq(wait.uid, 1000);
        ck_assert_uint_eq(wait.deadline, 77);
        ck_assert(wait_has_group(&wait, 3) && wait_has_group(&wait, 5));
        ck_assert(!wait_has_group(&wait, 7));
        ck_assert_ptr_eq(wait_find_group(&table, 5), &wait);
        ck_assert_ptr_null(wait_find_group(&table, 7));
        ck_assert_uint_eq(wait_count(&table), 1);
        wait_end(&wait);
        ck_assert_ptr_null(wait_find_group(&table, 3));
        ck_assert_uint_eq(wait_count(&table), 0);
        ck_assert(!wait_has_group(&wait, 3));
}
END_TEST

START_TEST(ending_a_wait_that_never_began_or_is_over_is_harmless) {
        Wait wait = {0};
        WaitTable table;

        wait_end(&wait);
        wait_table_init(&table);
        begin(&table, &wait, 0, 0, 1);
        wait_end(&wait);
        wait_end(&wait);
        ck_assert_uint_eq(wait_count(&table), 0);
}
END_TEST

START_TEST(of_several_who_wait_for_a_group_the_first_is_named) {
        WaitTable table;
        Wait first, second;

        wait_table_init(&table);
        begin(&table, &first, 1, 0, 3);
        begin(&table, &second, 2, 0, 4);
        ck_assert_uint_eq(wait_count(&table), 2);
        ck_assert_ptr_eq(wait_find_group(&table, 4), &first);
        ck_assert_ptr_eq(wait_find_group(&table, 5), &second);
        wait_end(&first);
        ck_assert_ptr_eq(wait_find_group(&table, 4), &second);
        ck_assert_ptr_null(wait_find_group(&table, 3));
        wait_end(&second);
}
END_TEST

START_TEST(a_group_is_vacated_once_anybody_who_waits_has_seen_it) {
        WaitTable table;
        Wait first, second;

        wait_table_init(&table);
        begin(&table, &first, 1, 0, 3);
        begin(&table, &second, 2, 0, 4);
        ck_assert(!wait_is_vacated(&table, 4));
        first.groups[1].was_held = true;
        ck_assert(!wait_is_vacated(&table, 4));
        second.groups[0].vacated = true;
        ck_assert(wait_is_vacated(&table, 4));
        ck_assert(!wait_is_vacated(&table, 3) && !wait_is_vacated(&table, 5));
        wait_end(&second);
        ck_assert(!wait_is_vacated(&table, 4));
        wait_end(&first);
}
END_TEST

static Holds hold_of(HoldKind kind, uint32_t group, Hold *hold) {
        *hold = (Hold){.kind = kind, .pid = 10, .tid = 10, .group = group, .fd = 5};
        return (Holds){.holds = hold, .n_holds = 1};
}

START_TEST(a_group_is_vacated_when_its_device_was_held_and_is_no_more) {
        Hold device, file;
        Holds holds = hold_of(HOLD_MAPPING, 4, &device), only_file = hold_of(HOLD_GROUP, 4, &file);
        WaitTable table;
        Wait wait;

        wait_table_init(&table);
        begin(&table, &wait, 0, 0, 3);
        wait_see(&wait, &only_file);
        ck_assert(!wait_is_vacated(&table, 4));
        wait_see(&wait, &holds);
        ck_assert(!wait_is_vacated(&table, 4));
        wait_see(&wait, &only_file);
        ck_assert(wait_is_vacated(&table, 4));
        ck_assert(!wait_is_vacated(&table, 3));
        wait_see(&wait, &holds);
        ck_assert(!wait_is_vacated(&table, 4));
        wait_end(&wait);
}
END_TEST

START_TEST(an_unbind_is_ready_when_leased_groups_are_vacated_and_the_others_not_held) {
        Hold file;
        Holds nobody = HOLDS_NULL, held = hold_of(HOLD_GROUP, 3, &file);
        LeaseTable leases;
        WaitTable table;
        Lease *lease;
        Wait wait;

        wait_table_init(&table);
        lease_table_init(&leases);
        begin(&table, &wait, 0, 0, 3);
        ck_assert(wait_is_ready(&wait, &leases, &nobody));
        ck_assert(!wait_is_ready(&wait, &leases, &held));
        ck_assert(wait_is_ready(&wait, &leases, NULL));
        ck_assert_int_eq(lease_new(&leases, 0, NULL, &lease), 0);
        ck_assert_int_eq(lease_add_group(lease, 4), 0);
        ck_assert(!wait_is_ready(&wait, &leases, &nobody));
        ck_assert(!wait_is_ready(&wait, &leases, NULL));
        wait.groups[1].vacated = true;
        ck_assert(wait_is_ready(&wait, &leases, &nobody));
        ck_assert(!wait_is_ready(&wait, &leases, &held));
        wait_end(&wait);
        lease_table_done(&leases);
}
END_TEST

/* Each row: the groups asked about, and what is known of them. */
START_TEST(the_deadline_is_the_first_of_those_who_have_one) {
        static const struct {
                uint32_t groups[2];
                uint64_t deadline;
                size_t waits;
        } rows[] = {
                {{9, 10}, 0, 0},  /* nobody */
                {{1, 9}, 0, 1},   /* somebody, for ever */
                {{2, 9}, 500, 2}, /* for ever does not count, */
                {{3, 9}, 500, 2}, /* first or last */
                {{2, 5}, 300, 3}, /* of any of the groups; */
                {{3, 4}, 300, 3}, /* each is counted once */
        };
        static const uint64_t deadlines[] = {0, 500, 0, 300};
        Wait waits[ELEMENTS(deadlines)];
        WaitTable table;

        wait_table_init(&table);
        for (size_t i = 0; i < ELEMENTS(waits); i++)
                begin(&table, &waits[i], 0, deadlines[i], (uint32_t)i + 1);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                size_t n = 99;

                ck_assert_uint_eq(wait_deadline(&table, rows[i].groups, 2, &n), rows[i].deadline);
                ck_assert_uint_eq(n, rows[i].waits);
        }
        for (size_t i = 0; i < ELEMENTS(waits); i++)
                wait_end(&waits[i]);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("wait");

        tcase_add_test(tests, a_wait_is_for_its_groups_until_it_ends);
        tcase_add_test(tests, ending_a_wait_that_never_began_or_is_over_is_harmless);
        tcase_add_test(tests, of_several_who_wait_for_a_group_the_first_is_named);
        tcase_add_test(tests, a_group_is_vacated_once_anybody_who_waits_has_seen_it);
        tcase_add_test(tests, a_group_is_vacated_when_its_device_was_held_and_is_no_more);
        tcase_add_test(tests,
                       an_unbind_is_ready_when_leased_groups_are_vacated_and_the_others_not_held);
        tcase_add_test(tests, the_deadline_is_the_first_of_those_who_have_one);
        return tests_run(tests);
}
