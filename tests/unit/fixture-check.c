/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the suite of a test program and the count of its open files. */

#include "tests/unit/fixture-check.h"

#include <dirent.h>
#include <stdlib.h>

static Suite *suite;
static size_t fds_before;

size_t count_fds(void) {
        DIR *dir = opendir("/proc/self/fd");
        size_t n = 0;

        ck_assert_ptr_nonnull(dir);
        while (readdir(dir))
                n++;
        (void)closedir(dir);
        return n;
}

static void remember_fds(void) {
        fds_before = count_fds();
}

static void compare_fds(void) {
        ck_assert_uint_eq(count_fds(), fds_before);
}

TCase *tests_new(const char *module) {
        TCase *tests = tcase_create(module);

        suite = suite_create(module);
        suite_add_tcase(suite, tests);
        tcase_add_checked_fixture(tests, remember_fds, compare_fds);
        /* Sanitisers on a busy machine are slow; a test that hangs is ended all the same. */
        tcase_set_timeout(tests, 60);
        return tests;
}

int tests_run(TCase *tests) {
        SRunner *runner = srunner_create(suite);

        (void)tests;
        srunner_set_tap(runner, "-");
        srunner_run_all(runner, CK_SILENT);
        srunner_free(runner);
        return EXIT_SUCCESS;
}
