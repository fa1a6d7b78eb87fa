/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A line that says how things stand while something goes on: on a terminal one line, rewritten in
 * place; elsewhere a new line whenever there is something new to say.
 */

#include <stdbool.h>
#include <stdio.h>

#include "client/output.h"

typedef struct LiveLine {
        FILE *f; /* borrowed */
        Style style;
        bool rewritten; /* a terminal that can do that */
        bool open;      /* rewritten: there is something to erase */
        char *said;     /* the last text */
} LiveLine;

LiveLine live_line_on(FILE *f);

/*
 * `rest` is put behind the text; what is new in it alone (a time that runs down) is worth no new
 * line. NULL for none.
 */
int live_line_show(LiveLine *line, const char *text, const char *rest);

/* Erases what can be erased: whatever is written next stands where the line was. */
void live_line_done(LiveLine *line);

#define _cleanup_live_line_ _cleanup_(live_line_done)
