/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What every unit test has in common: one suite a file, reported as TAP, each test in a process of
 * its own that must end with as many open files as it began with. With ASan, a leak fails its test.
 */

/* Prototypes with no parameters are how Check declares its tests. */
#include <check.h>
#include <stddef.h>

/* The test case that the tests of a file are added to. */
TCase *tests_new(const char *module);

/* Runs it. What main() returns: 0 whatever failed, because TAP says that. */
int tests_run(TCase *tests);

/* Open files of this process. */
size_t count_fds(void);

/* Compares texts that may be NULL, naming the row of a table on a difference. */
#define assert_row_str(row, actual, expected)                                                      \
        do {                                                                                       \
                const char *_actual = (actual), *_expected = (expected);                           \
                ck_assert_msg((!_actual && !_expected) ||                                          \
                                      (_actual && _expected && strcmp(_actual, _expected) == 0),   \
                              "row %s: got '%s', expected '%s'", (row), _actual ?: "(null)",       \
                              _expected ?: "(null)");                                              \
        } while (0)
