/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* client/substitute.h: placeholders of exec, and the files they stand for. */

#include "client/substitute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

/* Numbers that nobody opened: closing them is harmless, so that a test can name them. */
#define LEASE_FD 1004
#define CONTAINER 1005
#define GROUP_3 1006
#define DEVICE_A 1007
#define DEVICE_B 1008
#define IOMMUFD 1009

static void add(vfiod_lease *lease, const char *kind, const char *name, int fd) {
        ck_assert_int_eq(lease_files_add_consume(&lease->files, kind, name, fd), 0);
}

/* A lease that nobody leaseed. */
static vfiod_lease *new_lease(void) {
        vfiod_connection *c;
        vfiod_lease *lease;

        ck_assert_int_eq(vfiod_connection_new(&c), 0);
        ck_assert_int_eq(lease_object_new(c, "/org/vfiod1/lease/7", &lease), 0);
        vfiod_connection_free(c);
        lease->lease_fd = LEASE_FD;
        return lease;
}

static vfiod_lease *one_device(void) {
        vfiod_lease *lease = new_lease();

        add(lease, "container", "", CONTAINER);
        add(lease, "group", "3", GROUP_3);
        add(lease, "device", "0000:01:00.0", DEVICE_A);
        return lease;
}

static vfiod_lease *two_devices(void) {
        vfiod_lease *lease = one_device();

        add(lease, "device", "0001:02:00.1", DEVICE_B);
        return lease;
}

static vfiod_lease *two_cdevs(void) {
        vfiod_lease *lease = new_lease();

        add(lease, "iommufd", "", IOMMUFD);
        add(lease, "cdev", "0000:01:00.0", DEVICE_A);
        add(lease, "cdev", "0001:02:00.1", DEVICE_B);
        return lease;
}

static void check_text(const vfiod_lease *lease, const char *argument, const char *expected) {
        _cleanup_free_ char *text = NULL, *sentence = NULL;
        int r;

        r = substitute(argument, lease, &text, &sentence);
        ck_assert_msg(r == 0, "%s: %s", argument, string_or_empty(sentence));
        assert_row_str(argument, text, expected);
}

static void check_refused(const vfiod_lease *lease, const char *argument, const char *expected) {
        _cleanup_free_ char *text = NULL, *sentence = NULL;

        ck_assert_int_eq(substitute(argument, lease, &text, &sentence), -EINVAL);
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
        _cleanup_lease_ vfiod_lease *lease = one_device();

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                check_text(lease, rows[i][0], rows[i][1]);
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
        _cleanup_lease_ vfiod_lease *lease = one_device();

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                check_text(lease, rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(a_device_must_be_named_where_there_are_several) {
        _cleanup_lease_ vfiod_lease *lease = two_devices();

        check_refused(lease, "{device}", "'{device}' could be any of 2: write '{device:NAME}'");
        check_text(lease, "{device:0001:02:00.1}", "1008");
        check_text(lease, "{device:0000:01:00.0}", "1007");
}
END_TEST

START_TEST(cdevs_have_placeholders_as_devices_have) {
        _cleanup_lease_ vfiod_lease *lease = two_cdevs();

        check_text(lease, "fd={iommufd}", "fd=1009");
        check_text(lease, "{cdev:01:00.0},{cdev:0001:02:00.1}", "1007,1008");
        check_refused(lease, "{cdev}", "'{cdev}' could be any of 2: write '{cdev:NAME}'");
        check_refused(lease, "{container}", "'{container}' matches no file of the lease");
}
END_TEST

START_TEST(a_name_that_the_lease_does_not_have_is_refused) {
        static const char *const rows[][2] = {
                {"{group:4}", "'{group:4}' matches no file of the lease"},
                {"{device:02:00.1}", "'{device:02:00.1}' matches no file of the lease"},
                {"{device:0000:01:00}", "'{device:0000:01:00}' matches no file of the lease"},
        };
        _cleanup_lease_ vfiod_lease *lease = two_devices();

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                check_refused(lease, rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(bad_placeholders_are_known_before_anything_is_acquired) {
        static const char *const rows[][2] = {
                {"{", "'{' does not end; write '{{' for a brace"},
                {"a{group", "'{group' does not end; write '{{' for a brace"},
                {"{}", "unknown placeholder '{}'; write '{{' for a brace"},
                {"{iommufd:1}", "unknown placeholder '{iommufd:1}'; write '{{' for a brace"},
                {"{cdevs}", "unknown placeholder '{cdevs}'; write '{{' for a brace"},
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

                ck_assert_int_eq(
                        substitute_check(rows[i][0], NULL, &(const char *){NULL}, &sentence),
                        -EINVAL);
                assert_row_str(rows[i][0], sentence, rows[i][1]);
        }
}
END_TEST

START_TEST(good_placeholders_pass_before_there_are_files) {
        static const char *const rows[] = {
                "",         "x",          "{{x",         "{lease}", "{group}",  "{group:42}",
                "{device}", "{device:a}", "{container}", "{cdev}",  "{cdev:a}", "{iommufd}"};

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *sentence = NULL;

                ck_assert_msg(substitute_check(rows[i], NULL, &(const char *){NULL}, &sentence) ==
                                      0,
                              "%s", rows[i]);
                ck_assert_ptr_null(sentence);
        }
}
END_TEST

START_TEST(files_that_there_will_not_be_are_refused_early) {
        static const struct {
                const char *argument, *prepare, *mode, *sentence;
        } rows[] = {
                {"{group}", "open", NULL, NULL},
                {"{cdev}", "open", NULL, NULL},
                {"{device:a}", "open", NULL,
                 "'{device:a}': there are no device files with --prepare open"},
                {"{device}", "attach", "group", NULL},
                {"{device}", NULL, "iommufd",
                 "'{device}': there is no device file in iommufd mode"},
                {"{group:3}", NULL, "iommufd",
                 "'{group:3}': there is no group file in iommufd mode"},
                {"{cdev}", NULL, "group", "'{cdev}': there is no cdev file in group mode"},
                {"{iommufd}", NULL, "auto", NULL},
                {"{container} {iommufd}", NULL, NULL,
                 "'{iommufd}': there is no iommufd file in group mode"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *sentence = NULL;
                const char *mode = rows[i].mode;

                ck_assert_int_eq(
                        substitute_check(rows[i].argument, rows[i].prepare, &mode, &sentence),
                        rows[i].sentence ? -EINVAL : 0);
                assert_row_str(rows[i].argument, sentence, rows[i].sentence);
        }
}
END_TEST

START_TEST(the_mode_is_that_of_the_placeholders) {
        static const char *const rows[][3] = {
                /* argument, mode before, after */
                {"{lease}", NULL, NULL},          {"{lease}", "auto", "auto"},
                {"{container}", NULL, "group"},   {"{device}", "auto", "group"},
                {"{iommufd}", NULL, "iommufd"},   {"{cdev:a}", "auto", "iommufd"},
                {"{cdev}", "iommufd", "iommufd"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *sentence = NULL;
                const char *mode = rows[i][1];

                ck_assert_int_eq(substitute_check(rows[i][0], NULL, &mode, &sentence), 0);
                assert_row_str(rows[i][0], mode, rows[i][2]);
        }
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
        tcase_add_test(tests, files_that_there_will_not_be_are_refused_early);
        tcase_add_test(tests, the_mode_is_that_of_the_placeholders);
        tcase_add_test(tests, cdevs_have_placeholders_as_devices_have);
        return tests_run(tests);
}
