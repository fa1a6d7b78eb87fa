/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/persist/assignments-file.h: whose file is believed, and one writer at a time. */

#include "daemon/persist/assignments-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

static void assert_problem(const Tree *tree, int error, const char *words) {
        _cleanup_free_ char *text = NULL, *problem = NULL;

        ck_assert_int_eq(assignments_file_read(tree->path, &text, &problem), error);
        ck_assert_ptr_null(text);
        ck_assert_msg(strstr(problem, "/assignments.json: ") && strstr(problem, words),
                      "'%s' does not say '%s'", problem, words);
}

START_TEST(no_file_is_no_text_and_no_problem) {
        _cleanup_free_ char *text = NULL, *problem = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        ck_assert_int_eq(assignments_file_read(tree.path, &text, &problem), 0);
        ck_assert_ptr_null(text);
        ck_assert_ptr_null(problem);
        ck_assert_int_eq(assignments_file_read("/nowhere/at/all", &text, &problem), 0);
        ck_assert_ptr_null(text);
}
END_TEST

START_TEST(what_is_written_everybody_may_read_and_without_text_it_goes) {
        _cleanup_free_ char *text = NULL, *problem = NULL, *path = NULL;
        _cleanup_tree_ Tree tree;
        struct stat status;

        tree_init(&tree);
        (void)umask(0077);
        ck_assert_int_eq(assignments_file_write(tree.path, "text"), 0);
        path = string_format("%s/" ASSIGNMENTS_FILE, tree.path);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_uint_eq(status.st_mode & 07777, 0644);
        ck_assert_int_eq(assignments_file_read(tree.path, &text, &problem), 0);
        ck_assert_str_eq(text, "text");
        ck_assert_int_eq(assignments_file_write(tree.path, NULL), 0);
        ck_assert_int_eq(assignments_file_write(tree.path, NULL), 0);
        ck_assert(!tree_has(&tree, ASSIGNMENTS_FILE));
}
END_TEST

START_TEST(a_file_of_somebody_else_s_or_of_another_kind_is_not_believed) {
        _cleanup_free_ char *path = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        path = string_format("%s/" ASSIGNMENTS_FILE, tree.path);
        tree_write(&tree, ASSIGNMENTS_FILE, "text");
        ck_assert_int_eq(chmod(path, 0664), 0);
        assert_problem(&tree, -EPERM, "a plain file of root that nobody else can write to");
        tree_remove(&tree, ASSIGNMENTS_FILE);
        tree_link(&tree, ASSIGNMENTS_FILE, "/etc/hostname");
        assert_problem(&tree, -EPERM, "a plain file of root");
        tree_remove(&tree, ASSIGNMENTS_FILE);
        tree_mkdir(&tree, ASSIGNMENTS_FILE);
        assert_problem(&tree, -EPERM, "a plain file of root");
}
END_TEST

START_TEST(a_file_that_is_too_large_or_has_a_nul_is_not_read) {
        _cleanup_free_ char *large = malloc(ASSIGNMENTS_FILE_MAX + 2);
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        ck_assert_ptr_nonnull(large);
        (void)memset(large, ' ', ASSIGNMENTS_FILE_MAX + 1);
        tree_write_bytes(&tree, ASSIGNMENTS_FILE, large, ASSIGNMENTS_FILE_MAX + 1);
        assert_problem(&tree, -EFBIG, "it is too large");
        tree_write_bytes(&tree, ASSIGNMENTS_FILE, "a\0b", 3);
        assert_problem(&tree, -EBADMSG, "it has a NUL in it");
}
END_TEST

START_TEST(there_is_one_writer_at_a_time) {
        _cleanup_close_ int lock = -EBADF, other = -EBADF;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        lock = assignments_file_lock(tree.path);
        ck_assert_int_ge(lock, 0);
        other = open(tree.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), -1);
        ck_assert_int_eq(errno, EWOULDBLOCK);
        lock = fd_close(lock);
        ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), 0);
        ck_assert_int_eq(assignments_file_lock("/nowhere/at/all"), -ENOENT);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("assignments-file");

        tcase_add_test(tests, no_file_is_no_text_and_no_problem);
        tcase_add_test(tests, what_is_written_everybody_may_read_and_without_text_it_goes);
        tcase_add_test(tests, a_file_of_somebody_else_s_or_of_another_kind_is_not_believed);
        tcase_add_test(tests, a_file_that_is_too_large_or_has_a_nul_is_not_read);
        tcase_add_test(tests, there_is_one_writer_at_a_time);
        return tests_run(tests);
}
