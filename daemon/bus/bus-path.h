/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Object paths and back. Paths are allocated; NULL when memory ran out. */

#include <stdint.h>

char *path_of_group(uint32_t number);
char *path_of_device(const char *name);
char *path_of_lease(uint32_t id);

/* -EINVAL for a path that is not of this kind. */
int path_to_group(const char *path, uint32_t *ret);
int path_to_device(const char *path, char **ret);
int path_to_lease(const char *path, uint32_t *ret);
