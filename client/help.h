/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What --help and the verb help print: from the table of verbs that they are given, that of options
 * (client/options.h) and the exit statuses. Errors are those of the FILE, for who closes it.
 */

#include <stdio.h>

#include "client/arguments.h"

/* Of vfioctl as a whole: all verbs, and the options of every verb. */
void help_print(FILE *f, const Verb *verbs);
/* Of a verb alone, with all options that it takes. */
void help_print_verb(FILE *f, const Verb *verb);
