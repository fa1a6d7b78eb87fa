/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/holder-text.h */

#include "daemon/core/holder-text.h"

#include <stdio.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

#define NIC "0000:01:00.0"

static void add(Holds *holds, pid_t pid, HoldKind kind, uint32_t group, const char *device) {
        Hold hold = {.kind = kind,
                     .pid = pid,
                     .tid = pid,
                     .uid = 1001,
                     .group = group,
                     .fd = kind == HOLD_MAPPING ? -1 : (int)holds->n_holds,
                     .map_first = holds->n_holds * 4096,
                     .command = "qemu"};

        (void)snprintf(hold.device, sizeof(hold.device), "%s", string_or_empty(device));
        ck_assert_int_eq(holds_add(holds, &hold), 0);
}

static void assert_text(const Holds *holds, const uint32_t *group, const char *expected) {
        _cleanup_free_ char *text = holders_describe(holds, group);

        ck_assert_ptr_nonnull(text);
        ck_assert_str_eq(text, expected);
}

START_TEST(nobody_is_no_words) {
        const Holds holds = HOLDS_NULL;

        assert_text(&holds, NULL, "");
}
END_TEST

START_TEST(a_holder_is_told_by_pid_command_uid_unit_and_files) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        add(&holds, 812, HOLD_GROUP, 3, NULL);
        add(&holds, 812, HOLD_DEVICE, 3, NIC);
        add(&holds, 900, HOLD_CDEV, 3, NIC);
        (void)snprintf(holds.holds[0].unit, sizeof(holds.holds[0].unit), "vm1.service");
        assert_text(&holds, NULL,
                    "pid 812 (qemu, uid 1001, vm1.service): group 3, device " NIC
                    "; pid 900 (qemu, uid 1001): cdev " NIC);
}
END_TEST

START_TEST(what_a_process_has_many_times_is_said_once) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        for (int i = 0; i < 3; i++) {
                add(&holds, 812, HOLD_DEVICE, 3, NIC);
                add(&holds, 812, HOLD_MAPPING, 3, NIC);
                add(&holds, 812, HOLD_DEVICE, 3, "b");
        }
        add(&holds, 813, HOLD_DEVICE, 3, NIC);
        assert_text(&holds, NULL,
                    "pid 812 (qemu, uid 1001): device " NIC ", device b, mapping " NIC
                    "; pid 813 (qemu, uid 1001): device " NIC);
}
END_TEST

START_TEST(a_mapping_of_either_of_two_devices_is_told_by_its_group) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        add(&holds, 812, HOLD_MAPPING, 3, NULL);
        assert_text(&holds, NULL, "pid 812 (qemu, uid 1001): mapping of group 3");
}
END_TEST

START_TEST(who_has_only_a_container_or_a_lease_is_left_out) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        add(&holds, 811, HOLD_LEASE, 3, NULL);
        add(&holds, 811, HOLD_CONTAINER, 3, NULL);
        assert_text(&holds, NULL, "");
        add(&holds, 812, HOLD_CONTAINER, 3, NULL);
        add(&holds, 812, HOLD_GROUP, 3, NULL);
        add(&holds, 812, HOLD_LEASE, 3, NULL);
        assert_text(&holds, NULL, "pid 812 (qemu, uid 1001): group 3");
}
END_TEST

START_TEST(of_one_group_only_its_own_files_are_told) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        const uint32_t three = 3, four = 4, five = 5;

        add(&holds, 812, HOLD_DEVICE, 3, "a");
        add(&holds, 812, HOLD_DEVICE, 4, "b");
        add(&holds, 813, HOLD_DEVICE, 4, "b");
        assert_text(&holds, &three, "pid 812 (qemu, uid 1001): device a");
        assert_text(&holds, &four,
                    "pid 812 (qemu, uid 1001): device b; pid 813 (qemu, uid 1001): device b");
        assert_text(&holds, &five, "");
}
END_TEST

/* The number of those who are not named leaves out who does not count either. */
START_TEST(after_five_processes_the_others_are_a_number) {
        static const char five[] =
                "pid 1 (qemu, uid 1001): group 3; pid 2 (qemu, uid 1001): group 3"
                "; pid 3 (qemu, uid 1001): group 3; pid 4 (qemu, uid 1001): "
                "group 3; pid 5 (qemu, uid 1001): group 3";
        _cleanup_free_ char *more = string_format("%s; and 2 more", five);
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        for (pid_t pid = 1; pid <= 5; pid++)
                add(&holds, pid, HOLD_GROUP, 3, NULL);
        add(&holds, 6, HOLD_LEASE, 3, NULL);
        assert_text(&holds, NULL, five);
        add(&holds, 7, HOLD_GROUP, 3, NULL);
        add(&holds, 8, HOLD_GROUP, 3, NULL);
        assert_text(&holds, NULL, more);
}
END_TEST

START_TEST(who_is_not_told_of_is_in_the_number) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_free_ char *many = NULL;

        holds.n_more_keepers = 3;
        assert_text(&holds, NULL, "3 processes");
        for (pid_t pid = 1; pid <= 6; pid++)
                add(&holds, pid, HOLD_GROUP, 3, NULL);
        many = holders_describe(&holds, NULL);
        ck_assert_ptr_nonnull(strstr(many, "pid 5 (qemu, uid 1001): group 3; and 4 more"));
        /* Of one group, that number is not known. */
        free(many);
        many = holders_describe(&holds, &(uint32_t){3});
        ck_assert_ptr_nonnull(strstr(many, "pid 5 (qemu, uid 1001): group 3; and 1 more"));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("holder-text");

        tcase_add_test(tests, nobody_is_no_words);
        tcase_add_test(tests, a_holder_is_told_by_pid_command_uid_unit_and_files);
        tcase_add_test(tests, what_a_process_has_many_times_is_said_once);
        tcase_add_test(tests, a_mapping_of_either_of_two_devices_is_told_by_its_group);
        tcase_add_test(tests, who_has_only_a_container_or_a_lease_is_left_out);
        tcase_add_test(tests, of_one_group_only_its_own_files_are_told);
        tcase_add_test(tests, after_five_processes_the_others_are_a_number);
        tcase_add_test(tests, who_is_not_told_of_is_in_the_number);
        return tests_run(tests);
}
