/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Processes that hold what was granted, and are no children of the test, which is vfiod too. */

#include <stdbool.h>
#include <sys/types.h>

#include "tests/bus/fixture-bus.h"

/*
 * Hands what the test has of the grant over to a process of its own, whose parent is not the test.
 * `ignored`: a signal that it does not die of; 0 for none.
 */
pid_t hand_over(Grant *grant, int ignored);
bool is_alive(pid_t pid);

/* Closes the files of one kind. */
void grant_close(Grant *grant, const char *kind);
