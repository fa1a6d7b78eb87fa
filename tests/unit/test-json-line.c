/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/json-line.h */

#include "daemon/core/json-line.h"

#include "daemon/util/cleanup.h"
#include "tests/unit/fixture-check.h"

START_TEST(the_line_of_an_offset_counts_newlines_before_it) {
        ck_assert_uint_eq(json_line_of_offset("", 0), 1);
        ck_assert_uint_eq(json_line_of_offset("a\nb", 1), 1);
        ck_assert_uint_eq(json_line_of_offset("a\nb", 2), 2);
        ck_assert_uint_eq(json_line_of_offset("a\nb\n", 1000), 3);
}
END_TEST

START_TEST(a_key_is_found_at_its_path_and_nowhere_else) {
        static const struct {
                const char *text;
                const char *path[4];
                unsigned line;
        } rows[] = {
                {"{\n\"a\": 1}", {"a"}, 2},
                {"{\n\"a\"\n:\n1}", {"a"}, 2},
                {"{\"b\": 1}", {"a"}, 0},
                {"{\"x\": \"a\",\n\"a\": 1}", {"a"}, 2},
                {"{\"x\": {\"a\": 1},\n\"a\": 1}", {"a"}, 2},
                {"{\"x\": {\"a\": 1}}", {"a"}, 0},
                {"{\"a\": 1,\n\"x\": {\n\"a\": 1}}", {"x", "a"}, 3},
                {"{\"x\": {},\n\"a\": 1}", {"x", "a"}, 0},
                {"{\"x\": 1,\n\"y\": {\"a\": 1}}", {"x", "a"}, 0},
                {"{\"x\": [{\"a\": 1}]}", {"x", "a"}, 0},
                {"{\"x\": [1, 2],\n\"y\": {\"a\": 1}}", {"x", "a"}, 0},
                {"{\"x\": {\"b\": [1, {\"c\": 1}],\n\"a\": 1}}", {"x", "a"}, 2},
                {"{\"x\": {\"b\": {\"a\": 1}},\n\"y\": 1}", {"x", "a"}, 0},
                {"{\"x\": {\"y\": {\n\"a\": 1}}}", {"x", "y", "a"}, 2},
                {"{\"x\": {\"z\": {\"a\": 1},\n\"y\": {\"b\": 1, \"a\": 1}}}", {"x", "y", "a"}, 2},
                /* The last occurrence. */
                {"{\"a\": 1,\n\"a\": 2}", {"a"}, 2},
                {"{\"x\": {\"a\": 1},\n\"x\": {\"a\": 1}}", {"x", "a"}, 2},
                /* Strings with everything in them. */
                {"{\"s\": \"{\\\"a\\\": [\\\\\",\n\"a\": 1}", {"a"}, 2},
                {"{\"s\": \"}}]],,::\",\n\"a\": 1}", {"a"}, 2},
                {"{\"a\\\"b\": 1,\n\"a\": 1}", {"a"}, 2},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                unsigned line = json_line_of_key(rows[i].text, rows[i].path);

                ck_assert_msg(line == rows[i].line, "row %zu: line %u, expected %u", i, line,
                              rows[i].line);
        }
}
END_TEST

int main(void) {
        TCase *tests = tests_new("json-line");

        tcase_add_test(tests, the_line_of_an_offset_counts_newlines_before_it);
        tcase_add_test(tests, a_key_is_found_at_its_path_and_nowhere_else);
        return tests_run(tests);
}
