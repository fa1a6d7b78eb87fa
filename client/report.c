/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "client/json.h"
#include "daemon/util/string.h"

/* Set once from the command line: an error can come from anywhere and must have the same shape. */
static bool as_json = false;

void report_as_json(bool json) {
        as_json = json;
}

static void write_json(ExitStatus status, const char *error, const char *sentence) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o)
                return;
        if (error)
                json_object_object_add(o, "Error", json_object_new_string(error));
        json_object_object_add(o, "Message", json_object_new_string(sentence));
        json_object_object_add(o, "Status", json_object_new_int(status));
        json_write_line(stderr, o);
}

int report(ExitStatus status, const char *error, const char *format, ...) {
        _cleanup_free_ char *sentence = NULL;
        const char *text;
        va_list arguments;

        va_start(arguments, format);
        sentence = string_vformat(format, arguments);
        va_end(arguments);
        text = sentence ? sentence : "out of memory";

        if (as_json)
                write_json(status, error, text);
        else if (error)
                fprintf(stderr, "vfioctl: %s [%s]\n", text, error);
        else
                fprintf(stderr, "vfioctl: %s\n", text);
        return status;
}

int report_errno(int r, const char *what) {
        return report(STATUS_NO, NULL, "%s: %s", what, strerror(-r));
}

void report_note(const char *format, ...) {
        va_list arguments;

        if (as_json)
                return;
        fputs("vfioctl: ", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
}
