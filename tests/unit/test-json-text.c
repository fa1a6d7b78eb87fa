/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/json-text.h */

#include "daemon/core/json-text.h"

#include <json-c/json.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static struct json_object *parse(const char *text) {
        const char *problem;
        size_t at;

        return json_text_parse(text, &problem, &at);
}

START_TEST(characters_of_every_length_are_read_as_they_are) {
        static const char *const words[] = {"Müller", "日本", "a😀b", "ü"};

        for (size_t i = 0; i < ELEMENTS(words); i++) {
                _cleanup_free_ char *text = string_format("{\"%s\": \"%s\"}", words[i], words[i]);
                __attribute__((cleanup(json_object_putp))) struct json_object *root = parse(text);
                struct json_object *value;

                ck_assert_msg(root, "%s", text);
                ck_assert(json_object_object_get_ex(root, words[i], &value));
                ck_assert_str_eq(json_object_get_string(value), words[i]);
        }
}
END_TEST

START_TEST(a_problem_behind_them_is_found_where_it_is) {
        static const char text[] = "{\"ü😀日\": 1,, \"b\": 2}";
        const char *problem;
        size_t at;

        ck_assert_ptr_null(json_text_parse(text, &problem, &at));
        ck_assert_uint_eq(at, strstr(text, ",,") + 1 - text);
}
END_TEST

START_TEST(what_is_no_object_or_has_something_behind_it_is_refused) {
        ck_assert_ptr_null(parse("{\"a\": 1} ü"));
        ck_assert_ptr_null(parse("{ü: 1}"));
        ck_assert_ptr_null(parse("[1]"));
}
END_TEST

START_TEST(what_is_cut_off_in_the_middle_of_a_character_is_not_read_past_its_end) {
        ck_assert_ptr_null(parse("{\"a\": \"\xf0\x9f\x98"));
        ck_assert_ptr_null(parse("{\"a\": \"\xc3"));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("json-text");

        tcase_add_test(tests, characters_of_every_length_are_read_as_they_are);
        tcase_add_test(tests, a_problem_behind_them_is_found_where_it_is);
        tcase_add_test(tests, what_is_no_object_or_has_something_behind_it_is_refused);
        tcase_add_test(tests,
                       what_is_cut_off_in_the_middle_of_a_character_is_not_read_past_its_end);
        return tests_run(tests);
}
