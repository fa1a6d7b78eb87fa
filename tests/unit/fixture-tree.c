/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the temporary directory, and the format of recordings. */

#include "tests/unit/fixture-tree.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

int tree_open(const Tree *tree, const char *path) {
        _cleanup_free_ char *full = string_format("%s/%s", tree->path, path);
        int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        return fd;
}

static int open_directory(const Tree *tree, const char *name) {
        tree_mkdir(tree, name);
        return tree_open(tree, name);
}

void tree_init(Tree *tree) {
        *tree = (Tree){.path = "/tmp/vfiod-unit.XXXXXX", .roots = ROOTS_NULL};
        ck_assert_ptr_nonnull(mkdtemp(tree->path));
        tree->roots.sys_fd = open_directory(tree, "sys");
        tree->roots.dev_fd = open_directory(tree, "dev");
        tree->roots.proc_fd = open_directory(tree, "proc");
        tree->roots.modules_fd = open_directory(tree, "modules");
}

static int remove_one(const char *path, const struct stat *status _unused_, int type _unused_,
                      struct FTW *ftw _unused_) {
        return remove(path);
}

void tree_done(Tree *tree) {
        roots_done(&tree->roots);
        (void)nftw(tree->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The full path, with all directories above it. Allocated. */
static char *make_path(const Tree *tree, const char *path) {
        char *full = string_format("%s/%s", tree->path, path);

        for (char *slash = strchr(full + strlen(tree->path) + 1, '/'); slash;
             slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                ck_assert(mkdir(full, 0755) == 0 || errno == EEXIST);
                *slash = '/';
        }
        return full;
}

void tree_write_bytes(const Tree *tree, const char *path, const char *bytes, size_t size) {
        _cleanup_free_ char *full = make_path(tree, path);
        _cleanup_close_ int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
}

void tree_write(const Tree *tree, const char *path, const char *content) {
        tree_write_bytes(tree, path, content, strlen(content));
}

void tree_link(const Tree *tree, const char *path, const char *target) {
        _cleanup_free_ char *full = make_path(tree, path);

        ck_assert_int_eq(symlink(target, full), 0);
}

void tree_mkdir(const Tree *tree, const char *path) {
        _cleanup_free_ char *below = string_format("%s/", path);
        _cleanup_free_ char *full = make_path(tree, below);

        ck_assert_ptr_nonnull(full);
}

void tree_remove(const Tree *tree, const char *path) {
        _cleanup_free_ char *full = string_format("%s/%s", tree->path, path);

        ck_assert_int_eq(remove(full), 0);
}

bool tree_has(const Tree *tree, const char *path) {
        _cleanup_free_ char *full = string_format("%s/%s", tree->path, path);

        return access(full, F_OK) == 0;
}

char *tree_read(const Tree *tree, const char *path) {
        _cleanup_free_ char *full = string_format("%s/%s", tree->path, path);
        _cleanup_close_ int fd = open(full, O_RDONLY | O_CLOEXEC);
        char buffer[4096];
        ssize_t n;

        ck_assert_msg(fd >= 0, "%s", path);
        n = read(fd, buffer, sizeof(buffer));
        ck_assert_int_ge(n, 0);
        return string_format("%.*s", (int)n, buffer);
}

/* Takes the escapes \n, \\ and \xNN out of the text, in place; returns its new length. */
static size_t unescape(char *text) {
        char *to = text;
        unsigned byte;

        for (const char *from = text; *from;)
                if (sscanf(from, "\\x%2x", &byte) == 1) {
                        *to++ = (char)byte;
                        from += 4;
                } else if (*from == '\\') {
                        *to++ = from[1] == 'n' ? '\n' : from[1];
                        from += 2;
                } else
                        *to++ = *from++;
        return (size_t)(to - text);
}

static void load_line(const Tree *tree, char *line) {
        char *tab = strchr(line, '\t'), *arrow = strstr(line, " -> ");
        _cleanup_free_ char *path = NULL;

        if (tab)
                *tab = '\0';
        else if (arrow)
                *arrow = '\0';
        path = string_format("sys/%s", line);
        if (tab)
                tree_write_bytes(tree, path, tab + 1, unescape(tab + 1));
        else if (arrow)
                tree_link(tree, path, arrow + strlen(" -> "));
        else
                tree_mkdir(tree, path);
}

void tree_load(const Tree *tree, const char *file) {
        FILE *recording = fopen(file, "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;

        ck_assert_msg(recording, "%s", file);
        while (getline(&line, &size, recording) >= 0) {
                line[strcspn(line, "\n")] = '\0';
                load_line(tree, line);
        }
        (void)fclose(recording);
}
