/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/live-line.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/util/string.h"

/* Back to the first column, and nothing behind it (ECMA-48, erase in line). */
#define ERASE "\r\033[K"

LiveLine live_line_on(FILE *f) {
        const char *term = getenv("TERM");

        return (LiveLine){
                .f = f,
                .style = style_detect(fileno(f)),
                .rewritten =
                        isatty(fileno(f)) && !string_is_empty(term) && !string_equal(term, "dumb"),
        };
}

static void rewrite(LiveLine *line, const char *text) {
        fputs(ERASE, line->f);
        /* In the last column some terminals go on to the next line, which could not be erased. */
        output_truncated(line->f, &line->style, COLOUR_NONE, text, line->style.width - 1);
        line->open = true;
}

int live_line_show(LiveLine *line, const char *text, const char *rest) {
        _cleanup_free_ char *whole = string_format("%s%s", text, string_or_empty(rest));
        int r;

        if (!whole)
                return -ENOMEM;
        if (line->rewritten)
                rewrite(line, whole);
        else if (!string_equal(line->said, text))
                fprintf(line->f, "%s\n", whole);
        fflush(line->f);
        r = string_set(&line->said, text);
        return r < 0 ? r : 0;
}

void live_line_done(LiveLine *line) {
        if (line->open) {
                fputs(ERASE, line->f);
                fflush(line->f);
        }
        line->open = false;
        free(line->said);
        line->said = NULL;
}
