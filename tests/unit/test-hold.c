/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/util/hold.h: the order of holds, and what is one and the same. */

#include "daemon/util/hold.h"

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static void add(Holds *holds, Hold hold) {
        if (hold.tid == 0)
                hold.tid = hold.pid;
        ck_assert_int_eq(holds_add(holds, &hold), 0);
}

static void assert_holds(const Holds *holds, const char *expected) {
        _cleanup_free_ char *text = strdup("");

        for (size_t i = 0; i < holds->n_holds; i++)
                (void)string_append(&text, "%s%d:%s:%d", i > 0 ? " " : "", holds->holds[i].pid,
                                    hold_kind_name(holds->holds[i].kind), holds->holds[i].fd);
        ck_assert_str_eq(text, expected);
}

START_TEST(the_files_of_a_process_stand_together_in_the_order_of_pids) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        add(&holds, (Hold){.kind = HOLD_DEVICE, .pid = 200, .fd = 9});
        add(&holds, (Hold){.kind = HOLD_GROUP, .pid = 100, .fd = 4});
        add(&holds, (Hold){.kind = HOLD_MAPPING, .pid = 100, .fd = -1, .map_first = 4096});
        add(&holds, (Hold){.kind = HOLD_CONTAINER, .pid = 200, .fd = 3});
        add(&holds, (Hold){.kind = HOLD_DEVICE, .pid = 100, .fd = 5});
        assert_holds(&holds,
                     "100:group:4 100:device:5 100:mapping:-1 200:container:3 200:device:9");
        ck_assert_uint_eq(holds_next_process(&holds, 0), 3);
        ck_assert_uint_eq(holds_next_process(&holds, 3), 5);
}
END_TEST

START_TEST(the_same_file_of_the_same_process_is_taken_once) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        for (int i = 0; i < 2; i++) {
                add(&holds, (Hold){.kind = HOLD_CONTAINER, .pid = 1, .fd = 3, .group = 3});
                add(&holds, (Hold){.kind = HOLD_CONTAINER, .pid = 1, .fd = 3, .group = 4});
                add(&holds, (Hold){.kind = HOLD_MAPPING, .pid = 1, .fd = -1, .map_first = 1});
        }
        assert_holds(&holds, "1:container:3 1:mapping:-1");
        ck_assert_uint_eq(holds.holds[0].group, 3);
}
END_TEST

START_TEST(what_differs_in_one_thing_is_taken_for_itself) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        const Hold hold = {.kind = HOLD_DEVICE, .pid = 7, .tid = 7, .fd = 3, .start_time = 50};
        Hold other;

        add(&holds, hold);
        other = hold;
        other.fd = 4;
        add(&holds, other);
        other = hold;
        other.tid = 8;
        add(&holds, other);
        other = hold;
        other.start_time = 51;
        add(&holds, other);
        other = (Hold){.kind = HOLD_MAPPING, .pid = 7, .fd = -1, .start_time = 50, .map_first = 1};
        add(&holds, other);
        other.map_first = 2;
        add(&holds, other);
        ck_assert_uint_eq(holds.n_holds, 6);
        /* The number was given to another process: that is not the same one. */
        ck_assert_uint_eq(holds_next_process(&holds, 0), 5);
}
END_TEST

START_TEST(files_of_devices_keep_a_device_and_with_the_groups_file_a_group) {
        static const struct {
                HoldKind kind;
                const char *name;
                bool keeps;
        } rows[_HOLD_KIND_MAX] = {
                {HOLD_CONTAINER, "container", false},
                {HOLD_IOMMUFD, "iommufd", false},
                {HOLD_GROUP, "group", false},
                {HOLD_DEVICE, "device", true},
                {HOLD_CDEV, "cdev", true},
                {HOLD_MAPPING, "mapping", true},
                {HOLD_LEASE, "lease", false},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                ck_assert_str_eq(hold_kind_name(rows[i].kind), rows[i].name);
                ck_assert_int_eq(hold_keeps_device(rows[i].kind), rows[i].keeps);
                ck_assert_int_eq(hold_keeps_group(rows[i].kind),
                                 rows[i].keeps || rows[i].kind == HOLD_GROUP);
        }
}
END_TEST

START_TEST(holds_are_asked_about_one_group_and_what_counts_there) {
        Hold files[] = {{.kind = HOLD_GROUP, .group = 3}, {.kind = HOLD_CDEV, .group = 4}};
        Holds holds = {.holds = files, .n_holds = ELEMENTS(files)}, nobody = HOLDS_NULL;

        ck_assert(holds_any(&holds, 3, hold_keeps_group));
        ck_assert(!holds_any(&holds, 3, hold_keeps_device));
        ck_assert(holds_any(&holds, 4, hold_keeps_device));
        ck_assert(!holds_any(&holds, 5, hold_keeps_group));
        ck_assert(!holds_any(&nobody, 3, hold_keeps_group));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("hold");

        tcase_add_test(tests, the_files_of_a_process_stand_together_in_the_order_of_pids);
        tcase_add_test(tests, the_same_file_of_the_same_process_is_taken_once);
        tcase_add_test(tests, what_differs_in_one_thing_is_taken_for_itself);
        tcase_add_test(tests, files_of_devices_keep_a_device_and_with_the_groups_file_a_group);
        tcase_add_test(tests, holds_are_asked_about_one_group_and_what_counts_there);
        return tests_run(tests);
}
