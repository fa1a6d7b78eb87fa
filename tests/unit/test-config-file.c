/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/persist/config-file.h: which files are read, and in which order. */

#include "daemon/persist/config-file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define SIZE_LIMIT (1024 * 1024)

typedef struct Seen {
        const char *directory;
        char *text;
} Seen;

/* "vfiod.json=..." of every file, and a stop at one that says "stop". */
static int see(void *userdata, const char *file, const char *text) {
        Seen *seen = userdata;

        ck_assert_ptr_nonnull(string_after(file, seen->directory));
        ck_assert_int_eq(string_append(&seen->text, "%s=%s ", file + strlen(seen->directory), text),
                         0);
        return strcmp(text, "stop") == 0 ? -ECANCELED : 0;
}

static int read_files(const Tree *tree, char **ret_text, char **ret_failed) {
        Seen seen = {.directory = tree->path};
        int r = config_files_read(tree->path, see, &seen, ret_failed);

        *ret_text = seen.text;
        return r;
}

START_TEST(no_file_at_all_is_fine) {
        _cleanup_free_ char *text = NULL, *failed = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        ck_assert_int_eq(read_files(&tree, &text, &failed), 0);
        ck_assert_ptr_null(text);
        ck_assert_ptr_null(failed);
}
END_TEST

START_TEST(drop_ins_follow_in_the_order_of_their_names) {
        _cleanup_free_ char *text = NULL, *failed = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write(&tree, "vfiod.json.d/20-b.json", "b");
        tree_write(&tree, "vfiod.json", "main");
        tree_write(&tree, "vfiod.json.d/10-a.json", "a");
        tree_write(&tree, "vfiod.json.d/.hidden.json", "hidden");
        tree_write(&tree, "vfiod.json.d/README", "text");
        tree_write(&tree, "vfiod.json.d/30-c.json~", "backup");
        tree_write(&tree, "vfiod.json.d/.json", "no name");
        ck_assert_int_eq(read_files(&tree, &text, &failed), 0);
        ck_assert_str_eq(text,
                         "/vfiod.json=main /vfiod.json.d/10-a.json=a /vfiod.json.d/20-b.json=b ");
}
END_TEST

START_TEST(reading_stops_at_the_file_that_is_not_taken) {
        _cleanup_free_ char *text = NULL, *failed = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write(&tree, "vfiod.json", "main");
        tree_write(&tree, "vfiod.json.d/1.json", "stop");
        tree_write(&tree, "vfiod.json.d/2.json", "after");
        ck_assert_int_eq(read_files(&tree, &text, &failed), -ECANCELED);
        ck_assert_str_eq(text, "/vfiod.json=main /vfiod.json.d/1.json=stop ");
        ck_assert_ptr_null(failed);
}
END_TEST

START_TEST(what_cannot_be_read_as_text_is_named) {
        _cleanup_free_ char *text = NULL, *directory = NULL, *large = NULL, *nul = NULL,
                            *big = NULL;
        _cleanup_free_ char *path = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        path = string_format("%s/vfiod.json", tree.path);
        tree_mkdir(&tree, "vfiod.json");
        ck_assert_int_eq(read_files(&tree, &text, &directory), -EINVAL);
        ck_assert_str_eq(directory, path);
        tree_remove(&tree, "vfiod.json");

        big = malloc(SIZE_LIMIT + 2);
        ck_assert_ptr_nonnull(big);
        memset(big, ' ', SIZE_LIMIT + 1);
        big[SIZE_LIMIT + 1] = '\0';
        tree_write(&tree, "vfiod.json", big);
        ck_assert_int_eq(read_files(&tree, &text, &large), -EINVAL);
        ck_assert_str_eq(large, path);

        tree_write_bytes(&tree, "vfiod.json", "{}\0{", 4);
        ck_assert_int_eq(read_files(&tree, &text, &nul), -EINVAL);
        ck_assert_str_eq(nul, path);
        ck_assert_ptr_null(text);
}
END_TEST

START_TEST(a_fifo_does_not_block) {
        _cleanup_free_ char *text = NULL, *failed = NULL, *path = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        path = string_format("%s/vfiod.json", tree.path);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        ck_assert_int_eq(read_files(&tree, &text, &failed), -EINVAL);
        ck_assert_str_eq(failed, path);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("config-file");

        tcase_add_test(tests, no_file_at_all_is_fine);
        tcase_add_test(tests, drop_ins_follow_in_the_order_of_their_names);
        tcase_add_test(tests, reading_stops_at_the_file_that_is_not_taken);
        tcase_add_test(tests, what_cannot_be_read_as_text_is_named);
        tcase_add_test(tests, a_fifo_does_not_block);
        return tests_run(tests);
}
