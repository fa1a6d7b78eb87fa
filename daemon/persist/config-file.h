/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Finding and reading configuration files: vfiod.json, then vfiod.json.d/NAME.json in the order of
 * their names, below one directory. What is in them is the reader's business.
 */

/* 0, or negative to stop; `file` is the path to name in messages. */
typedef int (*ConfigFileRead)(void *userdata, const char *file, const char *text);

/*
 * Files that do not exist are passed over. Stops at the first that cannot be read, with its path in
 * *ret_failed (allocated), or at the first that `read` does not take (*ret_failed stays NULL).
 */
int config_files_read(const char *directory, ConfigFileRead read, void *userdata,
                      char **ret_failed);
