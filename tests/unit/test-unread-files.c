/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/bus/unread-files.h */

#include "daemon/bus/unread-files.h"

#include "tests/unit/fixture-check.h"

START_TEST(what_was_sent_is_unread_until_something_is_told) {
        UnreadFiles files = {0};

        unread_files_sent(&files, 5);
        unread_files_sent(&files, 3);
        ck_assert_uint_eq(files.at_most, 8);
        unread_files_told(&files, unread_files_mark(&files), 2);
        ck_assert_uint_eq(files.at_most, 2);
}
END_TEST

START_TEST(an_answer_does_not_know_what_was_sent_after_its_question) {
        UnreadFiles files = {0};
        uint64_t first, second;

        unread_files_sent(&files, 16);
        first = unread_files_mark(&files);
        second = unread_files_mark(&files);
        unread_files_told(&files, first, 0);
        unread_files_sent(&files, 16);
        /* The second was answered before the last 16 were sent. */
        unread_files_told(&files, second, 0);
        ck_assert_uint_eq(files.at_most, 16);
        unread_files_told(&files, unread_files_mark(&files), 7);
        ck_assert_uint_eq(files.at_most, 7);
}
END_TEST

START_TEST(an_answer_never_makes_it_more) {
        UnreadFiles files = {0};
        uint64_t mark = unread_files_mark(&files);

        unread_files_sent(&files, 4);
        unread_files_told(&files, mark, 9);
        ck_assert_uint_eq(files.at_most, 4);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("unread-files");

        tcase_add_test(tests, what_was_sent_is_unread_until_something_is_told);
        tcase_add_test(tests, an_answer_does_not_know_what_was_sent_after_its_question);
        tcase_add_test(tests, an_answer_never_makes_it_more);
        return tests_run(tests);
}
