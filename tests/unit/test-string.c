/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/util/string.h: numbers, UTF-8, quoting, and arrays of strings. */

#include "daemon/util/string.h"

#include <errno.h>

#include "tests/unit/fixture-check.h"

#define UNTOUCHED 4711

START_TEST(a_number_is_decimal_digits_up_to_its_limit) {
        static const struct {
                const char *text;
                uint64_t max;
                int result;
                uint64_t value;
        } rows[] = {
                {"0", 10, 0, 0},
                {"10", 10, 0, 10},
                {"007", 10, 0, 7},
                {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
                {"11", 10, -ERANGE, UNTOUCHED},
                {"18446744073709551616", UINT64_MAX, -ERANGE, UNTOUCHED},
                {"99999999999999999999999", UINT64_MAX, -ERANGE, UNTOUCHED},
                {"", 10, -EINVAL, UNTOUCHED},
                {NULL, 10, -EINVAL, UNTOUCHED},
                {"-1", 10, -EINVAL, UNTOUCHED},
                {"+1", 10, -EINVAL, UNTOUCHED},
                {" 1", 10, -EINVAL, UNTOUCHED},
                {"1 ", 10, -EINVAL, UNTOUCHED},
                {"0x1", 10, -EINVAL, UNTOUCHED},
                {"1e1", 10, -EINVAL, UNTOUCHED},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                uint64_t value = UNTOUCHED;
                int r = string_to_u64(rows[i].text, rows[i].max, &value);

                ck_assert_msg(r == rows[i].result && value == rows[i].value, "'%s': %d, %lu",
                              string_or_empty(rows[i].text), r, (unsigned long)value);
        }
}
END_TEST

START_TEST(printable_utf8_has_no_controls_and_nothing_malformed) {
        static const struct {
                const char *text;
                bool printable;
        } rows[] = {
                {"", true},
                {"plain ~text", true},
                {"gr\xc3\xbc\xc3\x9f", true},
                {"\xe2\x82\xac", true},
                {"\xf0\x9f\x92\xbe", true},
                {"\xf4\x8f\xbf\xbf", true}, /* U+10FFFF */
                {"\xc2\xa0", true},         /* U+00A0, the first after C1 */
                {"a\nb", false},
                {"a\tb", false},
                {"\x1b[31m", false},
                {"\x7f", false},
                {"\xc2\x9b", false}, /* C1: CSI */
                {"\xc2\x80", false},
                {"\xc0\xaf", false}, /* overlong */
                {"\xe0\x80\xaf", false},
                {"\xf0\x80\x80\xaf", false},
                {"\xe0\x82\xa9", false},     /* U+00A9 in three bytes */
                {"\xf0\x82\x82\xac", false}, /* U+20AC in four */
                {"\xed\xa0\x80", false},     /* surrogate */
                {"\xf4\x90\x80\x80", false}, /* above U+10FFFF */
                {"\xf8\x88\x80\x80\x80", false},
                {"\x80", false},
                {"\xff", false},
                {"ab\xc3", false}, /* cut off */
                {"\xe2\x82", false},
                {"\xe2\x82z", false},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                ck_assert_msg(string_is_printable_utf8(rows[i].text) == rows[i].printable,
                              "row %zu", i);
}
END_TEST

START_TEST(what_is_not_printable_becomes_question_marks_and_the_rest_stays) {
        static const struct {
                const char *text, *printable;
        } rows[] = {
                {"", ""},
                {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x92\xbe",
                 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x92\xbe"},
                {"eth\xfe", "eth?"},
                {"\xff\xc3\xbc\xff", "?\xc3\xbc?"},
                {"a\nb\x7f\x1b[31m", "a?b??[31m"},
                {"\xc2\x9b", "??"},
                {"\xed\xa0\x80", "???"},
                {"gr\xc3", "gr?"}, /* cut off */
                {"\xe2\x82", "??"},
                {"\xe2\x82\xc3\xbc", "??\xc3\xbc"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *text = strdup(rows[i].text);

                ck_assert_str_eq(string_make_printable(text), rows[i].printable);
        }
}
END_TEST

START_TEST(quotable_text_is_short_printable_ascii) {
        char buffer[8];

        ck_assert_str_eq(string_quotable("abc", buffer, sizeof(buffer)), "abc");
        ck_assert_str_eq(string_quotable("abcdefghij", buffer, sizeof(buffer)), "abcdefg");
        ck_assert_str_eq(string_quotable("a\x1b\xff\n~ ", buffer, sizeof(buffer)), "a???~ ");
        ck_assert_str_eq(string_quotable("abc", buffer, 1), "");
}
END_TEST

START_TEST(equality_and_emptiness_take_null) {
        ck_assert(string_equal(NULL, NULL));
        ck_assert(!string_equal(NULL, ""));
        ck_assert(!string_equal("", NULL));
        ck_assert(string_equal("a", "a"));
        ck_assert(!string_equal("a", "b"));
        ck_assert(string_is_empty(NULL) && string_is_empty("") && !string_is_empty(" "));
        ck_assert_str_eq(string_or_empty(NULL), "");
}
END_TEST

START_TEST(a_prefix_is_cut_off_only_where_it_is) {
        ck_assert_str_eq(string_after("group/3", "group/"), "3");
        ck_assert_str_eq(string_after("group/", "group/"), "");
        ck_assert_ptr_null(string_after("grou", "group/"));
        ck_assert_ptr_null(string_after("", "g"));
}
END_TEST

START_TEST(a_string_is_replaced_by_a_copy_of_its_own_part) {
        _cleanup_free_ char *s = NULL;

        ck_assert_int_eq(string_set(&s, "some text"), 0);
        ck_assert_int_eq(string_set(&s, s + 5), 0);
        ck_assert_str_eq(s, "text");
        ck_assert_int_eq(string_set(&s, NULL), 0);
        ck_assert_ptr_null(s);
}
END_TEST

START_TEST(appending_begins_with_nothing) {
        _cleanup_free_ char *s = NULL;

        ck_assert_int_eq(string_append(&s, "%s", ""), 0);
        ck_assert_str_eq(s, "");
        ck_assert_int_eq(string_append(&s, "%d%s", 1, "x"), 0);
        ck_assert_int_eq(string_append(&s, " %u", 2U), 0);
        ck_assert_str_eq(s, "1x 2");
}
END_TEST

START_TEST(an_array_of_strings_may_be_null) {
        _cleanup_strv_ char **copy = strv_copy(NULL);
        _cleanup_free_ char *joined = strv_join(NULL, ",");

        ck_assert_uint_eq(strv_length(NULL), 0);
        ck_assert(!strv_contains(NULL, "a"));
        ck_assert_ptr_null(strv_free(NULL));
        strv_sort(NULL);
        strv_remove(NULL, "a");
        ck_assert_ptr_nonnull(copy);
        ck_assert_ptr_null(copy[0]);
        ck_assert_str_eq(joined, "");
}
END_TEST

START_TEST(an_array_of_strings_grows_sorts_copies_and_joins) {
        _cleanup_strv_ char **strv = NULL, **copy = NULL;
        _cleanup_free_ char *joined = NULL;

        ck_assert_int_eq(strv_push(&strv, "b"), 0);
        ck_assert_int_eq(strv_push(&strv, "c"), 0);
        ck_assert_int_eq(strv_push_consume(&strv, string_format("%s", "a")), 0);
        strv_sort(strv);
        copy = strv_copy(strv);
        joined = strv_join(copy, ", ");
        ck_assert_str_eq(joined, "a, b, c");
        ck_assert_uint_eq(strv_length(copy), 3);
        ck_assert(strv_contains(strv, "b") && !strv_contains(strv, "bb"));
        strv_remove(strv, "bb");
        strv_remove(strv, "b");
        ck_assert(strv_length(strv) == 2 && strv_contains(strv, "c") && !strv_contains(strv, "b"));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("string");

        tcase_add_test(tests, a_number_is_decimal_digits_up_to_its_limit);
        tcase_add_test(tests, printable_utf8_has_no_controls_and_nothing_malformed);
        tcase_add_test(tests, what_is_not_printable_becomes_question_marks_and_the_rest_stays);
        tcase_add_test(tests, quotable_text_is_short_printable_ascii);
        tcase_add_test(tests, equality_and_emptiness_take_null);
        tcase_add_test(tests, a_prefix_is_cut_off_only_where_it_is);
        tcase_add_test(tests, a_string_is_replaced_by_a_copy_of_its_own_part);
        tcase_add_test(tests, appending_begins_with_nothing);
        tcase_add_test(tests, an_array_of_strings_may_be_null);
        tcase_add_test(tests, an_array_of_strings_grows_sorts_copies_and_joins);
        return tests_run(tests);
}
