/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Loading kernel modules, and the vfio aliases of those installed. */

#include "daemon/kernel/roots.h"

/*
 * Loads a module and waits for it: call it from a worker. Where systemd runs, it is asked to
 * (daemon/kernel/module-unit.h); elsewhere the system's modprobe is run, the one that
 * /proc/sys/kernel/modprobe names. `name` is a module or a modalias; systemd's way honours the
 * blacklist for both, modprobe's for a modalias. 0, -ENOENT when there is no such module or it does
 * not load, or -errno of running or asking. Of a modalias systemd's way does not tell whether
 * anything was loaded.
 */
int module_load(const Roots *roots, const char *name);

/* Calls `line` for every line of modules.alias until it returns negative, which is returned. */
int module_read_aliases(const Roots *roots, int (*line)(void *userdata, const char *line),
                        void *userdata);
