/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/util/string.h"

#define COLUMN_GAP 2
/* What the last column of a table and a wrapped line keep, however narrow the terminal. */
#define LEAST_WIDTH 16
/* What an elastic column keeps, so that its cells can still be told apart. */
#define ELASTIC_LEAST 10

static const char *const escapes[] = {
        [COLOUR_NONE] = "",        [COLOUR_BOLD] = "\033[1m",   [COLOUR_DIM] = "\033[2m",
        [COLOUR_RED] = "\033[31m", [COLOUR_GREEN] = "\033[32m", [COLOUR_YELLOW] = "\033[33m",
};

/* setlocale() would read locale files at every start for this one answer. */
static bool locale_is_utf8(void) {
        static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

        for (size_t i = 0; i < ELEMENTS(variables); i++) {
                const char *value = getenv(variables[i]);

                if (!string_is_empty(value))
                        return strcasestr(value, "UTF-8") || strcasestr(value, "UTF8");
        }
        return false;
}

static size_t width_detect(int fd) {
        const char *columns = getenv("COLUMNS");
        struct winsize size;
        uint64_t width;

        if (columns && string_to_u64(columns, 10000, &width) >= 0 && width >= LEAST_WIDTH)
                return (size_t)width;
        if (ioctl(fd, TIOCGWINSZ, &size) >= 0 && size.ws_col >= LEAST_WIDTH)
                return size.ws_col;
        return OUTPUT_WIDTH_DEFAULT;
}

Style style_detect(int fd) {
        const char *term = getenv("TERM");

        return (Style){
                .width = width_detect(fd),
                .colour = string_is_empty(getenv("NO_COLOR")) && !string_is_empty(term) &&
                          !string_equal(term, "dumb") && isatty(fd),
                .utf8 = locale_is_utf8(),
        };
}

static bool starts_sequence(char c) {
        return ((unsigned char)c & 0xc0) != 0x80;
}

size_t text_width(const char *s) {
        size_t n = 0;

        for (; *s; s++)
                n += starts_sequence(*s);
        return n;
}

static void write_coloured(FILE *f, const Style *style, Colour colour, const char *s, size_t n) {
        bool coloured = style->colour && colour != COLOUR_NONE && n > 0;

        if (coloured)
                fputs(escapes[colour], f);
        fwrite(s, 1, n, f);
        if (coloured)
                fputs("\033[0m", f);
}

size_t output_text(FILE *f, const Style *style, Colour colour, const char *s) {
        write_coloured(f, style, colour, s, strlen(s));
        return text_width(s);
}

/* Bytes of the first `columns` columns of `s`. */
static size_t prefix_bytes(const char *s, size_t columns) {
        size_t i = 0;

        for (size_t n = 0; s[i]; i++)
                if (starts_sequence(s[i]) && n++ == columns)
                        break;
        return i;
}

size_t output_truncated(FILE *f, const Style *style, Colour colour, const char *s, size_t width) {
        const char *ellipsis = style->utf8 ? "\u2026" : "...";
        size_t need = text_width(s), mark = text_width(ellipsis);

        if (need <= width)
                return output_text(f, style, colour, s);
        if (width <= mark) {
                write_coloured(f, style, colour, ellipsis, prefix_bytes(ellipsis, width));
                return width;
        }
        write_coloured(f, style, colour, s, prefix_bytes(s, width - mark));
        fputs(ellipsis, f);
        return width;
}

void output_spaces(FILE *f, size_t n) {
        fprintf(f, "%*s", (int)n, "");
}

