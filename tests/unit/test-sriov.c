/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/kernel/sriov.h: what is written where, and what is read. */

#include "daemon/kernel/sriov.h"

#include <errno.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define NAME "0000:01:00.0"
#define DEVICE "sys/bus/pci/devices/" NAME

static void init_device(Tree *tree) {
        tree_init(tree);
        tree_write(tree, DEVICE "/sriov_numvfs", "0\n");
        tree_write(tree, DEVICE "/sriov_drivers_autoprobe", "1\n");
}

static void assert_content(const Tree *tree, const char *path, const char *content) {
        _cleanup_free_ char *text = tree_read(tree, path);

        ck_assert_str_eq(text, content);
}

START_TEST(a_number_of_functions_is_written_as_it_is) {
        _cleanup_tree_ Tree tree;

        init_device(&tree);
        ck_assert_int_eq(sriov_set_vfs(&tree.roots, NAME, 12), 0);
        assert_content(&tree, DEVICE "/sriov_numvfs", "12");
}
END_TEST

START_TEST(autoprobe_is_written_as_a_digit) {
        _cleanup_tree_ Tree tree;

        init_device(&tree);
        ck_assert_int_eq(sriov_set_autoprobe(&tree.roots, NAME, false), 0);
        assert_content(&tree, DEVICE "/sriov_drivers_autoprobe", "0\n");
        ck_assert_int_eq(sriov_set_autoprobe(&tree.roots, NAME, true), 0);
        assert_content(&tree, DEVICE "/sriov_drivers_autoprobe", "1\n");
}
END_TEST

START_TEST(the_number_of_functions_is_read_back) {
        _cleanup_tree_ Tree tree;
        uint32_t n = 7;

        init_device(&tree);
        ck_assert_int_eq(sriov_count_vfs(&tree.roots, NAME, &n), 0);
        ck_assert_uint_eq(n, 0);
        tree_write(&tree, DEVICE "/sriov_numvfs", "63\n");
        ck_assert_int_eq(sriov_count_vfs(&tree.roots, NAME, &n), 0);
        ck_assert_uint_eq(n, 63);
        tree_write(&tree, DEVICE "/sriov_numvfs", "many\n");
        ck_assert_int_eq(sriov_count_vfs(&tree.roots, NAME, &n), -EIO);
}
END_TEST

START_TEST(a_device_without_the_capability_is_enoent) {
        _cleanup_tree_ Tree tree;
        uint32_t n;

        tree_init(&tree);
        tree_mkdir(&tree, DEVICE);
        ck_assert_int_eq(sriov_set_vfs(&tree.roots, NAME, 1), -ENOENT);
        ck_assert_int_eq(sriov_count_vfs(&tree.roots, NAME, &n), -ENOENT);
        ck_assert_int_eq(sriov_set_autoprobe(&tree.roots, NAME, true), -ENOENT);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("sriov");

        tcase_add_test(tests, a_number_of_functions_is_written_as_it_is);
        tcase_add_test(tests, autoprobe_is_written_as_a_digit);
        tcase_add_test(tests, the_number_of_functions_is_read_back);
        tcase_add_test(tests, a_device_without_the_capability_is_enoent);
        return tests_run(tests);
}
