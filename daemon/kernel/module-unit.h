/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Kernel modules loaded by systemd: vfiod's own unit may load none (systemd/vfiod.service.in), and
 * the manager may. Which modules, and what else there is to do, is daemon/kernel/module.h.
 */

#include "daemon/kernel/roots.h"

/*
 * Starts modprobe@NAME.service and waits for its end: call it from a worker. That unit ends well
 * whatever becomes of the module, so look whether it is there; it honours the blacklist. `name` is
 * a module with underscores or a modalias; -EINVAL for one that no unit can be named after. Also
 * -errno of asking.
 */
int module_start_unit(const Roots *roots, const char *name);
