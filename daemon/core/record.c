/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/record.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/util/string.h"

typedef struct json_object JsonObject;

static void *member_of(void *record, size_t offset) {
        return (char *)record + offset;
}

static const void *const_member_of(const void *record, size_t offset) {
        return (const char *)record + offset;
}

/* Writing. */

/* Owns `item`, which may be NULL for no memory; false then, or when there is none for the array. */
static bool array_add(JsonObject *array, JsonObject *item) {
        if (item && json_object_array_add(array, item) == 0)
                return true;
        json_object_put(item);
        return false;
}

static JsonObject *write_numbers(const uint32_t *numbers, size_t n) {
        JsonObject *array = json_object_new_array();

        for (size_t i = 0; array && i < n; i++)
                if (!array_add(array, json_object_new_uint64(numbers[i]))) {
                        json_object_put(array);
                        return NULL;
                }
        return array;
}

static JsonObject *write_texts(char *const *texts) {
        JsonObject *array = json_object_new_array();

        for (; array && texts && *texts; texts++)
                if (!array_add(array, json_object_new_string(*texts))) {
                        json_object_put(array);
                        return NULL;
                }
        return array;
}

JsonObject *records_write(const RecordType *type, const void *items, size_t n) {
        JsonObject *array = json_object_new_array();

        for (size_t i = 0; array && i < n; i++)
                if (!array_add(array, record_write(type, const_member_of(items, i * type->size)))) {
                        json_object_put(array);
                        return NULL;
                }
        return array;
}

static JsonObject *write_field(const Field *field, const void *record) {
        const void *member = const_member_of(record, field->offset);
        const size_t *count = const_member_of(record, field->count);

        switch (field->type) {
        case FIELD_BOOLEAN:
                return json_object_new_boolean(*(const bool *)member);
        case FIELD_U32:
                return json_object_new_uint64(*(const uint32_t *)member);
        case FIELD_U64:
                return json_object_new_uint64(*(const uint64_t *)member);
        case FIELD_INT:
                return json_object_new_int(*(const int *)member);
        case FIELD_TEXT:
                return json_object_new_string(*(char *const *)member);
        case FIELD_WORD:
                return json_object_new_string(field->word(*(const unsigned *)member));
        case FIELD_NUMBERS:
                return write_numbers(*(uint32_t *const *)member, *count);
        case FIELD_TEXTS:
                return write_texts(*(char **const *)member);
        case FIELD_RECORDS:
                return records_write(field->of, *(void *const *)member, *count);
        }
        return NULL;
}

static bool is_null_text(const Field *field, const void *record) {
        return field->type == FIELD_TEXT && !*(char *const *)const_member_of(record, field->offset);
}

JsonObject *record_write(const RecordType *type, const void *record) {
        JsonObject *json = json_object_new_object();

        for (size_t i = 0; json && i < type->n_fields; i++) {
                const Field *field = &type->fields[i];
                bool null = is_null_text(field, record);
                JsonObject *value = null ? NULL : write_field(field, record);

                if ((!value && !null) || json_object_object_add(json, field->name, value) < 0) {
                        json_object_put(value);
                        json_object_put(json);
                        return NULL;
                }
        }
        return json;
}

/* Reading. */

int record_complain(char **error, const char *path, const char *problem) {
        char *text;

        if (*error)
                text = string_format("%s%s%s", path, strchr("[:", (*error)[0]) ? "" : ".", *error);
        else
                text = string_format("%s: %s", path, problem);
        free(*error);
        *error = text;
        return text ? -EBADMSG : -ENOMEM;
}

/* What is inside says what is wrong already, or memory ran out. */
static int complain_inside(char **error, const char *path, int r) {
        return *error ? record_complain(error, path, "") : r;
}

static int read_number(JsonObject *json, uint64_t most, uint64_t *ret) {
        uint64_t number;

        if (!json_object_is_type(json, json_type_int) || json_object_get_int64(json) < 0)
                return -EBADMSG;
        number = json_object_get_uint64(json);
        if (number > most)
                return -EBADMSG;
        *ret = number;
        return 0;
}

static int read_text(JsonObject *json, char **ret) {
        const char *text = json_object_get_string(json);

        if (!json_object_is_type(json, json_type_string) ||
            strlen(text) != (size_t)json_object_get_string_len(json))
                return -EBADMSG;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int read_word(const Field *field, JsonObject *json, unsigned *ret) {
        if (!json_object_is_type(json, json_type_string))
                return -EBADMSG;
        for (unsigned i = 0; i < field->n_words; i++)
                if (string_equal(field->word(i), json_object_get_string(json))) {
                        *ret = i;
                        return 0;
                }
        return -EBADMSG;
}

static int read_numbers(JsonObject *json, uint32_t **ret, size_t *ret_n) {
        size_t n = json_object_is_type(json, json_type_array) ? json_object_array_length(json) : 0;

        if (!json_object_is_type(json, json_type_array))
                return -EBADMSG;
        *ret = calloc(n + 1, sizeof(uint32_t));
        if (!*ret)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                uint64_t number;
                int r = read_number(json_object_array_get_idx(json, i), UINT32_MAX, &number);

                if (r < 0)
                        return r;
                (*ret)[(*ret_n)++] = (uint32_t)number;
        }
        return 0;
}

