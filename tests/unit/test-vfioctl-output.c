/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* client/output.h: widths, truncation, wrapping, tables, and when there are colours. */

#include "client/output.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static const Style plain = {.width = 40};
static const Style utf8 = {.width = 40, .utf8 = true};
static const Style coloured = {.width = 40, .colour = true, .utf8 = true};

/* What is written to `f` between begin() and end(), which is owned by the caller. */
static FILE *f;
static char *written;
static size_t written_size;

static void begin(void) {
        f = open_memstream(&written, &written_size);
        ck_assert_ptr_nonnull(f);
}

static char *end(void) {
        ck_assert_int_eq(fclose(f), 0);
        return TAKE_PTR(written);
}

START_TEST(a_character_of_several_bytes_takes_one_column) {
        ck_assert_uint_eq(text_width(""), 0);
        ck_assert_uint_eq(text_width("eth0"), 4);
        ck_assert_uint_eq(text_width("gr\u00f6\u00dfe"), 5);
}
END_TEST

START_TEST(what_is_too_long_ends_in_an_ellipsis_within_its_width) {
        static const struct {
                const Style *style;
                const char *text;
                size_t width;
                const char *expected;
        } rows[] = {
                {&plain, "abcdef", 6, "abcdef"},
                {&plain, "abcdef", 5, "ab..."},
                {&plain, "abcdef", 3, "..."},
                {&plain, "abcdef", 2, ".."},
                {&plain, "abcdef", 0, ""},
                {&plain, "", 0, ""},
                {&utf8, "abcdef", 5, "abcd\u2026"},
                {&utf8, "abcdef", 1, "\u2026"},
                {&utf8, "abcdef", 0, ""},
                {&utf8, "\u00f6\u00f6\u00f6", 3, "\u00f6\u00f6\u00f6"},
                {&utf8, "\u00f6\u00f6\u00f6", 2, "\u00f6\u2026"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *text = NULL;
                size_t columns;

                begin();
                columns = output_truncated(f, rows[i].style, COLOUR_NONE, rows[i].text,
                                           rows[i].width);
                text = end();
                assert_row_str(rows[i].text, text, rows[i].expected);
                ck_assert_uint_eq(columns, text_width(text));
                ck_assert_uint_le(columns, rows[i].width);
        }
}
END_TEST

START_TEST(colours_are_written_only_where_the_style_has_them) {
        _cleanup_free_ char *without = NULL, *with = NULL;

        begin();
        ck_assert_uint_eq(output_text(f, &plain, COLOUR_RED, "no"), 2);
        without = end();
        ck_assert_str_eq(without, "no");

        begin();
        ck_assert_uint_eq(output_text(f, &coloured, COLOUR_RED, "no"), 2);
        output_text(f, &coloured, COLOUR_NONE, " x");
        output_text(f, &coloured, COLOUR_RED, "");
        with = end();
        ck_assert_str_eq(with, "\033[31mno\033[0m x");
}
END_TEST

START_TEST(words_are_wrapped_behind_an_indent) {
        static const Style narrow = {.width = 24};
        _cleanup_free_ char *text = NULL;

        begin();
        output_wrapped(f, &narrow, 4, "bind the whole group with 'vfioctl bind group/3'");
        text = end();
        ck_assert_str_eq(text, "    bind the whole group\n"
                               "    with 'vfioctl bind\n"
                               "    group/3'\n");
}
END_TEST

START_TEST(what_is_wrapped_begins_behind_what_is_written) {
        static const Style narrow = {.width = 30};
        _cleanup_free_ char *fits = NULL, *pushed = NULL;

        begin();
        fputs("  -n", f);
        output_wrapped_behind(f, &narrow, 4, 8, "print the steps and change nothing");
        fits = end();
        ck_assert_str_eq(fits, "  -n    print the steps and\n"
                               "        change nothing\n");
        begin();
        fputs("  --long-option", f);
        output_wrapped_behind(f, &narrow, 15, 8, "does it");
        pushed = end();
        ck_assert_str_eq(pushed, "  --long-option\n        does it\n");
}
END_TEST

START_TEST(a_word_longer_than_the_line_stays_in_one_piece) {
        static const Style narrow = {.width = 20};
        _cleanup_free_ char *text = NULL;

        begin();
        output_wrapped(f, &narrow, 2, "see 0123456789012345678901234567890 there");
        text = end();
        ck_assert_str_eq(text, "  see\n  0123456789012345678901234567890\n  there\n");
}
END_TEST

START_TEST(a_table_aligns_its_columns_and_cuts_the_last) {
        static const char *const titles[] = {"LEASE", "OWNER", "LABEL"};
        _cleanup_table_ Table table = TABLE_INIT(titles);
        _cleanup_free_ char *text = NULL;

        table_add_format(&table, "lease/%d", 7);
        table_add(&table, "alice");
        table_add(&table, "a label that is much too long for this");
        table_add(&table, "lease/10");
        table_add(&table, "1000");
        table_add(&table, "");

        begin();
        ck_assert_int_eq(table_print(f, &plain, &table), 0);
        text = end();
        ck_assert_str_eq(text, "LEASE     OWNER  LABEL\n"
                               "lease/7   alice  a label that is much...\n"
                               "lease/10  1000   -\n");
}
END_TEST

START_TEST(an_elastic_column_gives_way_before_the_last_is_cut) {
        static const char *const titles[] = {"A", "B", "C"};
        static const struct {
                const char *last;
                const char *expected;
        } rows[] = {
                /* 40 columns: all fits, one too many, and more than it can give. */
                {"0123456789012345678", "A  B                 C\n"
                                        "1  abcdefghijklmnop  0123456789012345678\n"},
                {"01234567890123456789", "A  B                C\n"
                                         "1  abcdefghijkl...  01234567890123456789\n"},
                {"0123456789012345678901234567", "A  B           C\n"
                                                 "1  abcdefg...  0123456789012345678901...\n"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_table_ Table table = TABLE_INIT(titles);
                _cleanup_free_ char *text = NULL;

                table.elastic = 1;
                table_add(&table, "1");
                table_add(&table, "abcdefghijklmnop");
                table_add(&table, rows[i].last);
                begin();
                ck_assert_int_eq(table_print(f, &plain, &table), 0);
                text = end();
                assert_row_str(rows[i].last, text, rows[i].expected);
        }
}
END_TEST

START_TEST(an_empty_table_has_its_titles) {
        static const char *const titles[] = {"LEASE", "OWNER"};
        _cleanup_table_ Table table = TABLE_INIT(titles);
        _cleanup_free_ char *text = NULL;

        begin();
        ck_assert_int_eq(table_print(f, &plain, &table), 0);
        text = end();
        ck_assert_str_eq(text, "LEASE  OWNER\n");
}
END_TEST

static void clear_environment(void) {
        static const char *const variables[] = {"COLUMNS",  "LANG",     "LC_ALL",
                                                "LC_CTYPE", "NO_COLOR", "TERM"};

        for (size_t i = 0; i < ELEMENTS(variables); i++)
                ck_assert_int_eq(unsetenv(variables[i]), 0);
}

START_TEST(off_a_terminal_there_are_80_plain_columns) {
        _cleanup_close_ int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        Style style;

        clear_environment();
        ck_assert_int_eq(setenv("TERM", "xterm", 1), 0);
        style = style_detect(fd);
        ck_assert_uint_eq(style.width, 80);
        ck_assert(!style.colour);
        ck_assert(!style.utf8);
}
END_TEST

START_TEST(columns_and_the_locale_come_from_the_environment) {
        _cleanup_close_ int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        clear_environment();
        ck_assert_int_eq(setenv("COLUMNS", "132", 1), 0);
        ck_assert_int_eq(setenv("LANG", "C.UTF-8", 1), 0);
        ck_assert_uint_eq(style_detect(fd).width, 132);
        ck_assert(style_detect(fd).utf8);

        /* LC_ALL wins, and a width that nothing fits in does not count. */
        ck_assert_int_eq(setenv("COLUMNS", "3", 1), 0);
        ck_assert_int_eq(setenv("LC_ALL", "C", 1), 0);
        ck_assert_uint_eq(style_detect(fd).width, 80);
        ck_assert(!style_detect(fd).utf8);
}
END_TEST

START_TEST(a_terminal_has_colours_unless_told_otherwise) {
        _cleanup_close_ int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        _cleanup_close_ int terminal = -EBADF;

        if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
                return; /* a container without /dev/pts has no terminal to ask */
        terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
        ck_assert_int_ge(terminal, 0);

        clear_environment();
        ck_assert(!style_detect(terminal).colour);
        ck_assert_int_eq(setenv("TERM", "dumb", 1), 0);
        ck_assert(!style_detect(terminal).colour);
        ck_assert_int_eq(setenv("TERM", "xterm", 1), 0);
        ck_assert(style_detect(terminal).colour);
        ck_assert_int_eq(setenv("NO_COLOR", "1", 1), 0);
        ck_assert(!style_detect(terminal).colour);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfioctl-output");

        tcase_add_test(tests, a_character_of_several_bytes_takes_one_column);
        tcase_add_test(tests, what_is_too_long_ends_in_an_ellipsis_within_its_width);
        tcase_add_test(tests, colours_are_written_only_where_the_style_has_them);
        tcase_add_test(tests, words_are_wrapped_behind_an_indent);
        tcase_add_test(tests, what_is_wrapped_begins_behind_what_is_written);
        tcase_add_test(tests, a_word_longer_than_the_line_stays_in_one_piece);
        tcase_add_test(tests, a_table_aligns_its_columns_and_cuts_the_last);
        tcase_add_test(tests, an_elastic_column_gives_way_before_the_last_is_cut);
        tcase_add_test(tests, an_empty_table_has_its_titles);
        tcase_add_test(tests, off_a_terminal_there_are_80_plain_columns);
        tcase_add_test(tests, columns_and_the_locale_come_from_the_environment);
        tcase_add_test(tests, a_terminal_has_colours_unless_told_otherwise);
        return tests_run(tests);
}
