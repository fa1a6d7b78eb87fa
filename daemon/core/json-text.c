/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/json-text.h"

#include <json-c/json.h>
#include <limits.h>
#include <string.h>

void json_object_putp(struct json_object **object) {
        if (*object)
                json_object_put(*object);
}

struct json_object *json_text_parse(const char *text, const char **ret_problem, size_t *ret_at) {
        struct json_tokener *tokener = json_tokener_new();
        struct json_object *root = NULL;
        size_t length = strlen(text);

        *ret_problem = "out of memory, or too long";
        *ret_at = 0;
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
