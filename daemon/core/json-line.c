/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/json-line.h"

#include <stdbool.h>
#include <string.h>

typedef struct Scanner {
        const char *text;
        size_t at;
        size_t depth;   /* open objects and arrays */
        size_t matched; /* how many of the outer keys on the way here are those of the path */
} Scanner;

unsigned json_line_of_offset(const char *text, size_t offset) {
        unsigned line = 1;

        for (size_t i = 0; i < offset && text[i]; i++)
                line += text[i] == '\n';
        return line;
}

/* Moves behind the string that begins at the scanner; tells whether it reads `expected`. */
static bool scan_string(Scanner *scanner, const char *expected) {
        const char *start = scanner->text + ++scanner->at;
        size_t n;

        while (scanner->text[scanner->at] && scanner->text[scanner->at] != '"')
                scanner->at += scanner->text[scanner->at] == '\\' && scanner->text[scanner->at + 1]
                                       ? 2
                                       : 1;
        n = (size_t)(scanner->text + scanner->at - start);
        if (scanner->text[scanner->at])
                scanner->at++;
        return expected && strlen(expected) == n && strncmp(start, expected, n) == 0;
}

static bool at_colon(const Scanner *scanner) {
        return scanner->text[scanner->at + strspn(scanner->text + scanner->at, " \t\r\n")] == ':';
}

unsigned json_line_of_key(const char *text, const char *const *path) {
        Scanner scanner = {.text = text};
        size_t length = 0;
        unsigned line = 0;

        while (path[length])
                length++;

        while (text[scanner.at]) {
                char c = text[scanner.at];

                if (c == '"') {
                        size_t start = scanner.at;
                        bool here =
                                scanner.depth == scanner.matched + 1 && scanner.matched < length;
                        bool equal = scan_string(&scanner, here ? path[scanner.matched] : NULL);

                        if (!equal || !at_colon(&scanner))
                                continue;
                        if (scanner.matched + 1 == length)
                                line = json_line_of_offset(text, start);
                        else
                                scanner.matched++;
                        continue;
                }
                if (c == '{' || c == '[')
                        scanner.depth++;
                if ((c == '}' || c == ']') && scanner.depth > 0)
                        scanner.depth--;
                /* The value of a matched outer key is over. */
                if ((c == '}' || c == ',') && scanner.matched > 0 &&
                    scanner.depth <= scanner.matched)
                        scanner.matched = scanner.depth > 0 ? scanner.depth - 1 : 0;
                scanner.at++;
        }
        return line;
}
