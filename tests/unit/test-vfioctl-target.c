/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* client/target.h: what people type. Interfaces are resolved in a directory made like sysfs. */

#include "client/target.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

/* A sysfs with its class/net open. */
typedef struct Sysfs {
        char path[32];
        int net_fd;
} Sysfs;

static char *under(const Sysfs *sysfs, const char *path) {
        char *full = string_format("%s/%s", sysfs->path, path);

        ck_assert_ptr_nonnull(full);
        return full;
}

static void make_directory(const Sysfs *sysfs, const char *path) {
        _cleanup_free_ char *full = under(sysfs, path);

        for (char *slash = full + strlen(sysfs->path) + 1; (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                ck_assert(mkdir(full, 0755) == 0 || errno == EEXIST);
                *slash = '/';
        }
        ck_assert(mkdir(full, 0755) == 0 || errno == EEXIST);
}

static void make_link(const Sysfs *sysfs, const char *path, const char *to) {
        _cleanup_free_ char *full = under(sysfs, path);

        ck_assert_int_eq(symlink(to, full), 0);
}

static void sysfs_init(Sysfs *sysfs) {
        _cleanup_free_ char *net = NULL;

        *sysfs = (Sysfs){.path = "/tmp/vfioctl-unit.XXXXXX", .net_fd = -EBADF};
        ck_assert_ptr_nonnull(mkdtemp(sysfs->path));
        make_directory(sysfs, "class/net");
        make_directory(sysfs, "kernel/iommu_groups/3");
        net = under(sysfs, "class/net");
        sysfs->net_fd = open(net, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(sysfs->net_fd, 0);
}

static int remove_one(const char *path, const struct stat *status _unused_, int type _unused_,
                      struct FTW *ftw _unused_) {
        return remove(path);
}

static void sysfs_done(Sysfs *sysfs) {
        sysfs->net_fd = fd_close(sysfs->net_fd);
        (void)nftw(sysfs->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* `parent` under devices/, the interface below it, and the links of both directions. */
static void make_interface(const Sysfs *sysfs, const char *parent, const char *name) {
        _cleanup_free_ char *directory = string_format("devices/%s/net/%s", parent, name);
        _cleanup_free_ char *link = string_format("class/net/%s", name);
        _cleanup_free_ char *to = string_format("../../%s", directory);
        _cleanup_free_ char *device = string_format("%s/device", directory);
        const char *slash = strrchr(parent, '/');
        _cleanup_free_ char *back = string_format("../../../%s", slash ? slash + 1 : parent);

        make_directory(sysfs, directory);
        make_link(sysfs, link, to);
        make_link(sysfs, device, back);
}

static void put_in_group(const Sysfs *sysfs, const char *device) {
        _cleanup_free_ char *link = string_format("devices/%s/iommu_group", device);

        /* As deep as sysfs has it is not needed: any link that leads somewhere will do. */
        make_link(sysfs, link, "/");
}

static void check_resolves(int net_fd, const char *typed, const char *expected) {
        _cleanup_free_ char *target = NULL;

        ck_assert_int_eq(target_resolve(net_fd, typed, &target), 0);
        assert_row_str(typed, target, expected);
}

START_TEST(an_interface_is_its_pci_device) {
        _cleanup_(sysfs_done) Sysfs sysfs;

        sysfs_init(&sysfs);
        make_interface(&sysfs, "pci0000:00/0000:00:1c.0/0000:01:00.0", "eth0");
        put_in_group(&sysfs, "pci0000:00/0000:00:1c.0/0000:01:00.0");
        put_in_group(&sysfs, "pci0000:00/0000:00:1c.0");
        check_resolves(sysfs.net_fd, "eth0", "0000:01:00.0");
}
END_TEST

START_TEST(an_interface_of_a_virtio_device_is_the_pci_device_above_it) {
        _cleanup_(sysfs_done) Sysfs sysfs;

        sysfs_init(&sysfs);
        make_interface(&sysfs, "pci0000:00/0000:00:03.0/virtio0", "ens3");
        put_in_group(&sysfs, "pci0000:00/0000:00:03.0");
        check_resolves(sysfs.net_fd, "ens3", "0000:00:03.0");
}
END_TEST

START_TEST(without_an_iommu_the_device_right_under_the_interface_is_named) {
        _cleanup_(sysfs_done) Sysfs sysfs;

        sysfs_init(&sysfs);
        make_interface(&sysfs, "pci0000:00/0000:01:00.0", "eth0");
        check_resolves(sysfs.net_fd, "eth0", "0000:01:00.0");
}
END_TEST

START_TEST(an_interface_without_a_device_is_passed_on) {
        _cleanup_(sysfs_done) Sysfs sysfs;

        sysfs_init(&sysfs);
        make_directory(&sysfs, "devices/virtual/net/lo");
        make_link(&sysfs, "class/net/lo", "../../devices/virtual/net/lo");
        check_resolves(sysfs.net_fd, "lo", "lo");
}
END_TEST

START_TEST(what_is_no_interface_is_passed_on_as_it_was_typed) {
        static const char *const rows[] = {
                "",
                ".",
                "..",
                "0000:01:00.0",
                "01:00.0",
                "group/3",
                "group/x",
                "../net/eth0",
                "eth0/device",
                "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
                "fff51000.ethernet",
                "no such thing",
                "eth1",
        };
        _cleanup_(sysfs_done) Sysfs sysfs;

        sysfs_init(&sysfs);
        make_interface(&sysfs, "pci0000:00/0000:01:00.0", "eth0");
        put_in_group(&sysfs, "pci0000:00/0000:01:00.0");
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                check_resolves(sysfs.net_fd, rows[i], rows[i]);
}
END_TEST

START_TEST(without_sysfs_everything_is_passed_on) {
        check_resolves(-EBADF, "eth0", "eth0");
        check_resolves(-EBADF, "01:00.0", "01:00.0");
}
END_TEST

START_TEST(a_list_keeps_its_order_and_its_duplicates) {
        char *typed[] = {(char *)"group/7", (char *)"01:00.0", (char *)"group/7", NULL};
        _cleanup_strv_ char **targets = NULL;

        ck_assert_int_eq(targets_resolve(typed, &targets), 0);
        ck_assert_uint_eq(strv_length(targets), 3);
        for (size_t i = 0; i < 3; i++)
                ck_assert_str_eq(targets[i], typed[i]);
}
END_TEST

START_TEST(only_a_plain_group_is_asked_for_by_number) {
        static const char *const wrong[] = {"",         "3",        "group",           "group/",
                                            "group/x",  "group/-1", "group/3x",        "Group/3",
                                            "group/+3", "group/ 3", "group/4294967296"};
        uint32_t number;

        ck_assert_int_eq(target_to_group("group/0", &number), 0);
        ck_assert_uint_eq(number, 0);
        ck_assert_int_eq(target_to_group("group/4294967295", &number), 0);
        ck_assert_uint_eq(number, UINT32_MAX);
        for (size_t i = 0; i < ELEMENTS(wrong); i++)
                ck_assert_msg(target_to_group(wrong[i], &number) == -EINVAL, "%s", wrong[i]);
}
END_TEST

START_TEST(a_lease_is_named_in_three_ways) {
        static const char *const right[] = {"7", "lease/7", "/org/vfiod1/lease/7", "07"};
        static const char *const wrong[] = {
                "",
                "x",
                "-7",
                "lease/",
                "lease/7/8",
                "lease/lease/7",
                "/org/vfiod1/lease/",
                "/org/vfiod1/lease/lease/7",
                "/org/vfiod1/group/7",
                "4294967296",
        };

        for (size_t i = 0; i < ELEMENTS(right); i++) {
                _cleanup_free_ char *path = NULL;

                ck_assert_msg(target_to_lease(right[i], &path) == 0, "%s", right[i]);
                assert_row_str(right[i], path, "/org/vfiod1/lease/7");
        }
        for (size_t i = 0; i < ELEMENTS(wrong); i++) {
                _cleanup_free_ char *path = NULL;

                ck_assert_msg(target_to_lease(wrong[i], &path) == -EINVAL, "%s", wrong[i]);
        }
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfioctl-target");

        tcase_add_test(tests, an_interface_is_its_pci_device);
        tcase_add_test(tests, an_interface_of_a_virtio_device_is_the_pci_device_above_it);
        tcase_add_test(tests, without_an_iommu_the_device_right_under_the_interface_is_named);
        tcase_add_test(tests, an_interface_without_a_device_is_passed_on);
        tcase_add_test(tests, what_is_no_interface_is_passed_on_as_it_was_typed);
        tcase_add_test(tests, without_sysfs_everything_is_passed_on);
        tcase_add_test(tests, a_list_keeps_its_order_and_its_duplicates);
        tcase_add_test(tests, only_a_plain_group_is_asked_for_by_number);
        tcase_add_test(tests, a_lease_is_named_in_three_ways);
        return tests_run(tests);
}
