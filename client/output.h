/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Text for people: width, colour, truncation, wrapping, tables. Writes to any FILE, so that tests
 * read what was written; style_detect() alone looks at the terminal and the environment.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "daemon/util/cleanup.h"

typedef enum Colour {
        COLOUR_NONE,
        COLOUR_BOLD,
        COLOUR_DIM,
        COLOUR_RED,
        COLOUR_GREEN,
        COLOUR_YELLOW,
} Colour;

typedef struct Style {
        size_t width; /* columns */
        bool colour;
        bool utf8; /* tree lines and the ellipsis; else their ASCII stand-ins */
} Style;

#define OUTPUT_WIDTH_DEFAULT 80

/*
 * How to write to `fd`. Off a terminal there are no colours and the width is $COLUMNS or 80, so
 * that a pipe carries what a plain terminal shows. NO_COLOR (no-color.org) wins over all.
 */
Style style_detect(int fd);

/* Columns that `s` takes: one for each UTF-8 sequence. */
size_t text_width(const char *s);

/* All of `s` in a colour; returns the columns written. */
size_t output_text(FILE *f, const Style *style, Colour colour, const char *s);

/* At most `width` columns of `s`, the last an ellipsis where something is missing. */
size_t output_truncated(FILE *f, const Style *style, Colour colour, const char *s, size_t width);

void output_spaces(FILE *f, size_t n);

/*
 * Words of `s` in lines of the style's width, each from column `indent` on; on the first line
 * `used` columns are written already. Ends in a newline.
 */
void output_wrapped_behind(FILE *f, const Style *style, size_t used, size_t indent, const char *s);
void output_wrapped(FILE *f, const Style *style, size_t indent, const char *s);

/*
 * Rows of cells under titles. The last column gets the width that the others leave; where that is
 * less than it needs, the elastic column gives way first.
 */
typedef struct Table {
        const char *const *titles; /* borrowed, n_columns of them */
        size_t n_columns;
        size_t elastic; /* index of that column, 0 for none */
        char **cells;   /* row by row */
        size_t n_cells;
        int error; /* of table_add(), reported by table_print() */
} Table;

#define TABLE_INIT(titles_) {.titles = (titles_), .n_columns = ELEMENTS(titles_)}

void table_done(Table *table);
/* "-" where the cell is empty. */
void table_add(Table *table, const char *cell);
/* Nothing to be seen: the row goes on with what is above it. */
void table_add_blank(Table *table);
void table_add_format(Table *table, const char *format, ...) _printf_(2, 3);
int table_print(FILE *f, const Style *style, const Table *table);

#define _cleanup_table_ _cleanup_(table_done)
