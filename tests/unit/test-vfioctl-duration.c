/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* client/duration.h: lengths of time, typed and read. */

#include "client/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

START_TEST(a_number_is_of_seconds_unless_its_unit_says_otherwise) {
        static const struct {
                const char *text;
                uint64_t milliseconds;
        } rows[] = {
                {"0", 0},
                {"90", 90000},
                {"007", 7000},
                {"10s", 10000},
                {"500ms", 500},
                {"2m", 120000},
                {"1000000", 1000000000},
                {"1000000s", 1000000000},
                {"1000000000ms", 1000000000},
                {"16666m", 999960000},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                uint64_t milliseconds = UINT64_MAX;

                ck_assert_int_eq(duration_parse(rows[i].text, &milliseconds), 0);
                ck_assert_msg(milliseconds == rows[i].milliseconds, "'%s' gives %" PRIu64,
                              rows[i].text, milliseconds);
        }
}
END_TEST

START_TEST(any_other_text_is_no_time) {
        static const char *const rows[] = {
                "",    "s",   "ms", "m",    "x",  "-1",   "+1",   " 1",    "1 ",   "1 s",
                "1.5", "1,5", "1h", "1min", "1S", "1sec", "1mss", "1m30s", "0x10", "1e3",
                "--",  "5ss", "٥",  "ever", "0x", "1\n",  "=5",   "5m5",   "inf",  "1us",
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                uint64_t milliseconds = 7;

                ck_assert_msg(duration_parse(rows[i], &milliseconds) == -EINVAL, "'%s' was taken",
                              rows[i]);
                ck_assert_uint_eq(milliseconds, 7);
        }
}
END_TEST

START_TEST(too_long_a_time_does_not_wrap_around) {
        static const char *const rows[] = {
                "1000001",
                "1000001s",
                "1000000001ms",
                "16667m",
                "18446744073709551615",
                "18446744073709551616",
                "18446744073709552ms",
                "307445734561826m",
                "99999999999999999999999999999999999999999",
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                uint64_t milliseconds = 7;

                ck_assert_msg(duration_parse(rows[i], &milliseconds) == -ERANGE, "'%s' was taken",
                              rows[i]);
                ck_assert_uint_eq(milliseconds, 7);
        }
}
END_TEST

START_TEST(a_time_is_read_in_one_unit) {
        static const struct {
                uint64_t microseconds;
                const char *expected;
        } rows[] = {
                {0, "0 s"},
                {1, "1 s"},
                {1000000, "1 s"},
                {1000001, "2 s"},
                {12000000, "12 s"},
                {120000000, "120 s"},
                {120000001, "2 min"},
                {179000000, "2 min"},
                {UINT64_C(7200) * 1000000, "120 min"},
                {UINT64_C(10799) * 1000000, "2 h"},
                {UINT64_MAX, "5124095576 h"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *text = duration_text(rows[i].microseconds);

                assert_row_str(rows[i].expected, text, rows[i].expected);
        }
}
END_TEST

START_TEST(a_lease_that_is_asked_back_says_how_long_it_has) {
        static const struct {
                const char *state;
                uint64_t deadline, now;
                const char *expected;
        } rows[] = {
                {"held", 0, 100, "held"},
                {"draining", 9000000, 1000000, "draining"},
                {"releasing", 0, 1000000, "releasing"},
                {"releasing", 9000000, 1000000, "releasing, 8 s left"},
                {"releasing", 9000000, 9000000, "releasing, 0 s left"},
                {"releasing", 9000000, 9000001, "releasing, 0 s left"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *text =
                        lease_state_text(rows[i].state, rows[i].deadline, rows[i].now);

                assert_row_str(rows[i].expected, text, rows[i].expected);
        }
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfioctl-duration");

        tcase_add_test(tests, a_number_is_of_seconds_unless_its_unit_says_otherwise);
        tcase_add_test(tests, any_other_text_is_no_time);
        tcase_add_test(tests, too_long_a_time_does_not_wrap_around);
        tcase_add_test(tests, a_time_is_read_in_one_unit);
        tcase_add_test(tests, a_lease_that_is_asked_back_says_how_long_it_has);
        return tests_run(tests);
}
