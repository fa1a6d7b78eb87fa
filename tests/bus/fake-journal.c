/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Takes the place of sd_journal_send(3), so that tests write nothing into the journal of the
 * machine they run on, and can see what would have been written.
 */

#include "tests/bus/fake-journal.h"

#include <printf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "daemon/util/string.h"

#define ARGUMENTS_MAX 16

static char **records;

/* Takes from the list what the format has just used: only the types that our formats have. */
#define SKIP_ARGUMENTS(format, arguments)                                                          \
        do {                                                                                       \
                int _types[ARGUMENTS_MAX];                                                         \
                size_t _n = parse_printf_format((format), ARGUMENTS_MAX, _types);                  \
                for (size_t _i = 0; _i < _n; _i++)                                                 \
                        if (_types[_i] == PA_STRING)                                               \
                                (void)va_arg((arguments), char *);                                 \
                        else if (_types[_i] & (PA_FLAG_LONG | PA_FLAG_LONG_LONG))                  \
                                (void)va_arg((arguments), long);                                   \
                        else                                                                       \
                                (void)va_arg((arguments), int);                                    \
        } while (0)

int sd_journal_send(const char *format, ...) {
        _cleanup_free_ char *record = NULL;
        va_list arguments;

        va_start(arguments, format);
        while (format) {
                _cleanup_free_ char *field = NULL;
                va_list copy;

                va_copy(copy, arguments);
                field = string_vformat(format, copy);
                va_end(copy);
                if (!field || string_append(&record, "%s\n", field) < 0)
                        abort();
                SKIP_ARGUMENTS(format, arguments);
                format = va_arg(arguments, const char *);
        }
        va_end(arguments);
        if (strv_push(&records, record) < 0)
                abort();
        return 0;
}

size_t fake_journal_count(void) {
        return strv_length(records);
}

const char *fake_journal_record(size_t index) {
        return records[index];
}

size_t fake_journal_said(const char *words) {
        size_t n = 0;

        for (size_t i = 0; i < fake_journal_count(); i++)
                n += strstr(records[i], words) != NULL;
        return n;
}

void fake_journal_forget(void) {
        records = strv_free(records);
}
