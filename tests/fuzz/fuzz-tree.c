/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the temporary directory, and what may not be in it. */

#include "tests/fuzz/fuzz-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz.h"

/* Fewer processes than a search divides among processes of its own, and little enough to be quick.
 */
#define ENTRIES_MAX 150
#define DEPTH_MAX 16
#define NAME_BYTES_MAX 128

static int open_directory(const FuzzTree *tree, const char *name) {
        _cleanup_free_ char *path = string_format("%s/%s", tree->path, name);
        int fd;

        MUST(path && mkdir(path, 0755) == 0);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        MUST(fd >= 0);
        return fd;
}

/* Names only: nothing that goes up, nothing empty; in one of the four. */
static bool is_inside(const char *path) {
        static const char *const tops[] = {"sys/", "proc/", "dev/", "modules/"};
        bool known = false;

        for (size_t i = 0; i < ELEMENTS(tops); i++)
                known = known || string_after(path, tops[i]);
        for (size_t depth = 0; known; depth++) {
                size_t n = strcspn(path, "/");

                if (depth >= DEPTH_MAX || n == 0 || n > NAME_BYTES_MAX || path[0] == '.')
                        return false;
                if (path[n] == '\0')
                        return true;
                path += n + 1;
        }
        return false;
}

static size_t count_slashes(const char *path) {
        size_t n = 0;

        for (; *path; path++)
                n += *path == '/';
        return n;
}

/* Up first, and not further than the top; then down by names. Links on the way down do the same, so
 * none of them leads out. */
static bool target_is_inside(const char *path, const char *target) {
        size_t up = 0;
        const char *rest;

        if (target[0] == '/' || strlen(target) >= PATH_MAX)
                return false;
        for (; (rest = string_after(target, "../")); target = rest)
                up++;
        return up < count_slashes(path) && !strstr(target, "..");
}

/* Only true directories on the way, or the count of slashes would say nothing. */
static bool make_parents(int top, char *path) {
        struct stat status;

        for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                bool good;

                *slash = '\0';
                good = mkdirat(top, path, 0755) == 0 ||
                       (fstatat(top, path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                        S_ISDIR(status.st_mode));
                *slash = '/';
                if (!good)
                        return false;
        }
        return true;
}

static void write_file(int top, const char *path, const char *bytes, size_t size) {
        _cleanup_close_ int fd =
                openat(top, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

        if (fd >= 0)
                MUST(write(fd, bytes, size) == (ssize_t)size);
}

/* Takes the escapes \n, \t, \\ and \xNN out of the text, in place; returns its new length. */
static size_t unescape(char *text) {
        char *to = text;
        unsigned byte;

        for (const char *from = text; *from;)
                if (sscanf(from, "\\x%2x", &byte) == 1 && strlen(from) >= 4) {
                        *to++ = (char)byte;
                        from += 4;
                } else if (from[0] == '\\' && from[1]) {
                        *to++ = from[1] == 'n' ? '\n' : from[1] == 't' ? '\t' : from[1];
                        from += 2;
                } else
                        *to++ = *from++;
        return (size_t)(to - text);
}

static void add_line(int top, char *line) {
        char *tab = strchr(line, '\t'), *arrow = strstr(line, " -> ");

        if (tab)
                *tab = '\0';
        else if (arrow)
                *arrow = '\0';
        if (!is_inside(line) || !make_parents(top, line))
                return;
        if (tab)
                write_file(top, line, tab + 1, unescape(tab + 1));
        else if (!arrow)
                (void)mkdirat(top, line, 0755);
        else if (target_is_inside(line, arrow + strlen(" -> ")))
                (void)symlinkat(arrow + strlen(" -> "), top, line);
}

void fuzz_tree_init(FuzzTree *tree, char *text) {
        _cleanup_close_ int top = -EBADF;
        char *line;

        *tree = (FuzzTree){.path = fuzz_make_directory(), .roots = ROOTS_NULL};
        tree->roots.sys_fd = open_directory(tree, "sys");
        tree->roots.dev_fd = open_directory(tree, "dev");
        tree->roots.proc_fd = open_directory(tree, "proc");
        tree->roots.modules_fd = open_directory(tree, "modules");
        top = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        MUST(top >= 0);
        for (size_t i = 0; i < ENTRIES_MAX && (line = fuzz_line(&text)); i++)
                add_line(top, line);
}

void fuzz_tree_done(FuzzTree *tree) {
        tree->roots.sys_fd = fd_close(tree->roots.sys_fd);
        tree->roots.dev_fd = fd_close(tree->roots.dev_fd);
        tree->roots.proc_fd = fd_close(tree->roots.proc_fd);
        tree->roots.modules_fd = fd_close(tree->roots.modules_fd);
        fuzz_erase_directory(tree->path);
        free(TAKE_PTR(tree->path));
}
