/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lines of a text in /proc that have a word in them, in little memory: a process makes its maps
 * as long as it likes, by the number of lines and by the paths in them. Nor is it read to its end
 * for nobody: the search may be called off meanwhile.
 */

#include <string.h>
#include <unistd.h>

#include "daemon/kernel/holder-private.h"

/* The kernel hands out about a page a read, whatever it is asked for. */
#define BUFFER_SIZE 16384

/* What is told of a line. In front of a path there are numbers only. */
#define HEAD_SIZE 4096

typedef struct Lines {
        const char *word;
        HolderLineSink sink;
        void *userdata;
        char buffer[BUFFER_SIZE]; /* begins with the first line that has not been told */
        size_t used;
        size_t searched; /* of that line */
        bool found;      /* in what was searched */
} Lines;

static bool has_word(const Lines *lines, size_t first, size_t end) {
        return memmem(lines->buffer + first, end - first, lines->word, strlen(lines->word));
}

/* The line from `first` to `end`, where there is room for a '\0'. */
static int tell_line(Lines *lines, size_t first, size_t end) {
        bool found = lines->found || has_word(lines, first + lines->searched, end);

        lines->searched = 0;
        lines->found = false;
        if (!found)
                return 0;
        lines->buffer[end - first > HEAD_SIZE ? first + HEAD_SIZE : end] = '\0';
        return lines->sink(lines->userdata, lines->buffer + first);
}

static int tell_whole_lines(Lines *lines) {
        char *buffer = lines->buffer, *newline;
        size_t first = 0;
        int r = 0;

        while (r >= 0 && (newline = memchr(buffer + first, '\n', lines->used - first))) {
                size_t end = (size_t)(newline - buffer);

                r = tell_line(lines, first, end);
                first = end + 1;
        }
        lines->used -= first;
        if (first > 0)
                memmove(buffer, buffer + first, lines->used);
        return r;
}

/* A line that fills the buffer is searched and keeps its head, and what may be the word's begin. */
static void cut_line(Lines *lines) {
        size_t rest = strlen(lines->word) - 1;

        lines->found = lines->found || has_word(lines, lines->searched, lines->used);
        memmove(lines->buffer + HEAD_SIZE, lines->buffer + lines->used - rest, rest);
        lines->searched = HEAD_SIZE;
        lines->used = HEAD_SIZE + rest;
}

/* The kernel's memory is not ours: it may be short of it for a line of that length alone. */
static int read_some(Lines *lines, int fd) {
        ssize_t n = read(fd, lines->buffer + lines->used, sizeof(lines->buffer) - lines->used);

        if (n < 0)
                return errno == ENOMEM ? -EIO : -errno;
        lines->used += (size_t)n;
        return n > 0;
}

int holder_lines_read(const HolderSearch *search, int fd, const char *word, HolderLineSink sink,
                      void *userdata) {
        Lines lines = {.word = word, .sink = sink, .userdata = userdata};
        bool any = false;
        int r;

        for (;;) {
                r = holder_search_is_cancelled(search) ? -ECANCELED : read_some(&lines, fd);
                if (r <= 0)
                        break;
                any = true;
                r = tell_whole_lines(&lines);
                if (r < 0)
                        break;
                if (lines.used == sizeof(lines.buffer))
                        cut_line(&lines);
        }
        /* The text ends with a line that has no end. */
        if (r == 0 && lines.used > 0)
                r = tell_line(&lines, 0, lines.used);
        return r < 0 ? r : any;
}
