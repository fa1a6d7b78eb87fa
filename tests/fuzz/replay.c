/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gives a fuzz target the files of its corpus, each once and in a process of its own: an ordinary
 * test, with any compiler. TAP on its output.
 *
 *      replay-NAME FILE|DIRECTORY...
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (1024 * 1024)

static int collect(const char *path, char ***files) {
        struct dirent **entries;
        struct stat status;
        int n;

        if (stat(path, &status) < 0)
                return -errno;
        if (!S_ISDIR(status.st_mode))
                return strv_push(files, path);
        n = scandir(path, &entries, NULL, alphasort);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                if (entries[i]->d_name[0] != '.')
                        MUST(strv_push_consume(
                                     files, string_format("%s/%s", path, entries[i]->d_name)) >= 0);
                free(entries[i]);
        }
        free(entries);
        return 0;
}

/* In memory of just its size. */
static void run(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ uint8_t *whole = malloc(INPUT_MAX), *exact = NULL;
        ssize_t n;

        MUST(fd >= 0 && whole);
        n = read(fd, whole, INPUT_MAX);
        MUST(n >= 0);
        exact = malloc(n > 0 ? (size_t)n : 1);
        MUST(exact);
        memcpy(exact, whole, (size_t)n);
        fd = fd_close(fd);
        (void)LLVMFuzzerTestOneInput(exact, (size_t)n);
}

static bool passes(const char *path) {
        int status;
        pid_t pid;

        (void)fflush(stdout);
        pid = fork();
        MUST(pid >= 0);
        if (pid == 0) {
                run(path);
                exit(EXIT_SUCCESS);
        }
        MUST(waitpid(pid, &status, 0) == pid);
        return status == 0;
}

int main(int argc, char **argv) {
        _cleanup_strv_ char **files = NULL;
        size_t n = 0;

        for (int i = 1; i < argc; i++)
                if (collect(argv[i], &files) < 0) {
                        (void)fprintf(stderr, "replay: no file or directory '%s'\n", argv[i]);
                        return EXIT_FAILURE;
                }
        (void)printf("1..%zu\n", strv_length(files));
        for (char **file = files; file && *file; file++) {
                const char *slash = strrchr(*file, '/');
                bool passed = passes(*file);

                (void)printf("%s %zu - %s\n", passed ? "ok" : "not ok", ++n,
                             slash ? slash + 1 : *file);
        }
        return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