void output_wrapped_behind(FILE *f, const Style *style, size_t used, size_t indent, const char *s) {
        size_t width = style->width > indent + LEAST_WIDTH ? style->width - indent : LEAST_WIDTH;
        size_t column = 0;

        if (used >= indent && used > 0) {
                fputc('\n', f);
                used = 0;
        }
        output_spaces(f, indent - used);
        while (*s) {
                size_t bytes = strcspn(s, " ");
                _cleanup_free_ char *word = strndup(s, bytes);
                size_t columns = text_width(string_or_empty(word));

                if (column > 0 && column + 1 + columns > width) {
                        fputc('\n', f);
                        output_spaces(f, indent);
                        column = 0;
                } else if (column > 0) {
                        fputc(' ', f);
                        column++;
                }
                fwrite(s, 1, bytes, f);
                column += columns;
                s += bytes;
                s += strspn(s, " ");
        }
        fputc('\n', f);
}

void output_wrapped(FILE *f, const Style *style, size_t indent, const char *s) {
        output_wrapped_behind(f, style, 0, indent, s);
}

void table_done(Table *table) {
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i]);
        free(table->cells);
        table->cells = NULL;
        table->n_cells = 0;
}

static void table_add_consume(Table *table, char *cell) {
        char **grown = NULL;

        if (cell)
                grown = reallocarray(table->cells, table->n_cells + 1, sizeof(char *));
        if (!grown) {
                free(cell);
                table->error = -ENOMEM;
                return;
        }
        grown[table->n_cells++] = cell;
        table->cells = grown;
}

void table_add(Table *table, const char *cell) {
        table_add_consume(table, strdup(string_is_empty(cell) ? "-" : cell));
}

void table_add_blank(Table *table) {
        table_add_consume(table, strdup(""));
}

void table_add_format(Table *table, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        table_add_consume(table, string_vformat(format, arguments));
        va_end(arguments);
}

static size_t column_width(const Table *table, size_t column) {
        size_t width = text_width(table->titles[column]);

        for (size_t i = column; i < table->n_cells; i += table->n_columns) {
                size_t w = text_width(table->cells[i]);

                if (w > width)
                        width = w;
        }
        return width;
}

/* Takes from the elastic column what the last one lacks, as far as there is something to take. */
static void squeeze(const Style *style, const Table *table, size_t *widths) {
        size_t total = COLUMN_GAP * (table->n_columns - 1), least, lacking, spare;

        for (size_t i = 0; i < table->n_columns; i++)
                total += widths[i];
        if (table->elastic == 0 || total <= style->width)
                return;
        least = text_width(table->titles[table->elastic]);
        if (least < ELASTIC_LEAST)
                least = ELASTIC_LEAST;
        lacking = total - style->width;
        spare = widths[table->elastic] > least ? widths[table->elastic] - least : 0;
        widths[table->elastic] -= lacking < spare ? lacking : spare;
}

static void print_row(FILE *f, const Style *style, Colour colour, const char *const *cells,
                      const size_t *widths, size_t n) {
        size_t used = 0, left;

        for (size_t i = 0; i + 1 < n; i++) {
                size_t w = output_truncated(f, style, colour, cells[i], widths[i]);

                output_spaces(f, widths[i] - w + COLUMN_GAP);
                used += widths[i] + COLUMN_GAP;
        }
        left = style->width > used + LEAST_WIDTH ? style->width - used : LEAST_WIDTH;
        output_truncated(f, style, colour, cells[n - 1], left);
        fputc('\n', f);
}

int table_print(FILE *f, const Style *style, const Table *table) {
        _cleanup_free_ size_t *widths = calloc(table->n_columns, sizeof(size_t));
        const char *const *cells = (const char *const *)table->cells;

        if (table->error < 0)
                return table->error;
        if (!widths)
                return -ENOMEM;
        for (size_t i = 0; i < table->n_columns; i++)
                widths[i] = column_width(table, i);
        squeeze(style, table, widths);

        print_row(f, style, COLOUR_BOLD, table->titles, widths, table->n_columns);
        for (size_t i = 0; i + table->n_columns <= table->n_cells; i += table->n_columns)
                print_row(f, style, COLOUR_NONE, cells + i, widths, table->n_columns);
        return 0;
}
