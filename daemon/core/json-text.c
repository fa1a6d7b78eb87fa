/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/json-text.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"

/* "\ud83d\ude00" */
#define ESCAPED_MAX 12

void json_object_putp(struct json_object **object) {
        if (*object)
                json_object_put(*object);
}

/* The length of the UTF-8 sequence at `s` that is no ASCII; 0 for anything else. */
static size_t decode(const char *s, uint32_t *ret) {
        const unsigned char *byte = (const unsigned char *)s;
        size_t n = byte[0] >= 0xf0 && byte[0] < 0xf8   ? 4
                   : byte[0] >= 0xe0 && byte[0] < 0xf0 ? 3
                   : byte[0] >= 0xc0 && byte[0] < 0xe0 ? 2
                                                       : 0;

        *ret = n > 0 ? byte[0] & (0xffU >> (n + 1)) : 0;
        for (size_t i = 1; i < n; i++) {
                if ((byte[i] & 0xc0) != 0x80)
                        return 0;
                *ret = *ret << 6 | (byte[i] & 0x3f);
        }
        return n;
}

/* What stands for the character at *text, which is passed over; its length. */
static size_t escape(const char **text, char out[ESCAPED_MAX + 1]) {
        uint32_t c;
        size_t n = decode(*text, &c);

        if (n == 0) {
                out[0] = *(*text)++;
                return 1;
        }
        *text += n;
        if (c < 0x10000)
                return (size_t)snprintf(out, ESCAPED_MAX + 1, "\\u%04x", c & 0xffff);
        c -= 0x10000;
        return (size_t)snprintf(out, ESCAPED_MAX + 1, "\\u%04x\\u%04x", 0xd800 | (c >> 10 & 0x3ff),
                                0xdc00 | (c & 0x3ff));
}

/*
 * Means the same in ASCII. json-c 0.17 and 0.18 take what is not for control characters, which no
 * string may have (json_tokener.c compares a char, which has a sign).
 */
static char *copy_escaped(const char *text) {
        /* Two bytes become six, at most. */
        char *copy = malloc(strlen(text) * 3 + ESCAPED_MAX + 1), *end = copy;

        while (copy && *text)
                end += escape(&text, end);
        if (copy)
                *end = '\0';
        return copy;
}

/* Where in the text is what is `at` in its copy. */
static size_t place_in_text(const char *text, size_t at) {
        const char *here = text, *next = text;
        char out[ESCAPED_MAX + 1];
        size_t n = 0;

        while (*here) {
                n += escape(&next, out);
                if (n > at)
                        break;
                here = next;
        }
        return (size_t)(here - text);
}

static struct json_object *parse(const char *text, const char **ret_problem, size_t *ret_at) {
        struct json_tokener *tokener = json_tokener_new();
        struct json_object *root = NULL;
        size_t length = strlen(text);

        if (!tokener)
                return NULL;
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
        if (length < INT_MAX) {
                root = json_tokener_parse_ex(tokener, text, (int)length + 1);
                *ret_at = json_tokener_get_parse_end(tokener);
                *ret_problem = "must be one JSON object";
                if (json_tokener_get_error(tokener) != json_tokener_success)
                        *ret_problem = json_tokener_error_desc(json_tokener_get_error(tokener));
        }
        json_tokener_free(tokener);
        if (root && json_object_is_type(root, json_type_object))
                return root;
        json_object_put(root);
        return NULL;
}

struct json_object *json_text_parse(const char *text, const char **ret_problem, size_t *ret_at) {
        _cleanup_free_ char *copy = copy_escaped(text);
        struct json_object *root;

        *ret_problem = "out of memory, or too long";
        *ret_at = 0;
        if (!copy)
                return NULL;
        root = parse(copy, ret_problem, ret_at);
        if (!root)
                *ret_at = place_in_text(text, *ret_at);
        return root;
}
