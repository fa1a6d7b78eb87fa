/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/kernel/iommufd.h over a tree of plain files: what is known before the first ioctl, and
 * which node is opened. Nodes are those of /dev/full (1:7) and /dev/null (1:3), which know no
 * ioctl.
 */

#include "daemon/kernel/iommufd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define DEVICE "0000:03:00.0"
#define CLASS "sys/bus/pci/devices/" DEVICE "/vfio-dev"

START_TEST(what_the_kernel_has_is_read_from_dev_and_proc) {
        static const struct {
                const char *devices; /* NULL: no such file */
                bool node, iommufd, cdevs, known;
        } rows[] = {
                {"Character devices:\n 10 misc\n511 vfio\n510 vfio-dev\n\nBlock devices:\n", true,
                 true, true, true},
                {"Character devices:\n 10 misc\n511 vfio\n", true, true, false, true},
                {"Character devices:\n510 vfio-dev", true, true, true, true},
                {"Character devices:\n511 vfio", true, true, false, true},
                {"Character devices:\n510 vfio-dev\n", false, false, true, true},
                /* Names that only contain the word. */
                {"Character devices:\n 10 misc\n511 vfio-devs\n510 myvfio\n", true, true, false,
                 false},
                {"Character devices:\n 10 misc\n", true, true, false, false},
                {"", true, true, false, false},
                {NULL, true, true, false, false},
                {NULL, false, false, false, false},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_tree_ Tree tree;
                IommufdSupport support = {true, true, true};

                tree_init(&tree);
                if (rows[i].node)
                        tree_link(&tree, "dev/iommu", "/dev/null");
                if (rows[i].devices)
                        tree_write(&tree, "proc/devices", rows[i].devices);
                iommufd_read_support(&tree.roots, &support);
                ck_assert_msg(support.iommufd == rows[i].iommufd &&
                                      support.cdevs == rows[i].cdevs &&
                                      support.cdevs_known == rows[i].known,
                              "row %zu", i);
        }
}
END_TEST

static void init_device(Tree *tree, const char *number) {
        tree_init(tree);
        tree_write(tree, CLASS "/vfio3/dev", number);
        tree_link(tree, "dev/vfio/devices/vfio3", "/dev/full");
}

START_TEST(the_node_that_sysfs_names_is_opened) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_tree_ Tree tree;

        init_device(&tree, "1:7\n");
        fd = cdev_open(&tree.roots, "pci", DEVICE);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
}
END_TEST

/* Each row: what /sys says of the node, and what is there instead of it. */
START_TEST(a_node_that_is_not_the_devices_is_not_opened) {
        static const struct {
                const char *number;
                const char *node; /* NULL: none; "": a plain file */
                int error;
        } rows[] = {
                {"1:3\n", "/dev/full", -ENODEV}, {"7:1\n", "/dev/full", -ENODEV},
                {"\n", "/dev/full", -ENODEV},    {"1\n", "/dev/full", -ENODEV},
                {"0:0\n", "", -ENODEV},          {"1:7\n", NULL, -ENOENT},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                size_t before = count_fds();
                _cleanup_tree_ Tree tree;
                int fd;

                init_device(&tree, rows[i].number);
                tree_remove(&tree, "dev/vfio/devices/vfio3");
                if (rows[i].node && rows[i].node[0])
                        tree_link(&tree, "dev/vfio/devices/vfio3", rows[i].node);
                else if (rows[i].node)
                        tree_write(&tree, "dev/vfio/devices/vfio3", "");
                fd = cdev_open(&tree.roots, "pci", DEVICE);
                ck_assert_msg(fd == rows[i].error, "row %zu: %d", i, fd);
                /* The four directories of the tree. */
                ck_assert_uint_eq(count_fds(), before + 4);
        }
}
END_TEST

START_TEST(a_device_on_no_vfio_driver_has_no_node_to_open) {
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        ck_assert_int_eq(cdev_open(&tree.roots, "pci", DEVICE), -ENODEV);
        tree_mkdir(&tree, CLASS);
        ck_assert_int_eq(cdev_open(&tree.roots, "pci", DEVICE), -ENODEV);
        /* Without CONFIG_VFIO_DEVICE_CDEV the directory is there, and the node is not. */
        tree_mkdir(&tree, CLASS "/vfio3");
        ck_assert_int_eq(cdev_open(&tree.roots, "pci", DEVICE), -ENOENT);
        tree_link(&tree, "dev/vfio/devices/vfio3", "/dev/full");
        ck_assert_int_eq(cdev_open(&tree.roots, "pci", DEVICE), -ENOENT);
}
END_TEST

START_TEST(an_iommufd_whose_memory_cannot_be_charged_per_process_is_not_opened) {
        size_t before = count_fds();
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        ck_assert_int_eq(iommufd_open(&tree.roots), -ENOENT);
        tree_link(&tree, "dev/iommu", "/dev/null");
        ck_assert_int_eq(iommufd_open(&tree.roots), -ENOTTY);
        ck_assert_uint_eq(count_fds(), before + 4);
}
END_TEST

START_TEST(what_the_kernel_says_comes_back_as_it_is_and_nothing_is_set) {
        _cleanup_close_ int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        IovaRange *ranges = NULL;
        uint64_t alignment = 7;
        uint32_t number = 7;
        size_t n = 7;

        ck_assert_int_eq(iommufd_alloc_ioas(fd, &number), -ENOTTY);
        ck_assert_int_eq(iommufd_read_iovas(fd, 1, &ranges, &n, &alignment), -ENOTTY);
        ck_assert_int_eq(cdev_bind(fd, fd, &number), -ENOTTY);
        ck_assert_int_eq(cdev_attach(fd, 1), -ENOTTY);
        ck_assert_int_eq(cdev_detach(fd), -ENOTTY);
        ck_assert_int_eq(cdev_bind(-EBADF, fd, &number), -EBADF);
        ck_assert_uint_eq(number, 7);
        ck_assert_uint_eq(n, 7);
        ck_assert_uint_eq(alignment, 7);
        ck_assert_ptr_null(ranges);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("iommufd");

        tcase_add_test(tests, what_the_kernel_has_is_read_from_dev_and_proc);
        tcase_add_test(tests, the_node_that_sysfs_names_is_opened);
        tcase_add_test(tests, a_node_that_is_not_the_devices_is_not_opened);
        tcase_add_test(tests, a_device_on_no_vfio_driver_has_no_node_to_open);
        tcase_add_test(tests, an_iommufd_whose_memory_cannot_be_charged_per_process_is_not_opened);
        tcase_add_test(tests, what_the_kernel_says_comes_back_as_it_is_and_nothing_is_set);
        return tests_run(tests);
}
