/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Death at a chosen step, for the lab's kill-* cases. Only a build with -Dtest-hooks=true has it:
 * otherwise nothing is compiled of this.
 *
 * The file `kill` in vfiod's run directory says whom and before which step, in two lines for each
 * order:
 *      worker | vfiod | both | nobody
 *      the step, as Plan describes it; or any
 * The first order is obeyed by the worker that comes to such a step, and struck out; the file goes
 * with the last one. With `vfiod` alone the worker goes on, with nobody to hear of it.
 */

#include "daemon/core/plan.h"
#include "daemon/kernel/roots.h"

#ifdef VFIOD_TEST_HOOKS
void test_hook_before(const Roots *roots, pid_t vfiod, const Step *step);
#else
static inline void test_hook_before(const Roots *roots _unused_, pid_t vfiod _unused_,
                                    const Step *step _unused_) {
}
#endif
