/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A whole text as one JSON object, strictly: nothing stands behind it. */

#include <stddef.h>

struct json_object;

/*
 * The object, owned by the caller; or NULL with *ret_problem, a static phrase such as "unexpected
 * end of data", and *ret_at, the offset in the text where it is.
 */
struct json_object *json_text_parse(const char *text, const char **ret_problem, size_t *ret_at);

/* For _cleanup_(). */
void json_object_putp(struct json_object **object);
