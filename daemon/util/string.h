/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Allocated strings and NULL-terminated arrays of them. Functions that allocate return NULL, or
 * -ENOMEM, when memory is short; the caller owns what it gets.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "daemon/util/cleanup.h"

static inline bool string_equal(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool string_is_empty(const char *s) {
        return !s || s[0] == '\0';
}

static inline const char *string_or_empty(const char *s) {
        return s ? s : "";
}

/* The rest of `s` behind `prefix`, or NULL when it does not start with it. */
static inline const char *string_after(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

char *string_format(const char *format, ...) _printf_(1, 2);
char *string_vformat(const char *format, va_list arguments) _printf_(1, 0);

/* Replaces *s by a copy of `value` (NULL allowed). The old value is freed only on success. */
int string_set(char **s, const char *value);

/* Appends to *s, which may be NULL to begin with. */
int string_append(char **s, const char *format, ...) _printf_(2, 3);

/* A decimal number from 0 to `max` and nothing else: -EINVAL for any other text, -ERANGE above. */
int string_to_u64(const char *s, uint64_t max, uint64_t *ret);

/*
 * Copies at most size - 1 bytes of `s` into `buffer`, with '?' for what is not printable ASCII, so
 * that any text of a client can be quoted in a sentence. Returns the buffer.
 */
const char *string_quotable(const char *s, char *buffer, size_t size);

/* Valid UTF-8 (RFC 3629) without control characters. */
bool string_is_printable_utf8(const char *s);

/*
 * Makes it so, with '?' for each byte that is of no printable character, such as those of one that
 * was cut. For what was named by somebody else: the kernel takes any bytes for the name of a file
 * or an interface, a message of D-Bus and the state file do not. Returns `s`.
 */
char *string_make_printable(char *s);

char **strv_free(char **strv);
size_t strv_length(char *const *strv);
bool strv_contains(char *const *strv, const char *s);
char **strv_copy(char *const *strv);

/* Appends a copy of `s`; *strv may be NULL to begin with. */
int strv_push(char ***strv, const char *s);
/* Appends `s` itself and owns it from then on, also when it fails. */
int strv_push_consume(char ***strv, char *s);
/* Takes the first that is equal out. */
void strv_remove(char **strv, const char *s);
void strv_sort(char **strv);

/* The strings with `separator` between them; "" for none. */
char *strv_join(char *const *strv, const char *separator);

DEFINE_TRIVIAL_CLEANUP(char **, strv_free, NULL);
#define _cleanup_strv_ _cleanup_(strv_freep)
