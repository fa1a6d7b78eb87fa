/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/json.h"

#include <errno.h>
#include <inttypes.h>

#include "daemon/util/string.h"

int json_add(json_object *object, const char *key, json_object *value) {
        if (!value)
                return -ENOMEM;
        if (json_object_object_add(object, key, value) != 0) {
                json_object_put(value);
                return -ENOMEM;
        }
        return 0;
}

int json_append(json_object *array, json_object *value) {
        if (!value)
                return -ENOMEM;
        if (json_object_array_add(array, value) != 0) {
                json_object_put(value);
                return -ENOMEM;
        }
        return 0;
}

typedef union Basic {
        uint8_t u8;
        int boolean; /* sd-bus reads a boolean into an int */
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        double d;
        const char *s; /* borrowed from the message */
        int fd;        /* borrowed from the message */
} Basic;

static json_object *json_from_basic(char type, const Basic *value) {
        switch (type) {
        case SD_BUS_TYPE_BYTE:
                return json_object_new_int(value->u8);
        case SD_BUS_TYPE_BOOLEAN:
                return json_object_new_boolean(value->boolean);
        case SD_BUS_TYPE_INT16:
                return json_object_new_int(value->i16);
        case SD_BUS_TYPE_UINT16:
                return json_object_new_int(value->u16);
        case SD_BUS_TYPE_INT32:
                return json_object_new_int(value->i32);
        case SD_BUS_TYPE_UINT32:
                return json_object_new_int64(value->u32);
        case SD_BUS_TYPE_INT64:
                return json_object_new_int64(value->i64);
        case SD_BUS_TYPE_UINT64:
                return json_object_new_uint64(value->u64);
        case SD_BUS_TYPE_DOUBLE:
                return json_object_new_double(value->d);
        case SD_BUS_TYPE_UNIX_FD:
                return json_object_new_int(value->fd);
        default:
                return json_object_new_string(value->s);
        }
}

/* {kv}, into `object`. A key that is no string is written as one. */
static int read_entry(sd_bus_message *m, const char *contents, json_object *object) {
        _cleanup_json_ json_object *key = NULL, *value = NULL;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, contents);
        if (r < 0)
                return r;
        r = json_from_message(m, &key);
        if (r < 0)
                return r;
        r = json_from_message(m, &value);
        if (r < 0)
                return r;
        r = json_add(object, json_object_get_string(key), TAKE_PTR(value));
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

/* The elements of an array or struct that has been entered. */
static int read_elements(sd_bus_message *m, json_object *array) {
        int r;

        while ((r = sd_bus_message_at_end(m, 0)) == 0) {
                json_object *element = NULL;

                r = json_from_message(m, &element);
                if (r < 0)
                        return r;
                r = json_append(array, element);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : 0;
}

static int read_dictionary(sd_bus_message *m, const char *contents, json_object *object) {
        _cleanup_free_ char *entry = strndup(contents + 1, strlen(contents) - 2);
        int r;

        if (!entry)
                return -ENOMEM;
        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, contents);
        if (r < 0)
                return r;
        while ((r = sd_bus_message_at_end(m, 0)) == 0) {
                r = read_entry(m, entry, object);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_sequence(sd_bus_message *m, char type, const char *contents, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();
        int r;

        if (!array)
                return -ENOMEM;
        r = sd_bus_message_enter_container(m, type, contents);
        if (r < 0)
                return r;
        r = read_elements(m, array);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(array);
        return 0;
}

static int read_variant(sd_bus_message *m, const char *contents, json_object **ret) {
        _cleanup_json_ json_object *value = NULL;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, contents);
        if (r < 0)
                return r;
        r = json_from_message(m, &value);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(value);
        return 0;
}

int json_from_message(sd_bus_message *m, json_object **ret) {
        _cleanup_json_ json_object *object = NULL;
        const char *contents;
        Basic value;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (r == 0)
                return -EBADMSG;
        if (type == SD_BUS_TYPE_VARIANT)
                return read_variant(m, contents, ret);
        if (type == SD_BUS_TYPE_STRUCT || (type == SD_BUS_TYPE_ARRAY && contents[0] != '{'))
                return read_sequence(m, type, contents, ret);

        if (type == SD_BUS_TYPE_ARRAY) {
                object = json_object_new_object();
                r = object ? read_dictionary(m, contents, object) : -ENOMEM;
        } else {
                r = sd_bus_message_read_basic(m, type, &value);
                if (r >= 0)
                        object = json_from_basic(type, &value);
        }
        if (r < 0)
                return r;
        if (!object)
                return -ENOMEM;
        *ret = TAKE_PTR(object);
        return 0;
}

int json_from_object(sd_bus_message *m, json_object **ret) {
        _cleanup_json_ json_object *object = json_object_new_object();
        const char *path;
        int r;

        if (!object)
                return -ENOMEM;
        r = sd_bus_message_read_basic(m, SD_BUS_TYPE_OBJECT_PATH, &path);
        if (r < 0)
                return r;
        r = json_add(object, "Path", json_object_new_string(path));
        if (r < 0)
                return r;
        r = read_dictionary(m, "{sv}", object);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(object);
        return 0;
}

int json_from_objects(sd_bus_message *m, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();
        int r;

        if (!array)
                return -ENOMEM;
        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(oa{sv})");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT, "oa{sv}")) > 0) {
                json_object *object = NULL;

                r = json_from_object(m, &object);
                if (r < 0)
                        return r;
                r = json_append(array, object);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(array);
        return sd_bus_message_exit_container(m);
}

static char *array_to_text(json_object *array) {
        _cleanup_free_ char *text = NULL;
        size_t n = json_object_array_length(array);

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *element = json_to_text(json_object_array_get_idx(array, i));

                if (!element || string_append(&text, "%s%s", i > 0 ? ", " : "", element) < 0)
                        return NULL;
        }
        return text ? TAKE_PTR(text) : strdup("-");
}

char *json_to_text(json_object *value) {
        switch (json_object_get_type(value)) {
        case json_type_string:
                if (json_object_get_string_len(value) == 0)
                        return strdup("-");
                return strdup(json_object_get_string(value));
        case json_type_boolean:
                return strdup(json_object_get_boolean(value) ? "yes" : "no");
        case json_type_array:
                return array_to_text(value);
        case json_type_null:
        case json_type_double:
        case json_type_int:
        case json_type_object:
                break;
        }
        return strdup(json_object_to_json_string_ext(
                value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

const char *json_get_string(json_object *object, const char *key) {
        json_object *value = json_object_object_get(object, key);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

uint64_t json_get_u64(json_object *object, const char *key) {
        return json_object_get_uint64(json_object_object_get(object, key));
}

bool json_get_bool(json_object *object, const char *key) {
        return json_object_get_boolean(json_object_object_get(object, key));
}

static void json_write(FILE *f, json_object *value, int flags) {
        fputs(json_object_to_json_string_ext(value, flags | JSON_C_TO_STRING_NOSLASHESCAPE), f);
        fputc('\n', f);
        fflush(f);
}

void json_write_document(FILE *f, json_object *value) {
        json_write(f, value, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

void json_write_line(FILE *f, json_object *value) {
        json_write(f, value, JSON_C_TO_STRING_PLAIN);
}
