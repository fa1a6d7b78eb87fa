/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reading and writing attributes, tables, links and directories below a directory fd. Functions
 * return 0 or -errno straight from the call; what they return through ret_ is allocated and the
 * caller's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An attribute's text without its last newline; at most one page
 * (Documentation/filesystems/sysfs.rst). */
int sysfs_read(int dir_fd, const char *path, char **ret);

/* As sysfs_read(), but "" where there is no such attribute. */
int sysfs_read_optional(int dir_fd, const char *path, char **ret);

/* One write(2) of the whole text, as sysfs wants it. */
int sysfs_write(int dir_fd, const char *path, const char *text);

/* Gives each line to `line` until it returns less than 0, which is then returned. */
int sysfs_read_lines(int dir_fd, const char *path, int (*line)(void *userdata, const char *line),
                     void *userdata);

/* What a link points to, as it is written there; "" where there is no such link. */
int sysfs_read_target(int dir_fd, const char *path, char **ret);

/* Where a link leads below /sys/devices, "pci0000:00/0000:00:01.0"; "" where it leads
 * nowhere, or is no link. */
int sysfs_read_place(int dir_fd, const char *path, char **ret);

/* The last component of what a link points to; "" where there is no such link. */
int sysfs_read_link(int dir_fd, const char *path, char **ret);

/* The entries of a directory, sorted; NULL where it does not exist. */
int sysfs_list(int dir_fd, const char *path, char ***ret);

bool sysfs_exists(int dir_fd, const char *path);
