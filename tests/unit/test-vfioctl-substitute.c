/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* client/substitute.h and client/grant.h: placeholders of exec, and the files they stand for. */

#include "client/substitute.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

/* Numbers that nobody opened: closing them is harmless, so that a test can name them. */
#define LEASE_FD 1004
#define CONTAINER 1005
#define GROUP_3 1006
#define DEVICE_A 1007
#define DEVICE_B 1008

static void add(Grant *grant, const char *kind, const char *name, int fd) {
        ck_assert_int_eq(grant_add_consume(grant, kind, name, fd), 0);
}

static Grant one_device(void) {
        Grant grant = GRANT_NULL;

        grant.lease_fd = LEASE_FD;
        add(&grant, "container", "", CONTAINER);
        add(&grant, "group", "3", GROUP_3);
        add(&grant, "device", "0000:01:00.0", DEVICE_A);
        return grant;
}

static Grant two_devices(void) {
        Grant grant = one_device();

        add(&grant, "device", "0001:02:00.1", DEVICE_B);
        return grant;
}

static void check_text(const Grant *grant, const char *argument, const char *expected) {
        _cleanup_free_ char *text = NULL, *sentence = NULL;
        int r;

        r = substitute(argument, grant, &text, &sentence);
        ck_assert_msg(r == 0, "%s: %s", argument, string_or_empty(sentence));
        assert_row_str(argument, text, expected);
}

static void check_refused(const Grant *grant, const char *argument, const char *expected) {
        _cleanup_free_ char *text = NULL, *sentence = NULL;

        ck_assert_int_eq(substitute(argument, grant, &text, &sentence), -EINVAL);
        ck_assert_ptr_null(text);
        assert_row_str(argument, sentence, expected);
}

START_TEST(each_placeholder_becomes_the_number_of_its_file) {
        static const char *const rows[][2] = {
                {"", ""},
                {"plain", "plain"},
                {"{lease}", "1004"},
                {"{container}", "1005"},
                {"{group}", "1006"},
                {"{group:3}", "1006"},
                {"{device}", "1007"},
                {"{device:0000:01:00.0}", "1007"},
                {"{device:01:00.0}", "1007"},
                {"iommufd=i0,fd={device},x", "iommufd=i0,fd=1007,x"},
                {"{container}{group}", "10051006"},
        };
        _cleanup_grant_ Grant grant = one_device();

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                check_text(&grant, rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(a_doubled_brace_is_one_and_a_closing_one_is_itself) {
        static const char *const rows[][2] = {
                {"{{", "{"},
                {"{{group}", "{group}"},
                {"{{{group}}", "{1006}"},
                {"{{{{", "{{"},
                {"}", "}"},
                {"{{\"fd\": {lease}}", "{\"fd\": 1004}"},
        };
        _cleanup_grant_ Grant grant = one_device();

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                check_text(&grant, rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(a_device_must_be_named_where_there_are_several) {
        _cleanup_grant_ Grant grant = two_devices();

        check_refused(&grant, "{device}", "'{device}' could be any of 2: write '{device:NAME}'");
        check_text(&grant, "{device:0001:02:00.1}", "1008");
        check_text(&grant, "{device:0000:01:00.0}", "1007");
}
END_TEST

START_TEST(a_name_that_the_lease_does_not_have_is_refused) {
        static const char *const rows[][2] = {
                {"{group:4}", "'{group:4}' matches no file of the lease"},
                {"{device:02:00.1}", "'{device:02:00.1}' matches no file of the lease"},
                {"{device:0000:01:00}", "'{device:0000:01:00}' matches no file of the lease"},
        };
        _cleanup_grant_ Grant grant = two_devices();

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                check_refused(&grant, rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(bad_placeholders_are_known_before_anything_is_acquired) {
        static const char *const rows[][2] = {
                {"{", "'{' does not end; write '{{' for a brace"},
                {"a{group", "'{group' does not end; write '{{' for a brace"},
                {"{}", "unknown placeholder '{}'; write '{{' for a brace"},
                {"{cdev}", "unknown placeholder '{cdev}'; write '{{' for a brace"},
                {"{groups}", "unknown placeholder '{groups}'; write '{{' for a brace"},
                {"{grou}", "unknown placeholder '{grou}'; write '{{' for a brace"},
                {"{Group}", "unknown placeholder '{Group}'; write '{{' for a brace"},
                {"{group:}", "unknown placeholder '{group:}'; write '{{' for a brace"},
                {"{lease:7}", "unknown placeholder '{lease:7}'; write '{{' for a brace"},
                {"{container:1}", "unknown placeholder '{container:1}'; write '{{' for a brace"},
                {"{lease}{nothing}", "unknown placeholder '{nothing}'; write '{{' for a brace"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *sentence = NULL;

                ck_assert_int_eq(substitute_check(rows[i][0], true, &sentence), -EINVAL);
                assert_row_str(rows[i][0], sentence, rows[i][1]);
        }
}
END_TEST

START_TEST(good_placeholders_pass_before_there_are_files) {
        static const char *const rows[] = {"",         "x",          "{{x",
                                           "{lease}",  "{group}",    "{group:42}",
                                           "{device}", "{device:a}", "{container}"};

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *sentence = NULL;

                ck_assert_msg(substitute_check(rows[i], true, &sentence) == 0, "%s", rows[i]);
                ck_assert_ptr_null(sentence);
        }
}
END_TEST

START_TEST(devices_are_refused_early_where_none_will_be_open) {
        _cleanup_free_ char *sentence = NULL;

        ck_assert_int_eq(substitute_check("{group}", false, &sentence), 0);
        ck_assert_int_eq(substitute_check("{device:a}", false, &sentence), -EINVAL);
        ck_assert_str_eq(sentence, "'{device:a}': there are no device files with --prepare open");
}
END_TEST

START_TEST(the_files_are_described_as_kind_name_and_number) {
        _cleanup_grant_ Grant grant = two_devices();
        _cleanup_free_ char *text = grant_describe(&grant);

        ck_assert_str_eq(text, "container:=1005 group:3=1006 device:0000:01:00.0=1007 "
                               "device:0001:02:00.1=1008");
}
END_TEST

START_TEST(a_grant_closes_what_it_owns) {
        size_t before = count_fds();
        Grant grant = GRANT_NULL;

        grant.lease_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        add(&grant, "group", "3", open("/dev/null", O_RDONLY | O_CLOEXEC));
        add(&grant, "group", "4", open("/dev/null", O_RDONLY | O_CLOEXEC));
        ck_assert_uint_eq(count_fds(), before + 3);

        grant_close_files(&grant);
        ck_assert_uint_eq(count_fds(), before + 1);
        ck_assert_uint_eq(grant.n_files, 0);
        grant_done(&grant);
        ck_assert_uint_eq(count_fds(), before);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfioctl-substitute");

        tcase_add_test(tests, each_placeholder_becomes_the_number_of_its_file);
        tcase_add_test(tests, a_doubled_brace_is_one_and_a_closing_one_is_itself);
        tcase_add_test(tests, a_device_must_be_named_where_there_are_several);
        tcase_add_test(tests, a_name_that_the_lease_does_not_have_is_refused);
        tcase_add_test(tests, bad_placeholders_are_known_before_anything_is_acquired);
        tcase_add_test(tests, good_placeholders_pass_before_there_are_files);
        tcase_add_test(tests, devices_are_refused_early_where_none_will_be_open);
        tcase_add_test(tests, the_files_are_described_as_kind_name_and_number);
        tcase_add_test(tests, a_grant_closes_what_it_owns);
        return tests_run(tests);
}
