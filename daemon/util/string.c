/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/util/string.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

char *string_vformat(const char *format, va_list arguments) {
        char *s;

        return vasprintf(&s, format, arguments) < 0 ? NULL : s;
}

char *string_format(const char *format, ...) {
        va_list arguments;
        char *s;

        va_start(arguments, format);
        s = string_vformat(format, arguments);
        va_end(arguments);
        return s;
}

int string_set(char **s, const char *value) {
        char *copy = NULL;

        if (value) {
                copy = strdup(value);
                if (!copy)
                        return -ENOMEM;
        }
        free(*s);
        *s = copy;
        return 0;
}

int string_append(char **s, const char *format, ...) {
        _cleanup_free_ char *tail = NULL;
        va_list arguments;
        size_t old, more;
        char *grown;

        va_start(arguments, format);
        tail = string_vformat(format, arguments);
        va_end(arguments);
        if (!tail)
                return -ENOMEM;

        old = *s ? strlen(*s) : 0;
        more = strlen(tail);
        grown = realloc(*s, old + more + 1);
        if (!grown)
                return -ENOMEM;
        memcpy(grown + old, tail, more + 1);
        *s = grown;
        return 0;
}

int string_to_u64(const char *s, uint64_t max, uint64_t *ret) {
        uint64_t value = 0;

        if (string_is_empty(s))
                return -EINVAL;
        for (; *s; s++) {
                unsigned digit = (unsigned)(*s - '0');

                if (digit > 9)
                        return -EINVAL;
                if (__builtin_mul_overflow(value, 10U, &value) ||
                    __builtin_add_overflow(value, digit, &value) || value > max)
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

const char *string_quotable(const char *s, char *buffer, size_t size) {
        size_t i = 0;

        for (; s[i] && i + 1 < size; i++)
                buffer[i] = s[i] >= 0x20 && s[i] < 0x7f ? s[i] : '?';
        buffer[i] = '\0';
        return buffer;
}

/* Length of the UTF-8 sequence at `s`, 0 when it is malformed, overlong or a surrogate. */
static size_t utf8_sequence(const unsigned char *s) {
        static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
        uint32_t point;
        size_t n;

        if (s[0] < 0x80)
                return 1;
        if ((s[0] & 0xe0) == 0xc0)
                n = 2;
        else if ((s[0] & 0xf0) == 0xe0)
                n = 3;
        else if ((s[0] & 0xf8) == 0xf0)
                n = 4;
        else
                return 0;

        point = s[0] & (0x7fU >> n);
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                point = point << 6 | (s[i] & 0x3f);
        }
        if (point < smallest[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
                return 0;
        /* C1 controls reach a terminal as escape sequences. */
        return point < 0xa0 ? 0 : n;
}

/* The same, and 0 for a control character. */
static size_t printable_sequence(const char *s) {
        const unsigned char *p = (const unsigned char *)s;

        return *p < 0x20 || *p == 0x7f ? 0 : utf8_sequence(p);
}

bool string_is_printable_utf8(const char *s) {
        while (*s) {
                size_t n = printable_sequence(s);

                if (n == 0)
                        return false;
                s += n;
        }
        return true;
}

char *string_make_printable(char *s) {
        for (char *c = s; *c;) {
                size_t n = printable_sequence(c);

                if (n == 0)
                        *c = '?';
                c += n > 0 ? n : 1;
        }
        return s;
}

char **strv_free(char **strv) {
        if (strv)
                for (char **s = strv; *s; s++)
                        free(*s);
        free(strv);
        return NULL;
}

size_t strv_length(char *const *strv) {
        size_t n = 0;

        while (strv && strv[n])
                n++;
        return n;
}

bool strv_contains(char *const *strv, const char *s) {
        for (; strv && *strv; strv++)
                if (strcmp(*strv, s) == 0)
                        return true;
        return false;
}

void strv_remove(char **strv, const char *s) {
        while (strv && *strv && strcmp(*strv, s) != 0)
                strv++;
        if (!strv || !*strv)
                return;
        free(*strv);
        for (; *strv; strv++)
                strv[0] = strv[1];
}

char **strv_copy(char *const *strv) {
        size_t n = strv_length(strv);
        _cleanup_strv_ char **copy = calloc(n + 1, sizeof(char *));

        if (!copy)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                copy[i] = strdup(strv[i]);
                if (!copy[i])
                        return NULL;
        }
        return TAKE_PTR(copy);
}

int strv_push(char ***strv, const char *s) {
        char *copy = strdup(s);

        return copy ? strv_push_consume(strv, copy) : -ENOMEM;
}

int strv_push_consume(char ***strv, char *s) {
        size_t n = strv_length(*strv);
        char **grown = reallocarray(*strv, n + 2, sizeof(char *));

        if (!grown) {
                free(s);
                return -ENOMEM;
        }
        grown[n] = s;
        grown[n + 1] = NULL;
        *strv = grown;
        return 0;
}

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(char **strv) {
        if (strv)
                qsort(strv, strv_length(strv), sizeof(char *), compare_strings);
}

char *strv_join(char *const *strv, const char *separator) {
        _cleanup_free_ char *joined = strdup("");

        for (size_t i = 0; joined && strv && strv[i]; i++)
                if (string_append(&joined, "%s%s", i > 0 ? separator : "", strv[i]) < 0)
                        return NULL;
        return TAKE_PTR(joined);
}
