/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/util/clock.h */

#include "daemon/util/clock.h"

#include <stdlib.h>

#include "tests/unit/fixture-check.h"

START_TEST(the_clock_counts_microseconds_and_does_not_go_back) {
        uint64_t first = clock_now(CLOCK_MONOTONIC);
        uint64_t second = clock_now(CLOCK_MONOTONIC);
        uint64_t since_1970 = clock_now(CLOCK_REALTIME);

        ck_assert_uint_ge(second, first);
        ck_assert_uint_lt(second - first, 10 * 1000 * 1000);
        ck_assert_int_le(llabs((long long)(since_1970 / 1000000) - (long long)time(NULL)), 1);
}
END_TEST

START_TEST(pauses_double_from_the_first_to_the_last) {
        uint64_t pause = 0;
        static const uint64_t pauses[] = {30, 60, 100, 100};

        for (size_t i = 0; i < 4; i++) {
                pause = clock_back_off(pause, 30, 100);
                ck_assert_uint_eq(pause, pauses[i]);
        }
        ck_assert_uint_eq(clock_back_off(0, 500, 100), 100);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("clock");

        tcase_add_test(tests, the_clock_counts_microseconds_and_does_not_go_back);
        tcase_add_test(tests, pauses_double_from_the_first_to_the_last);
        return tests_run(tests);
}
