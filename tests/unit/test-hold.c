/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/util/hold.h: the order of holds, and what is one and the same. */

#include "daemon/util/hold.h"

#include <stdio.h>

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

/* More devices and mappings than are told of, and before them what is of no device. */
START_TEST(of_many_files_of_a_process_something_of_each_device_is_told_first) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        const int devices = 10;

        for (int fd = 0; fd < 300; fd++)
                add(&holds, (Hold){.kind = HOLD_LEASE, .pid = 7, .fd = fd});
        ck_assert_uint_eq(holds.n_holds, HOLDS_FILES_MAX);
        for (int fd = 300; fd < 300 + 3 * devices; fd++) {
                Hold hold = {.kind = HOLD_DEVICE, .pid = 7, .fd = fd, .group = 4};

                (void)snprintf(hold.device, sizeof(hold.device), "device %d", fd % devices);
                add(&holds, hold);
        }
        ck_assert_uint_eq(holds.n_holds, HOLDS_FILES_MAX);
        ck_assert_uint_eq(holds_next_process(&holds, 0), HOLDS_FILES_MAX);
        ck_assert_uint_eq(holds_more_files(&holds, 0, HOLDS_FILES_MAX),
                          300 + 3 * devices - HOLDS_FILES_MAX);
        /* In order still, the devices with their first numbers. */
        for (int i = 0; i < devices; i++)
                ck_assert_int_eq(holds.holds[HOLDS_FILES_MAX - devices + i].fd, 300 + i);
        for (int i = 0; i < HOLDS_FILES_MAX - devices; i++)
                ck_assert_int_eq(holds.holds[i].fd, i);
}
END_TEST

START_TEST(a_file_that_is_not_told_of_holds_its_group_all_the_same) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        for (int i = 0; i < HOLDS_FILES_MAX; i++) {
                Hold hold = {.kind = HOLD_CONTAINER, .pid = 7, .fd = i, .group = (uint32_t)i};

                add(&holds, hold);
        }
        ck_assert(!holds_any(&holds, 100, hold_keeps_group));
        add(&holds, (Hold){.kind = HOLD_GROUP, .pid = 7, .fd = 1000, .group = 100});
        ck_assert_uint_eq(holds.n_holds, HOLDS_FILES_MAX);
        ck_assert(holds_any(&holds, 100, hold_keeps_group));
        ck_assert(!holds_any(&holds, 100, hold_keeps_device));
        add(&holds, (Hold){.kind = HOLD_MAPPING, .pid = 7, .fd = -1, .group = 100});
        ck_assert(holds_any(&holds, 100, hold_keeps_device));
        ck_assert(!holds_any(&holds, 101, hold_keeps_group));
        ck_assert_uint_eq(holds_more_files(&holds, 0, HOLDS_FILES_MAX), 2);
}
END_TEST

START_TEST(more_processes_than_are_told_of_are_counted_once_each_and_hold_all_the_same) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        for (pid_t pid = 1; pid <= HOLDS_PROCESSES_MAX; pid++)
                add(&holds, (Hold){.kind = HOLD_LEASE, .pid = pid, .group = 3});
        ck_assert_uint_eq(holds.n_more, 0);
        for (pid_t pid = 5001; pid <= 5003; pid++) {
                add(&holds, (Hold){.kind = HOLD_LEASE, .pid = pid, .fd = 1, .group = 3});
                ck_assert(!holds_any(&holds, 3, hold_keeps_group));
        }
        for (pid_t pid = 5004; pid <= 5005; pid++)
                for (int fd = 1; fd <= 3; fd++)
                        add(&holds, (Hold){.kind = HOLD_DEVICE, .pid = pid, .fd = fd, .group = 3});
        /* The number was given to another process. */
        add(&holds, (Hold){.kind = HOLD_LEASE, .pid = 5005, .start_time = 1, .group = 3});
        /* One that is told of has room for more. */
        add(&holds, (Hold){.kind = HOLD_LEASE, .pid = HOLDS_PROCESSES_MAX, .fd = 1, .group = 3});
        ck_assert_uint_eq(holds.n_processes, HOLDS_PROCESSES_MAX);
        ck_assert_uint_eq(holds.n_holds, HOLDS_PROCESSES_MAX + 1);
        ck_assert_uint_eq(holds.n_more, 6);
        ck_assert_uint_eq(holds.n_more_keepers, 2);
        ck_assert(holds_any(&holds, 3, hold_keeps_device));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("hold");

        tcase_add_test(tests, the_files_of_a_process_stand_together_in_the_order_of_pids);
        tcase_add_test(tests, the_same_file_of_the_same_process_is_taken_once);
        tcase_add_test(tests, what_differs_in_one_thing_is_taken_for_itself);
        tcase_add_test(tests, files_of_devices_keep_a_device_and_with_the_groups_file_a_group);
        tcase_add_test(tests, holds_are_asked_about_one_group_and_what_counts_there);
        tcase_add_test(tests, of_many_files_of_a_process_something_of_each_device_is_told_first);
        tcase_add_test(tests, a_file_that_is_not_told_of_holds_its_group_all_the_same);
        tcase_add_test(tests,
                       more_processes_than_are_told_of_are_counted_once_each_and_hold_all_the_same);
        return tests_run(tests);
}
