/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Loading kernel modules, and the vfio aliases of those installed. */

#include "daemon/kernel/roots.h"

/*
 * Runs the system's modprobe (the one /proc/sys/kernel/modprobe names) and waits for it: call it
 * from a worker. `name` is a module or a modalias; a modalias honours the blacklist. 0, -ENOENT
 * when modprobe knows no such module, or -errno of running it.
 */
int module_load(const Roots *roots, const char *name);

/* Calls `line` for every line of modules.alias until it returns negative, which is returned. */
int module_read_aliases(const Roots *roots, int (*line)(void *userdata, const char *line),
                        void *userdata);
