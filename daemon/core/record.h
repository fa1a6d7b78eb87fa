/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Structures as JSON objects, by tables: one row a member. Reading is strict, because what is read
 * decides about devices: a member that is missing, unknown or of another type is an error that
 * names it. What the values mean together is the caller's business (daemon/core/state.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

typedef enum FieldType {
        FIELD_BOOLEAN, /* bool */
        FIELD_U32,     /* uint32_t */
        FIELD_U64,     /* uint64_t */
        FIELD_INT,     /* int, not negative */
        FIELD_TEXT,    /* char *, owned; null in JSON for NULL */
        FIELD_WORD,    /* an enum, written as its name */
        FIELD_NUMBERS, /* uint32_t *, owned, with its count */
        FIELD_TEXTS,   /* char **, owned, ended by NULL; NULL is an empty array */
        FIELD_RECORDS, /* an owned array of structures, with its count */
} FieldType;

typedef struct RecordType RecordType;

typedef struct Field {
        const char *name;
        FieldType type;
        size_t offset;                 /* of the member */
        size_t count;                  /* of its size_t count, for NUMBERS and RECORDS */
        const char *(*word)(unsigned); /* WORD: the name of a value */
        unsigned n_words;
        const RecordType *of; /* RECORDS */
} Field;

struct RecordType {
        size_t size;
        const Field *fields;
        size_t n_fields;
};

/* NULL when memory ran out. */
struct json_object *record_write(const RecordType *type, const void *record);

/*
 * Fills `record`, which must be zeroed. Also on an error what it owns by then is valid and the
 * caller's to free. -EBADMSG with *ret_error, a sentence that begins with the path of the member;
 * -ENOMEM.
 */
int record_read(const RecordType *type, struct json_object *json, void *record, char **ret_error);

/* The same for an array of records at `*items`, as FIELD_RECORDS does it. */
struct json_object *records_write(const RecordType *type, const void *items, size_t n);
int records_read(const RecordType *type, struct json_object *json, void **items, size_t *n,
                 char **ret_error);

/* Sets *error to "PATH: PROBLEM" or puts the path before what it says. Returns -EBADMSG or
 * -ENOMEM. */
int record_complain(char **error, const char *path, const char *problem);
