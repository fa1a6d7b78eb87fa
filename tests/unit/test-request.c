/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/request.h: targets as texts, and copies. */

#include "daemon/core/request.h"

#include <stdlib.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

#define LIMIT 64

static void assert_refused(char *const *texts, RefusalKind kind, const char *words) {
        _cleanup_request_ Request request = {0};
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        ck_assert_int_eq(request_set_targets(&request, texts, LIMIT, &refusal), kind);
        ck_assert_int_eq(refusal.kind, kind);
        ck_assert_msg(strstr(refusal.sentence, words), "'%s'", refusal.sentence);
}

#define TEXTS(...) ((char *[]){__VA_ARGS__, NULL})
#define T(text) ((char *)(text))

START_TEST(targets_are_read_in_their_order) {
        _cleanup_request_ Request request = {0};
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(request_set_targets(&request,
                                             TEXTS(T("02:00.0"), T("group/3"), T("dprc.2")), 3,
                                             &refusal),
                         REFUSAL_NONE);
        text = request_targets_text(&request);
        ck_assert_str_eq(text, "0000:02:00.0 group/3 dprc.2");
}
END_TEST

START_TEST(no_target_is_refused) {
        assert_refused((char *[]){NULL}, REFUSAL_NO_TARGETS, "no target given");
        assert_refused(NULL, REFUSAL_NO_TARGETS, "no target given");
}
END_TEST

START_TEST(ten_thousand_targets_are_refused_before_they_are_read) {
        const size_t n = 10000;
        _cleanup_free_ char **texts = calloc(n + 1, sizeof(char *));

        ck_assert_ptr_nonnull(texts);
        for (size_t i = 0; i < n; i++)
                texts[i] = T("not a target");
        assert_refused(texts, REFUSAL_TOO_MANY_TARGETS,
                       "more than 64 targets in one request, the limit (limits.targets)");
        texts[LIMIT + 1] = NULL;
        assert_refused(texts, REFUSAL_TOO_MANY_TARGETS, "more than 64 targets");
        texts[LIMIT] = NULL;
        assert_refused(texts, REFUSAL_INVALID_TARGET, "'not a target'");
}
END_TEST

START_TEST(the_same_target_twice_is_refused_however_it_is_written) {
        assert_refused(TEXTS(T("0000:01:00.0"), T("0000:01:00.0")), REFUSAL_DUPLICATE_TARGET,
                       "'0000:01:00.0' is given twice");
        assert_refused(TEXTS(T("0000:0A:00.0"), T("group/1"), T("0a:00.0")),
                       REFUSAL_DUPLICATE_TARGET, "'0a:00.0'");
        assert_refused(TEXTS(T("group/1"), T("group/01")), REFUSAL_DUPLICATE_TARGET, "'group/01'");
}
END_TEST

START_TEST(a_malformed_target_is_quoted_short_and_clean) {
        char text[1000];

        memset(text, 'x', sizeof(text));
        text[0] = '\033';
        text[999] = '\0';
        assert_refused(TEXTS(T("01:00.0"), text), REFUSAL_INVALID_TARGET, "'?xxx");
        assert_refused(TEXTS(text), REFUSAL_INVALID_TARGET, "xxx' is neither");
        assert_refused(TEXTS(T("0000:01:00.8")), REFUSAL_INVALID_TARGET,
                       "'0000:01:00.8' is neither");
        assert_refused(TEXTS(T("")), REFUSAL_INVALID_TARGET, "''");
}
END_TEST

START_TEST(a_copy_owns_everything_it_has) {
        _cleanup_request_ Request request = {
                .operation = OPERATION_ACQUIRE, .lease = 7, .fds_max = 16};
        _cleanup_request_ Request copy = {0};
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(request_set_targets(&request, TEXTS(T("group/3")), LIMIT, &refusal), 0);
        ck_assert_int_eq(string_set(&request.label, "label"), 0);
        ck_assert_int_eq(string_set(&request.driver, "driver"), 0);
        ck_assert_int_eq(request_copy(&request, &copy), 0);
        request_done(&request);
        text = request_targets_text(&copy);
        ck_assert_str_eq(text, "group/3");
        ck_assert_str_eq(copy.label, "label");
        ck_assert_str_eq(copy.driver, "driver");
        ck_assert_uint_eq(copy.lease, 7);
        ck_assert_uint_eq(copy.fds_max, 16);
}
END_TEST

START_TEST(a_request_without_targets_can_be_copied) {
        const Request request = {.operation = OPERATION_RELEASE, .lease = 2};
        _cleanup_request_ Request copy = {0};
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(request_copy(&request, &copy), 0);
        text = request_targets_text(&copy);
        ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(every_operation_has_a_name) {
        for (Operation i = 0; i < _OPERATION_MAX; i++)
                ck_assert_msg(!string_is_empty(operation_name(i)), "%d", i);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("request");

        tcase_add_test(tests, targets_are_read_in_their_order);
        tcase_add_test(tests, no_target_is_refused);
        tcase_add_test(tests, ten_thousand_targets_are_refused_before_they_are_read);
        tcase_add_test(tests, the_same_target_twice_is_refused_however_it_is_written);
        tcase_add_test(tests, a_malformed_target_is_quoted_short_and_clean);
        tcase_add_test(tests, a_copy_owns_everything_it_has);
        tcase_add_test(tests, a_request_without_targets_can_be_copied);
        tcase_add_test(tests, every_operation_has_a_name);
        return tests_run(tests);
}
