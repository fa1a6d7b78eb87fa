/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/kept-room.h: what systemd can keep over a restart. */

#include "daemon/broker/kept-room.h"

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

#define STORE_MAX 8192

static const struct {
        KeptFiles files;
        bool fit;
} cases[] = {
        {{.n = 0}, true},
        {{.n = 2000, .name_bytes = 2000 * 36}, true},
        {{.n = STORE_MAX - 4, .name_bytes = 100}, true},
        {{.n = STORE_MAX - 3, .name_bytes = 100}, false},
        {{.n = 10, .name_bytes = 130 * 1000}, true},
        {{.n = 10, .name_bytes = 131 * 1000}, false},
        {{.n = 4200, .name_bytes = 4200 * 34}, false},
};

START_TEST(files_fit_by_their_number_and_by_their_names) {
        ck_assert_int_eq(kept_files_fit(&cases[_i].files, STORE_MAX), cases[_i].fit);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("kept-room");

        tcase_add_loop_test(tests, files_fit_by_their_number_and_by_their_names, 0,
                            ELEMENTS(cases));
        return tests_run(tests);
}
