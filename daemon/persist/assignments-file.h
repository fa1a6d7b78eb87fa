/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where assignments are kept: assignments.json in the directory of the configuration. What is in it
 * is the caller's business (daemon/core/assignment.h).
 */

#include <stdint.h>

#define ASSIGNMENTS_FILE "assignments.json"

/* ASSIGNMENTS_MAX entries are smaller. */
#define ASSIGNMENTS_FILE_MAX (2U << 20)

/*
 * The text; *ret stays NULL where there is no file. -errno with *ret_problem, a sentence that names
 * the file: it is not a plain file, not of the own user, writable by others, too large, has a NUL
 * in it, or cannot be read.
 */
int assignments_file_read(const char *directory, char **ret, char **ret_problem);

/* Replaces it as a whole, also over a power cut; without any text it goes. -errno leaves it. */
int assignments_file_write(const char *directory, const char *text);

/* Keeps other writers out, waiting for them, until the file that is returned is closed. -errno. */
int assignments_file_lock(const char *directory);
