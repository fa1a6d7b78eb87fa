/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/kernel/driver.h: what is written where. That the kernel does what it says is for the lab.
 */

#include "daemon/kernel/driver.h"

#include <errno.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define DEVICE "sys/bus/pci/devices/0000:01:00.0"
#define NAME "0000:01:00.0"

static void init_device(Tree *tree) {
        tree_init(tree);
        tree_write(tree, DEVICE "/driver_override", "");
        tree_write(tree, "sys/bus/pci/drivers/e1000/unbind", "");
        tree_write(tree, "sys/bus/pci/drivers/e1000/bind", "");
        tree_write(tree, "sys/bus/pci/drivers_probe", "");
        tree_link(tree, DEVICE "/driver", "../../../bus/pci/drivers/e1000");
        tree_mkdir(tree, "sys/class/vfio-dev");
}

static void assert_content(const Tree *tree, const char *path, const char *content) {
        _cleanup_free_ char *text = tree_read(tree, path);

        ck_assert_str_eq(text, content);
}

START_TEST(each_act_is_one_write_to_its_own_file) {
        _cleanup_tree_ Tree tree;

        init_device(&tree);
        ck_assert_int_eq(driver_set_override(&tree.roots, "pci", NAME, "vfio-pci"), 0);
        assert_content(&tree, DEVICE "/driver_override", "vfio-pci");
        ck_assert_int_eq(driver_unbind(&tree.roots, "pci", NAME, "e1000"), 0);
        assert_content(&tree, "sys/bus/pci/drivers/e1000/unbind", NAME);
        ck_assert_int_eq(driver_bind(&tree.roots, "pci", NAME, "e1000"), 0);
        assert_content(&tree, "sys/bus/pci/drivers/e1000/bind", NAME);
        ck_assert_int_eq(driver_probe(&tree.roots, "pci", NAME), 0);
        assert_content(&tree, "sys/bus/pci/drivers_probe", NAME);
}
END_TEST

/* An empty write would be no write. */
START_TEST(an_override_is_cleared_by_a_newline) {
        _cleanup_tree_ Tree tree;

        init_device(&tree);
        ck_assert_int_eq(driver_set_override(&tree.roots, "pci", NAME, ""), 0);
        assert_content(&tree, DEVICE "/driver_override", "\n");
        tree_write(&tree, DEVICE "/driver_override", "");
        ck_assert_int_eq(driver_set_override(&tree.roots, "pci", NAME, NULL), 0);
        assert_content(&tree, DEVICE "/driver_override", "\n");
}
END_TEST

START_TEST(what_is_not_there_is_enoent) {
        _cleanup_tree_ Tree tree;
        char *driver = NULL;

        init_device(&tree);
        ck_assert_int_eq(driver_set_override(&tree.roots, "pci", "0000:02:00.0", "x"), -ENOENT);
        ck_assert_int_eq(driver_bind(&tree.roots, "pci", NAME, "nvme"), -ENOENT);
        ck_assert_int_eq(driver_unbind(&tree.roots, "pci", NAME, "nvme"), -ENOENT);
        ck_assert_int_eq(driver_probe(&tree.roots, "platform", NAME), -ENOENT);
        ck_assert_int_eq(driver_read(&tree.roots, "pci", "0000:02:00.0", &driver), -ENOENT);
        ck_assert_ptr_null(driver);
}
END_TEST

START_TEST(the_driver_is_read_from_its_link) {
        _cleanup_free_ char *driver = NULL, *none = NULL;
        _cleanup_tree_ Tree tree;

        init_device(&tree);
        ck_assert_int_eq(driver_read(&tree.roots, "pci", NAME, &driver), 0);
        ck_assert_str_eq(driver, "e1000");
        tree_remove(&tree, DEVICE "/driver");
        ck_assert_int_eq(driver_read(&tree.roots, "pci", NAME, &none), 0);
        ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(a_vfio_driver_is_known_by_the_directory_it_makes) {
        _cleanup_tree_ Tree tree;

        init_device(&tree);
        ck_assert(!driver_is_vfio(&tree.roots, "pci", NAME));
        tree_remove(&tree, DEVICE "/driver");
        tree_link(&tree, DEVICE "/driver", "../../../bus/pci/drivers/vfio-pci");
        ck_assert(!driver_is_vfio(&tree.roots, "pci", NAME));
        tree_remove(&tree, "sys/class/vfio-dev");
        ck_assert(driver_is_vfio(&tree.roots, "pci", NAME));
        tree_remove(&tree, DEVICE "/driver");
        ck_assert(!driver_is_vfio(&tree.roots, "pci", NAME));
        tree_mkdir(&tree, DEVICE "/vfio-dev");
        ck_assert(driver_is_vfio(&tree.roots, "pci", NAME));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("driver");

        tcase_add_test(tests, each_act_is_one_write_to_its_own_file);
        tcase_add_test(tests, an_override_is_cleared_by_a_newline);
        tcase_add_test(tests, what_is_not_there_is_enoent);
        tcase_add_test(tests, the_driver_is_read_from_its_link);
        tcase_add_test(tests, a_vfio_driver_is_known_by_the_directory_it_makes);
        return tests_run(tests);
}
