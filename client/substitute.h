/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The placeholders in the arguments of `vfioctl exec`, each replaced by an fd number:
 *
 *     {lease} {container} {group} {group:3} {device} {device:0000:01:00.0}
 *             {iommufd} {cdev} {cdev:0000:01:00.0}
 *
 * {group}, {device} and {cdev} without a name mean the only one there is. "{{" is one literal
 * brace; a closing brace that ends no placeholder is itself. Asks nobody, opens nothing.
 *
 * Both return 0, -EINVAL with a sentence in *reterr (owned by the caller), or -ENOMEM.
 */

#include "client/lib/vfiod.h"

/*
 * What can be known before anything is acquired: syntax, and kinds of file that there will not be.
 * `prepare` and *mode are as of the options, NULL where they are left to vfiod; a mode that is left
 * becomes the one that the placeholders are of, so that a command decides by what it takes.
 */
int substitute_check(const char *argument, const char *prepare, const char **mode, char **reterr);

int substitute(const char *argument, const vfiod_lease *lease, char **ret, char **reterr);
