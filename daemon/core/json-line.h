/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Lines in JSON text, for messages: json-c tells offsets of syntax errors and nothing of where a
 * key stands.
 */

#include <stddef.h>

/* The line, from 1, of the byte at `offset`. */
unsigned json_line_of_offset(const char *text, size_t offset);

/*
 * The line of the last occurrence (the one that json-c keeps) of the key at `path`, NULL-terminated
 * names from the outermost object inwards. 0 when there is none. `text` must be valid JSON.
 */
unsigned json_line_of_key(const char *text, const char *const *path);