static int read_texts(JsonObject *json, char ***ret) {
        if (!json_object_is_type(json, json_type_array))
                return -EBADMSG;
        for (size_t i = 0; i < json_object_array_length(json); i++) {
                char *text = NULL;
                int r = read_text(json_object_array_get_idx(json, i), &text);

                if (r >= 0)
                        r = strv_push_consume(ret, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

int records_read(const RecordType *type, JsonObject *json, void **items, size_t *n,
                 char **ret_error) {
        size_t length;

        if (!json_object_is_type(json, json_type_array))
                return -EBADMSG;
        length = json_object_array_length(json);
        *items = calloc(length + 1, type->size);
        if (!*items)
                return -ENOMEM;
        for (size_t i = 0; i < length; i++) {
                char path[32];
                int r;

                (*n)++;
                r = record_read(type, json_object_array_get_idx(json, i),
                                member_of(*items, i * type->size), ret_error);
                (void)snprintf(path, sizeof(path), "[%zu]", i);
                if (r < 0)
                        return complain_inside(ret_error, path, r);
        }
        return 0;
}

static int read_field(const Field *field, JsonObject *json, void *record, char **error) {
        void *member = member_of(record, field->offset);
        uint64_t number = 0;
        int r;

        switch (field->type) {
        case FIELD_BOOLEAN:
                if (!json_object_is_type(json, json_type_boolean))
                        return -EBADMSG;
                *(bool *)member = json_object_get_boolean(json);
                return 0;
        case FIELD_U32:
                r = read_number(json, UINT32_MAX, &number);
                *(uint32_t *)member = (uint32_t)number;
                return r;
        case FIELD_U64:
                return read_number(json, UINT64_MAX, member);
        case FIELD_INT:
                r = read_number(json, INT_MAX, &number);
                *(int *)member = (int)number;
                return r;
        case FIELD_TEXT:
                return json ? read_text(json, member) : 0;
        case FIELD_WORD:
                return read_word(field, json, member);
        case FIELD_NUMBERS:
                return read_numbers(json, member, member_of(record, field->count));
        case FIELD_TEXTS:
                return read_texts(json, member);
        case FIELD_RECORDS:
                return records_read(field->of, json, member, member_of(record, field->count),
                                    error);
        }
        return -EBADMSG;
}

static const char *expectation(const Field *field) {
        static const char *const words[] = {
                [FIELD_BOOLEAN] = "must be true or false",
                [FIELD_U32] = "must be a whole number below 2^32",
                [FIELD_U64] = "must be a whole number below 2^64",
                [FIELD_INT] = "must be a whole number below 2^31",
                [FIELD_TEXT] = "must be text or null",
                [FIELD_WORD] = "is none of the words that can stand here",
                [FIELD_NUMBERS] = "must be an array of whole numbers below 2^32",
                [FIELD_TEXTS] = "must be an array of texts",
                [FIELD_RECORDS] = "must be an array",
        };

        return words[field->type];
}

static bool is_known(const RecordType *type, const char *name) {
        for (size_t i = 0; i < type->n_fields; i++)
                if (strcmp(type->fields[i].name, name) == 0)
                        return true;
        return false;
}

static int check_members(const RecordType *type, JsonObject *json, char **error) {
        json_object_object_foreach(json, name, value) {
                (void)value;
                if (!is_known(type, name))
                        return record_complain(error, name, "is unknown");
        }
        return 0;
}

int record_read(const RecordType *type, JsonObject *json, void *record, char **ret_error) {
        int r;

        if (!json_object_is_type(json, json_type_object)) {
                *ret_error = strdup(": must be an object");
                return *ret_error ? -EBADMSG : -ENOMEM;
        }
        r = check_members(type, json, ret_error);
        for (size_t i = 0; r >= 0 && i < type->n_fields; i++) {
                const Field *field = &type->fields[i];
                JsonObject *value;

                if (!json_object_object_get_ex(json, field->name, &value))
                        return record_complain(ret_error, field->name, "is missing");
                r = read_field(field, value, record, ret_error);
                if (r == -EBADMSG)
                        r = record_complain(ret_error, field->name, expectation(field));
        }
        return r;
}
