/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is wrong with a command line, as a sentence. */

/*
 * Takes `sentence`, which is owned and may be NULL for want of memory. The first thing that is
 * wrong is the one to tell: it stays in *reterr, which owns it, and a later one is freed. -EINVAL,
 * or -ENOMEM where there is no sentence.
 */
int wrong(char **reterr, char *sentence);
