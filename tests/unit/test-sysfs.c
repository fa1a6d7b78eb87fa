/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/kernel/sysfs.h, over plain files. */

#include "daemon/kernel/sysfs.h"

#include <errno.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

START_TEST(an_attribute_loses_its_last_newline_and_no_other) {
        static const char *const rows[][2] = {
                {"value\n", "value"}, {"value", "value"}, {"a\nb\n", "a\nb"},
                {"a\n\n", "a\n"},     {"\n", ""},         {"", ""},
        };
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *text = NULL;

                tree_write(&tree, "sys/attribute", rows[i][0]);
                ck_assert_int_eq(sysfs_read(tree.roots.sys_fd, "attribute", &text), 0);
                ck_assert_str_eq(text, rows[i][1]);
        }
}
END_TEST

START_TEST(at_most_a_page_is_read) {
        _cleanup_free_ char *text = NULL;
        _cleanup_tree_ Tree tree;
        char content[5000];

        memset(content, 'x', sizeof(content));
        content[4999] = '\0';
        tree_init(&tree);
        tree_write(&tree, "sys/attribute", content);
        ck_assert_int_eq(sysfs_read(tree.roots.sys_fd, "attribute", &text), 0);
        ck_assert_uint_eq(strlen(text), 4096);
}
END_TEST

START_TEST(what_is_not_there_is_an_error_only_if_it_must_be) {
        char *const untouched = (char *)1;
        _cleanup_free_ char *link = NULL, *optional = NULL;
        char *text = untouched, **names = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        ck_assert_int_eq(sysfs_read(tree.roots.sys_fd, "none", &text), -ENOENT);
        ck_assert_ptr_eq(text, untouched);
        ck_assert_int_eq(sysfs_read_optional(tree.roots.sys_fd, "none", &optional), 0);
        ck_assert_str_eq(optional, "");
        ck_assert_int_eq(sysfs_read_link(tree.roots.sys_fd, "none", &link), 0);
        ck_assert_str_eq(link, "");
        ck_assert_int_eq(sysfs_list(tree.roots.sys_fd, "none", &names), 0);
        ck_assert_ptr_null(names);
        ck_assert(!sysfs_exists(tree.roots.sys_fd, "none"));
        ck_assert_int_eq(sysfs_write(tree.roots.sys_fd, "none", "x"), -ENOENT);
}
END_TEST

START_TEST(what_is_something_else_is_an_error) {
        char *text = NULL, **names = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write(&tree, "sys/dir/file", "x");
        ck_assert_int_eq(sysfs_read(tree.roots.sys_fd, "dir", &text), -EISDIR);
        ck_assert_int_eq(sysfs_read_optional(tree.roots.sys_fd, "dir", &text), -EISDIR);
        ck_assert_int_eq(sysfs_read_link(tree.roots.sys_fd, "dir/file", &text), -EINVAL);
        ck_assert_int_eq(sysfs_list(tree.roots.sys_fd, "dir/file", &names), -ENOTDIR);
        ck_assert_int_eq(sysfs_write(tree.roots.sys_fd, "dir", "x"), -EISDIR);
}
END_TEST

START_TEST(a_link_is_known_by_its_last_component_even_if_it_dangles) {
        _cleanup_free_ char *a = NULL, *b = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_link(&tree, "sys/driver", "../../bus/pci/drivers/e1000");
        tree_link(&tree, "sys/plain", "name");
        ck_assert_int_eq(sysfs_read_link(tree.roots.sys_fd, "driver", &a), 0);
        ck_assert_str_eq(a, "e1000");
        ck_assert_int_eq(sysfs_read_link(tree.roots.sys_fd, "plain", &b), 0);
        ck_assert_str_eq(b, "name");
}
END_TEST

START_TEST(a_place_is_what_follows_the_devices_of_the_tree) {
        static const struct {
                const char *link, *place;
        } rows[] = {
                {"../../../devices/pci0000:00/0000:00:01.0", "pci0000:00/0000:00:01.0"},
                {"../../elsewhere/0000:00:01.0", ""},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *target = NULL, *place = NULL;
                _cleanup_tree_ Tree tree;

                tree_init(&tree);
                tree_link(&tree, "sys/device", rows[i].link);
                ck_assert_int_eq(sysfs_read_target(tree.roots.sys_fd, "device", &target), 0);
                ck_assert_str_eq(target, rows[i].link);
                ck_assert_int_eq(sysfs_read_place(tree.roots.sys_fd, "device", &place), 0);
                ck_assert_str_eq(place, rows[i].place);
        }
}
END_TEST

START_TEST(what_is_no_link_has_no_place) {
        _cleanup_free_ char *directory = NULL, *nothing = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_mkdir(&tree, "sys/dir");
        ck_assert_int_eq(sysfs_read_place(tree.roots.sys_fd, "dir", &directory), 0);
        ck_assert_str_eq(directory, "");
        ck_assert_int_eq(sysfs_read_place(tree.roots.sys_fd, "none", &nothing), 0);
        ck_assert_str_eq(nothing, "");
}
END_TEST

/* Counts, and wants no more of a line "stop". */
static int count_line(void *userdata, const char *line) {
        ++*(size_t *)userdata;
        return strcmp(line, "stop\n") == 0 ? -EEXIST : 0;
}

START_TEST(lines_are_read_until_one_is_enough) {
        size_t all = 0, some = 0, none = 0;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write(&tree, "sys/all", "a\nb\nc");
        tree_write(&tree, "sys/some", "a\nstop\nc\n");
        ck_assert_int_eq(sysfs_read_lines(tree.roots.sys_fd, "all", count_line, &all), 0);
        ck_assert_uint_eq(all, 3);
        ck_assert_int_eq(sysfs_read_lines(tree.roots.sys_fd, "some", count_line, &some), -EEXIST);
        ck_assert_uint_eq(some, 2);
        ck_assert_int_eq(sysfs_read_lines(tree.roots.sys_fd, "none", count_line, &none), -ENOENT);
        ck_assert_uint_eq(none, 0);
}
END_TEST

START_TEST(a_listing_is_sorted_and_without_dots) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *joined = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_mkdir(&tree, "sys/dir/b");
        tree_write(&tree, "sys/dir/c", "");
        tree_link(&tree, "sys/dir/a", "nowhere");
        tree_write(&tree, "sys/dir/.hidden", "");
        ck_assert_int_eq(sysfs_list(tree.roots.sys_fd, "dir", &names), 0);
        joined = strv_join(names, " ");
        ck_assert_str_eq(joined, "a b c");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("sysfs");

        tcase_add_test(tests, an_attribute_loses_its_last_newline_and_no_other);
        tcase_add_test(tests, at_most_a_page_is_read);
        tcase_add_test(tests, what_is_not_there_is_an_error_only_if_it_must_be);
        tcase_add_test(tests, what_is_something_else_is_an_error);
        tcase_add_test(tests, a_link_is_known_by_its_last_component_even_if_it_dangles);
        tcase_add_test(tests, a_place_is_what_follows_the_devices_of_the_tree);
        tcase_add_test(tests, what_is_no_link_has_no_place);
        tcase_add_test(tests, lines_are_read_until_one_is_enough);
        tcase_add_test(tests, a_listing_is_sorted_and_without_dots);
        return tests_run(tests);
}
