/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The placeholders in the arguments of `vfioctl exec`, each replaced by an fd number:
 *
 *     {lease} {container} {group} {group:3} {device} {device:0000:01:00.0}
 *
 * {group} and {device} without a name mean the only one there is. "{{" is one literal brace; a
 * closing brace that ends no placeholder is itself. Pure: asks nobody, opens nothing.
 *
 * Both return 0, -EINVAL with a sentence in *reterr (owned by the caller), or -ENOMEM.
 */

#include <stdbool.h>

#include "client/grant.h"

/*
 * What can be known before anything is acquired: syntax, and kinds of file that there will not be
 * (no device files without `devices`).
 */
int substitute_check(const char *argument, bool devices, char **reterr);

int substitute(const char *argument, const Grant *grant, char **ret, char **reterr);
