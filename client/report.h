/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one place that writes errors: one line on stderr,
 *
 *     vfioctl: group 3 is not viable: ... [org.vfiod1.Error.NotViable]
 *
 * or with --json one object a line, {"Error": NAME, "Message": SENTENCE, "Status": NUMBER}.
 * Every function returns the exit status it was given, so that a verb can return its result.
 */

#include <stdbool.h>

#include "client/status.h"
#include "daemon/util/cleanup.h"

/* From here on errors are JSON. */
void report_as_json(bool json);

/* `error` is the D-Bus error name, NULL for what has none (wrong usage). */
int report(ExitStatus status, const char *error, const char *format, ...) _printf_(3, 4);

/* A failure of this process itself, such as -ENOMEM. */
int report_errno(int r, const char *what);

/* A sentence on stderr that is no error; silent with --json. */
void report_note(const char *format, ...) _printf_(1, 2);
