/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Takes the place of sd_journal_send(3) in the daemon on a fake machine: what would be written into
 * the journal is said on standard error, without the fields that come after the message.
 */

#include <stdarg.h>
#include <stdio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

int sd_journal_send(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void)vfprintf(stderr, format, arguments);
        va_end(arguments);
        (void)fputc('\n', stderr);
        return 0;
}
