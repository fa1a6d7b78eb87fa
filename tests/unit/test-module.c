/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/kernel/module.h: modules.alias, and a modprobe of the test's own. */

#include "daemon/kernel/module.h"

#include <errno.h>
#include <sys/stat.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

static int collect(void *userdata, const char *line) {
        char ***lines = userdata;

        if (strstr(line, "stop"))
                return -ECANCELED;
        return strv_push(lines, line);
}

START_TEST(every_line_of_modules_alias_is_read) {
        _cleanup_strv_ char **lines = NULL;
        _cleanup_free_ char *joined = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write(&tree, "modules/modules.alias", "# comment\nalias a b\n\nalias c d");
        ck_assert_int_eq(module_read_aliases(&tree.roots, collect, &lines), 0);
        joined = strv_join(lines, "|");
        ck_assert_str_eq(joined, "# comment\n|alias a b\n|\n|alias c d");
}
END_TEST

START_TEST(reading_stops_where_the_reader_says) {
        _cleanup_strv_ char **lines = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write(&tree, "modules/modules.alias", "one\nstop\ntwo\n");
        ck_assert_int_eq(module_read_aliases(&tree.roots, collect, &lines), -ECANCELED);
        ck_assert_uint_eq(strv_length(lines), 1);
}
END_TEST

START_TEST(a_machine_without_modules_is_an_error_that_names_it) {
        Roots none = ROOTS_NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        ck_assert_int_eq(module_read_aliases(&tree.roots, collect, NULL), -ENOENT);
        ck_assert_int_eq(module_read_aliases(&none, collect, NULL), -EBADF);
        ck_assert_int_eq(module_load(&tree.roots, "vfio_pci"), -ENOENT);
}
END_TEST

/* A modprobe that writes down its arguments and knows one module. */
static void init_modprobe(Tree *tree) {
        _cleanup_free_ char *path = NULL, *setting = NULL, *script = NULL;

        tree_init(tree);
        path = string_format("%s/modprobe", tree->path);
        setting = string_format("%s\n", path);
        script = string_format("#!/bin/sh\necho \"$*\" >%s/arguments\n[ \"$3\" != unknown ]\n",
                               tree->path);
        tree_write(tree, "modprobe", script);
        ck_assert_int_eq(chmod(path, 0755), 0);
        tree_write(tree, "proc/sys/kernel/modprobe", setting);
}

START_TEST(the_modprobe_that_the_kernel_names_is_run) {
        static const char *const rows[][2] = {
                {"vfio_pci", "-q -- vfio_pci\n"},
                {"pci:v00008086d*", "-qb -- pci:v00008086d*\n"},
                {"--remove", "-q -- --remove\n"},
        };
        _cleanup_tree_ Tree tree;

        init_modprobe(&tree);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *arguments = NULL;

                ck_assert_int_eq(module_load(&tree.roots, rows[i][0]), 0);
                arguments = tree_read(&tree, "arguments");
                ck_assert_str_eq(arguments, rows[i][1]);
        }
        ck_assert_int_eq(module_load(&tree.roots, "unknown"), -ENOENT);
}
END_TEST

START_TEST(a_modprobe_that_is_switched_off_loads_nothing) {
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write(&tree, "proc/sys/kernel/modprobe", "\n");
        ck_assert_int_eq(module_load(&tree.roots, "vfio_pci"), -ENOENT);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("module");

        tcase_add_test(tests, every_line_of_modules_alias_is_read);
        tcase_add_test(tests, reading_stops_where_the_reader_says);
        tcase_add_test(tests, a_machine_without_modules_is_an_error_that_names_it);
        tcase_add_test(tests, the_modprobe_that_the_kernel_names_is_run);
        tcase_add_test(tests, a_modprobe_that_is_switched_off_loads_nothing);
        return tests_run(tests);
}
