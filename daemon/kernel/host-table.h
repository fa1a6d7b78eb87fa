/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tables of proc(5) that say what the host uses. */

#include "daemon/kernel/roots.h"

/*
 * Gives each line to `line` until it returns less than 0, which is then returned: of the first of
 * the tables that is there. `paths` are below /proc, up to a NULL. A machine that lacks them all
 * has nothing in them; one that is there and cannot be read is -errno.
 */
int host_table_read(const Roots *roots, const char *const *paths,
                    int (*line)(void *userdata, const char *line), void *userdata);
