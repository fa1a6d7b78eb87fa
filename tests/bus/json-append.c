/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/bus/json-append.h"

#include <errno.h>
#include <stdint.h>

#include "daemon/util/string.h"

static int append_value(sd_bus_message *m, const char *type, json_object *value);

static int append_array(sd_bus_message *m, const char *element, json_object *value) {
        size_t n =
                json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', element);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = append_value(m, element, json_object_array_get_idx(value, i));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_entry(sd_bus_message *m, const char *contents, const char *key,
                        json_object *value) {
        int r;

        r = sd_bus_message_open_container(m, 'e', contents);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", key);
        if (r >= 0)
                r = append_value(m, contents + 1, value);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* "{sv}": a key that is a string, and one complete type. */
static int append_dictionary(sd_bus_message *m, const char *entry, json_object *value) {
        _cleanup_free_ char *contents = strndup(entry + 1, strlen(entry) - 2);
        int r = contents ? sd_bus_message_open_container(m, 'a', entry) : -ENOMEM;

        json_object_object_foreach(value, key, content) {
                if (r >= 0)
                        r = append_entry(m, contents, key, content);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static const char *type_in_variant(json_object *value) {
        switch (json_object_get_type(value)) {
        case json_type_boolean:
                return "b";
        case json_type_int:
                return "t";
        case json_type_array:
                return "as";
        case json_type_object:
                return "a{st}";
        default:
                return json_object_get_string(value)[0] == '/' ? "o" : "s";
        }
}

static int append_variant(sd_bus_message *m, json_object *value) {
        const char *type = type_in_variant(value);
        int r;

        r = sd_bus_message_open_container(m, 'v', type);
        if (r >= 0)
                r = append_value(m, type, value);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(sd_bus_message *m, const char *type, json_object *value) {
        switch (type[0]) {
        case 'a':
                return type[1] == '{' ? append_dictionary(m, type + 1, value)
                                      : append_array(m, type + 1, value);
        case 'v':
                return append_variant(m, value);
        case 's':
        case 'o':
                return sd_bus_message_append_basic(m, type[0], json_object_get_string(value));
        case 'b':
                return sd_bus_message_append(m, "b", json_object_get_boolean(value));
        case 'u':
                return sd_bus_message_append(m, "u", (uint32_t)json_object_get_int64(value));
        case 't':
                return sd_bus_message_append(m, "t", json_object_get_uint64(value));
        default:
                return -EOPNOTSUPP;
        }
}

/* The length of the complete type at the beginning of a signature; 0 for none. */
static size_t type_length(const char *signature) {
        size_t n = 0, depth = 0;

        while (signature[n] == 'a')
                n++;
        do {
                if (signature[n] == '\0')
                        return 0;
                depth += signature[n] == '{' || signature[n] == '(';
                depth -= signature[n] == '}' || signature[n] == ')';
                n++;
        } while (depth > 0);
        return n;
}

int json_append_arguments(sd_bus_message *m, const char *signature, json_object *values) {
        size_t i = 0, n;
        int r = 0;

        for (; r >= 0 && signature[0] != '\0'; signature += n) {
                _cleanup_free_ char *type = NULL;

                n = type_length(signature);
                type = n > 0 ? strndup(signature, n) : NULL;
                if (!type || i >= json_object_array_length(values))
                        return -EINVAL;
                r = append_value(m, type, json_object_array_get_idx(values, i++));
        }
        return r < 0 || i == json_object_array_length(values) ? r : -EINVAL;
}
