/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the fuzz targets have in common. A target is one file with one function, which libFuzzer
 * (clang) calls with inputs that it makes up, and replay.c with those of the corpus, once each.
 * Same input, same way through the code: nothing is kept from one call to the next.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns 0; -1 asks libFuzzer not to keep the input. Whatever is wrong ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input. */
#define MUST(condition)                                                                            \
        do {                                                                                       \
                if (!(condition)) {                                                                \
                        (void)fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__,         \
                                      #condition);                                                 \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)

/* The input as text: up to its first zero byte, in memory of just that size, so that ASan sees a
 * step too far. Allocated. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Cuts off the first line of *rest and moves *rest behind it; NULL where nothing is left. */
char *fuzz_line(char **rest);

/* The same with the words of a line, which blanks separate. */
char *fuzz_word(char **rest);

/* A new directory, in TMPDIR, or in memory where there is such a place: thousands are made.
 * Allocated. */
char *fuzz_make_directory(void);
void fuzz_erase_directory(const char *path);

/* Open files of this process. */
size_t fuzz_count_fds(void);
