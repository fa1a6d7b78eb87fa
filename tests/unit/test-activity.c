/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/activity.h */

#include "daemon/core/activity.h"

#include "tests/unit/fixture-check.h"

START_TEST(an_activity_occupies_its_groups_until_it_ends) {
        Activity bind, release;
        ActivityTable table;
        uint32_t groups[] = {3, 5};

        activity_table_init(&table);
        ck_assert_int_eq(activity_begin(&table, &bind, OPERATION_BIND, 1000, groups, 2), 0);
        ck_assert_int_eq(activity_begin(&table, &release, OPERATION_RELEASE, 0, NULL, 0), 0);
        groups[0] = 7;
        ck_assert_ptr_eq(activity_find_group(&table, 3), &bind);
        ck_assert_ptr_eq(activity_find_group(&table, 5), &bind);
        ck_assert_ptr_null(activity_find_group(&table, 7));
        ck_assert_ptr_eq(activity_find_any(&table, (uint32_t[]){7, 5}, 2), &bind);
        ck_assert_ptr_null(activity_find_any(&table, groups, 1));
        ck_assert_ptr_null(activity_find_any(&table, NULL, 0));
        ck_assert_uint_eq(activity_count(&table), 2);
        ck_assert_uint_eq(activity_count_uid(&table, 1000), 1);
        activity_end(&bind);
        ck_assert_ptr_null(activity_find_group(&table, 3));
        ck_assert_uint_eq(activity_count(&table), 1);
        activity_end(&release);
        ck_assert_uint_eq(activity_count(&table), 0);
}
END_TEST

START_TEST(one_that_is_late_is_found_whatever_else_is_on_its_group) {
        static const uint32_t groups[] = {3, 5};
        ActivityTable table;
        Activity bind, recovery;

        activity_table_init(&table);
        ck_assert_int_eq(activity_begin(&table, &bind, OPERATION_BIND, 1000, groups, 2), 0);
        ck_assert_int_eq(activity_begin(&table, &recovery, OPERATION_BIND, 1000, groups, 2), 0);
        ck_assert_ptr_null(activity_find_late(&table, 5));
        recovery.late = strdup("it hangs");
        ck_assert_ptr_eq(activity_find_late(&table, 5), &recovery);
        ck_assert_ptr_null(activity_find_late(&table, 7));
        activity_end(&recovery);
        ck_assert_ptr_null(activity_find_late(&table, 5));
        activity_end(&bind);
}
END_TEST

START_TEST(ending_what_never_began_is_harmless) {
        Activity activity = {0};

        activity_end(&activity);
        activity_end(&activity);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("activity");

        tcase_add_test(tests, an_activity_occupies_its_groups_until_it_ends);
        tcase_add_test(tests, one_that_is_late_is_found_whatever_else_is_on_its_group);
        tcase_add_test(tests, ending_what_never_began_is_harmless);
        return tests_run(tests);
}
