/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/persist/state-file.h: the old text or the new one, and no file of somebody else's. */

#include "daemon/persist/state-file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define NAME "state.json"

static int open_tree(const Tree *tree) {
        int fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        return fd;
}

static void assert_text(int directory, const char *text) {
        _cleanup_free_ char *is = NULL;

        ck_assert_int_eq(state_file_read(directory, NAME, geteuid(), &is), 0);
        ck_assert_str_eq(is, text);
}

static void assert_no_leftover(int directory) {
        ck_assert_int_eq(faccessat(directory, NAME ".new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

START_TEST(what_is_written_is_read_and_replaced_as_a_whole) {
        _cleanup_close_ int directory = -EBADF;
        _cleanup_tree_ Tree tree;
        struct stat status;

        tree_init(&tree);
        directory = open_tree(&tree);
        ck_assert_int_eq(state_file_write(directory, NAME, "a longer text"), 0);
        assert_text(directory, "a longer text");
        ck_assert_int_eq(state_file_write(directory, NAME, "short"), 0);
        assert_text(directory, "short");
        ck_assert_int_eq(state_file_write(directory, NAME, ""), 0);
        assert_text(directory, "");
        assert_no_leftover(directory);
        ck_assert_int_eq(fstatat(directory, NAME, &status, 0), 0);
        ck_assert_uint_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(a_writer_that_was_killed_is_no_hindrance_to_the_next) {
        _cleanup_close_ int directory = -EBADF;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        directory = open_tree(&tree);
        tree_write(&tree, NAME, "old");
        tree_write(&tree, NAME ".new", "half of a te");
        assert_text(directory, "old");
        ck_assert_int_eq(state_file_write(directory, NAME, "new"), 0);
        assert_text(directory, "new");
        assert_no_leftover(directory);
}
END_TEST

START_TEST(a_write_that_fails_leaves_the_old_text_and_nothing_else) {
        _cleanup_close_ int directory = -EBADF;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        directory = open_tree(&tree);
        ck_assert_int_eq(state_file_write(directory, NAME, "old"), 0);
        ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4, 4}), 0);
        ck_assert_int_eq(state_file_write(directory, NAME, "a longer text"), -EFBIG);
        assert_text(directory, "old");
        assert_no_leftover(directory);
}
END_TEST

START_TEST(a_name_that_cannot_be_replaced_is_an_error_and_leaves_nothing_behind) {
        _cleanup_close_ int directory = -EBADF;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        directory = open_tree(&tree);
        tree_mkdir(&tree, NAME);
        ck_assert_int_eq(state_file_write(directory, NAME, "new"), -EISDIR);
        assert_no_leftover(directory);
        tree_mkdir(&tree, NAME ".new");
        ck_assert_int_eq(state_file_write(directory, NAME, "new"), -EISDIR);
}
END_TEST

START_TEST(no_file_is_told_from_one_that_cannot_be_trusted) {
        _cleanup_close_ int directory = -EBADF;
        _cleanup_free_ char *text = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        directory = open_tree(&tree);
        ck_assert_int_eq(state_file_read(directory, NAME, geteuid(), &text), -ENOENT);
        tree_write(&tree, NAME, "text");
        ck_assert_int_eq(state_file_read(directory, NAME, geteuid() + 1, &text), -EPERM);
        ck_assert_int_eq(fchmodat(directory, NAME, 0620, 0), 0);
        ck_assert_int_eq(state_file_read(directory, NAME, geteuid(), &text), -EPERM);
        ck_assert_int_eq(fchmodat(directory, NAME, 0602, 0), 0);
        ck_assert_int_eq(state_file_read(directory, NAME, geteuid(), &text), -EPERM);
        ck_assert_int_eq(fchmodat(directory, NAME, 0644, 0), 0);
        assert_text(directory, "text");
}
END_TEST

START_TEST(only_a_plain_file_is_read) {
        _cleanup_close_ int directory = -EBADF;
        _cleanup_free_ char *text = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        directory = open_tree(&tree);
        tree_write(&tree, "other", "text");
        tree_link(&tree, NAME, "other");
        ck_assert_int_eq(state_file_read(directory, NAME, geteuid(), &text), -EPERM);
        tree_remove(&tree, NAME);
        ck_assert_int_eq(mkfifoat(directory, NAME, 0600), 0);
        ck_assert_int_eq(state_file_read(directory, NAME, geteuid(), &text), -EPERM);
        tree_remove(&tree, NAME);
        tree_mkdir(&tree, NAME);
        ck_assert_int_eq(state_file_read(directory, NAME, geteuid(), &text), -EPERM);
}
END_TEST

START_TEST(a_text_with_a_nul_in_it_or_too_long_is_refused) {
        _cleanup_close_ int directory = -EBADF;
        _cleanup_free_ char *text = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        directory = open_tree(&tree);
        tree_write_bytes(&tree, NAME, "{}\0{}", 5);
        ck_assert_int_eq(fchmodat(directory, NAME, 0600, 0), 0);
        ck_assert_int_eq(state_file_read(directory, NAME, geteuid(), &text), -EBADMSG);
        tree_write(&tree, NAME, "");
        ck_assert_int_eq(fchmodat(directory, NAME, 0600, 0), 0);
        {
                _cleanup_close_ int fd = openat(directory, NAME, O_WRONLY | O_CLOEXEC);

                ck_assert_int_eq(ftruncate(fd, (off_t)STATE_FILE_MAX + 1), 0);
        }
        ck_assert_int_eq(state_file_read(directory, NAME, geteuid(), &text), -EFBIG);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("state-file");

        tcase_add_test(tests, what_is_written_is_read_and_replaced_as_a_whole);
        tcase_add_test(tests, a_writer_that_was_killed_is_no_hindrance_to_the_next);
        tcase_add_test(tests, a_write_that_fails_leaves_the_old_text_and_nothing_else);
        tcase_add_test(tests, a_name_that_cannot_be_replaced_is_an_error_and_leaves_nothing_behind);
        tcase_add_test(tests, no_file_is_told_from_one_that_cannot_be_trusted);
        tcase_add_test(tests, only_a_plain_file_is_read);
        tcase_add_test(tests, a_text_with_a_nul_in_it_or_too_long_is_refused);
        return tests_run(tests);
}
