/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/mode.h */

#include "daemon/core/mode.h"

#include "tests/unit/fixture-check.h"

START_TEST(every_mode_and_preparation_is_read_from_its_own_word) {
        Mode mode;
        Prepare prepare;

        for (int i = 0; i < _MODE_MAX; i++) {
                ck_assert(mode_parse(mode_name((Mode)i), &mode));
                ck_assert_int_eq(mode, i);
        }
        for (int i = 0; i < _PREPARE_MAX; i++) {
                ck_assert(prepare_parse(prepare_name((Prepare)i), &prepare));
                ck_assert_int_eq(prepare, i);
        }
}
END_TEST

START_TEST(the_words_are_those_of_the_interface) {
        ck_assert_str_eq(mode_name(MODE_AUTO), "auto");
        ck_assert_str_eq(mode_name(MODE_GROUP), "group");
        ck_assert_str_eq(mode_name(MODE_IOMMUFD), "iommufd");
        ck_assert_str_eq(prepare_name(PREPARE_ATTACH), "attach");
        ck_assert_str_eq(prepare_name(PREPARE_BIND), "bind");
        ck_assert_str_eq(prepare_name(PREPARE_OPEN), "open");
}
END_TEST

START_TEST(another_word_is_none_of_them) {
        Mode mode = MODE_IOMMUFD;
        Prepare prepare = PREPARE_BIND;

        ck_assert(!mode_parse("Group", &mode) && !mode_parse("", &mode));
        ck_assert(!prepare_parse("opened", &prepare) && !prepare_parse(NULL, &prepare));
        ck_assert_int_eq(mode, MODE_IOMMUFD);
        ck_assert_int_eq(prepare, PREPARE_BIND);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("mode");

        tcase_add_test(tests, every_mode_and_preparation_is_read_from_its_own_word);
        tcase_add_test(tests, the_words_are_those_of_the_interface);
        tcase_add_test(tests, another_word_is_none_of_them);
        return tests_run(tests);
}
