/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Input as text, and places for files. */

#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/string.h"

char *fuzz_text(const uint8_t *data, size_t size) {
        char *text = size > 0 ? strndup((const char *)data, size) : strdup("");

        MUST(text);
        return text;
}

static char *cut(char **rest, const char *separator) {
        char *token = *rest;

        if (!token || *token == '\0')
                return NULL;
        token = strsep(rest, separator);
        return token;
}

char *fuzz_line(char **rest) {
        return cut(rest, "\n");
}

char *fuzz_word(char **rest) {
        char *word;

        do
                word = cut(rest, " ");
        while (word && *word == '\0');
        return word;
}

char *fuzz_make_directory(void) {
        const char *place = getenv("TMPDIR");
        char *path;

        if (!place)
                place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        path = string_format("%s/vfiod-fuzz.XXXXXX", place);
        MUST(path && mkdtemp(path));
        return path;
}

static int remove_one(const char *path, const struct stat *status _unused_, int type _unused_,
                      struct FTW *walk _unused_) {
        return remove(path);
}

void fuzz_erase_directory(const char *path) {
        MUST(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

size_t fuzz_count_fds(void) {
        DIR *dir = opendir("/proc/self/fd");
        size_t n = 0;

        MUST(dir);
        while (readdir(dir))
                n++;
        (void)closedir(dir);
        return n;
}
