/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which devices targets stand for, where a verb is about devices and not about groups. */

#include <stdbool.h>

#include "client/lib/lib-private.h"

/*
 * Full names, in the order of the targets: of a device, that device; of a group, its members on a
 * vfio driver, or with `bind` those that would be on one after Bind.
 *
 * 0, or -errno as of a connection's calls, or -ENODEV with a sentence in *reterr (owned by the
 * caller) where a group has none.
 */
int devices_of_targets(vfiod_connection *c, char **targets, bool bind, char ***ret, char **reterr);
