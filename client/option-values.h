/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What each option does to the Arguments, and which values make sense. What is for vfiod to judge
 * is passed on as it was typed. Pure.
 */

#include "client/arguments.h"
#include "client/options.h"

/*
 * `value` is NULL for none, and there is one where the option must have it; it is borrowed by `a`
 * from then on. 0, -ENOMEM, or -EINVAL with a sentence in *reterr (client/wrong.h). Whatever comes
 * of it, arguments_done() frees what `a` owns.
 */
int option_set(const Option *option, const char *value, Arguments *a, char **reterr);
