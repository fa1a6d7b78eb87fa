/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/kernel/usage.h: what the host uses of a device, by trees as sysfs and proc show them. */

#include "daemon/kernel/usage.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/util/string.h"
#include "tests/stub/stub-interface-addresses.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define DISK "0000:02:00.0"
#define DISK_PATH "pci0000:00/0000:00:02.0/" DISK
#define NIC "0000:01:00.0"
#define NIC_PATH "pci0000:00/0000:00:01.0/" NIC

/* A block device at a place below /sys/devices; `partition`: it is one. */
static void add_block(const Tree *tree, const char *name, const char *place, const char *number,
                      bool partition) {
        _cleanup_free_ char *link = string_format("sys/class/block/%s", name);
        _cleanup_free_ char *target = string_format("../../devices/%s", place);
        _cleanup_free_ char *dev = string_format("sys/devices/%s/dev", place);
        _cleanup_free_ char *mark = string_format("sys/devices/%s/partition", place);

        tree_link(tree, link, target);
        tree_write(tree, dev, number);
        if (partition)
                tree_write(tree, mark, "1\n");
}

static void add_net(const Tree *tree, const char *name, const char *place) {
        _cleanup_free_ char *link = string_format("sys/class/net/%s", name);
        _cleanup_free_ char *target = string_format("../../devices/%s/net/%s", place, name);
        _cleanup_free_ char *directory = string_format("sys/devices/%s/net/%s", place, name);

        tree_mkdir(tree, directory);
        tree_link(tree, link, target);
}

static void add_upper(const Tree *tree, const char *place, const char *name, const char *upper) {
        _cleanup_free_ char *path =
                string_format("sys/devices/%s/net/%s/upper_%s", place, name, upper);

        tree_mkdir(tree, path);
}

/* An nvme disk with two partitions. */
static void init_disk(Tree *tree) {
        tree_init(tree);
        add_block(tree, "nvme0n1", DISK_PATH "/nvme/nvme0/nvme0n1", "259:0\n", false);
        add_block(tree, "nvme0n1p1", DISK_PATH "/nvme/nvme0/nvme0n1/nvme0n1p1", "259:1\n", true);
        add_block(tree, "nvme0n1p2", DISK_PATH "/nvme/nvme0/nvme0n1/nvme0n1p2", "259:2\n", true);
        tree_write(tree, "proc/1/mountinfo", "1 0 0:22 / /proc rw - proc proc rw\n");
        tree_write(tree, "proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
}

static void init_nic(Tree *tree) {
        tree_init(tree);
        stub_interface_addresses = (StubInterfaceAddresses){0};
        add_net(tree, "eth0", NIC_PATH);
        tree_write(tree, "proc/1/net/route", "Iface\tDestination\tGateway\n");
}

static void assert_uses(const Tree *tree, const char *name, const char *path, const char *uses) {
        DeviceFacts facts = {.name = (char *)name, .bus = (char *)"pci", .path = (char *)path};
        _cleanup_strv_ char **found = NULL;
        _cleanup_free_ char *text = NULL;
        HostUsage *usage;

        ck_assert_int_eq(host_usage_read(&tree->roots, &usage), 0);
        ck_assert_int_eq(host_usage_of(usage, &facts, &found), 0);
        text = strv_join(found, "; ");
        ck_assert_str_eq(text, uses);
        host_usage_free(usage);
}

#define assert_disk(tree, uses) assert_uses(tree, DISK, DISK_PATH, uses)
#define assert_nic(tree, uses) assert_uses(tree, NIC, NIC_PATH, uses)

START_TEST(a_disk_that_nothing_is_mounted_from_is_not_in_use) {
        _cleanup_tree_ Tree tree;

        init_disk(&tree);
        assert_disk(&tree, "");
        assert_uses(&tree, "0000:02:00.1", "pci0000:00/0000:00:02.0/0000:02:00.1", "");
}
END_TEST

START_TEST(a_disk_is_in_use_by_a_mount_of_itself_or_of_a_partition) {
        _cleanup_tree_ Tree tree;

        init_disk(&tree);
        tree_write(&tree, "proc/1/mountinfo",
                   "1 0 0:22 / /proc rw - proc proc rw\n"
                   "28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw\n"
                   "29 28 259:1 /a /elsewhere rw - ext4 /dev/nvme0n1p1 rw\n");
        assert_disk(&tree, "nvme0n1p1 is mounted on /");
        tree_write(&tree, "proc/1/mountinfo", "28 1 259:0 / /data rw - ext4 /dev/nvme0n1 rw\n");
        assert_disk(&tree, "nvme0n1 is mounted on /data");
        /* Of a device whose name begins like it. */
        assert_uses(&tree, "0000:02:00", "pci0000:00/0000:00:02.0/0000:02:00", "");
}
END_TEST

START_TEST(a_mount_point_is_told_of_by_its_name_and_as_text) {
        static const char uncut[] = "/\\040\\134\\011\xff\\200\xc3\xbc";
        _cleanup_free_ char *cut = NULL, *mounts = NULL, *uses = NULL;
        _cleanup_tree_ Tree tree;

        init_disk(&tree);
        mounts = string_format("28 1 259:1 / %s rw - ext4 /dev/nvme0n1p1 rw\n", uncut);
        tree_write(&tree, "proc/1/mountinfo", mounts);
        assert_disk(&tree, "nvme0n1p1 is mounted on / \\???\xc3\xbc");
        /* In the middle of a character. */
        cut = string_format("/%0253u\xc3\xbc", 0U);
        free(mounts);
        mounts = string_format("28 1 259:1 / %s rw - ext4 /dev/nvme0n1p1 rw\n", cut);
        tree_write(&tree, "proc/1/mountinfo", mounts);
        uses = string_format("nvme0n1p1 is mounted on /%0253u?", 0U);
        assert_disk(&tree, uses);
}
END_TEST

START_TEST(process_1_is_whose_mounts_count_and_our_own_where_it_shows_none) {
        _cleanup_tree_ Tree tree;

        init_disk(&tree);
        tree_write(&tree, "proc/self/mountinfo", "28 1 259:1 / / rw - ext4 /dev/nvme0n1p1 rw\n");
        assert_disk(&tree, "");
        tree_remove(&tree, "proc/1/mountinfo");
        assert_disk(&tree, "nvme0n1p1 is mounted on /");
}
END_TEST

START_TEST(a_disk_is_in_use_by_swap_that_is_a_partition) {
        _cleanup_tree_ Tree tree;

        init_disk(&tree);
        tree_write(&tree, "proc/swaps",
                   "Filename\t\t\tType\t\tSize\tUsed\tPriority\n"
                   "/nvme0n1p1 file 1 1 1\n"
                   "/dev/nvme0n1p2  partition 1048572 0 -2\n");
        assert_disk(&tree, "nvme0n1p2 is swap");
}
END_TEST

START_TEST(a_disk_is_in_use_by_what_is_made_of_its_partitions_however_deep) {
        _cleanup_tree_ Tree tree;

        init_disk(&tree);
        tree_mkdir(&tree, "sys/devices/" DISK_PATH "/nvme/nvme0/nvme0n1/nvme0n1p2/holders/md0");
        add_block(&tree, "md0", "virtual/block/md0", "9:0\n", false);
        tree_mkdir(&tree, "sys/devices/virtual/block/md0/holders/dm-1");
        add_block(&tree, "dm-1", "virtual/block/dm-1", "254:1\n", false);
        assert_disk(&tree, "");
        tree_write(&tree, "proc/1/mountinfo", "28 1 254:1 / /srv rw - xfs /dev/mapper/x rw\n");
        assert_disk(&tree, "dm-1 is mounted on /srv");
        tree_write(&tree, "proc/swaps", "x\n/dev/dm-1 partition 1 0 -2\n");
        assert_disk(&tree, "dm-1 is swap");
}
END_TEST

START_TEST(what_holds_itself_ends_somewhere) {
        _cleanup_tree_ Tree tree;

        init_disk(&tree);
        tree_mkdir(&tree, "sys/devices/" DISK_PATH "/nvme/nvme0/nvme0n1/holders/nvme0n1");
        assert_disk(&tree, "");
}
END_TEST

START_TEST(a_btrfs_is_mounted_from_all_of_its_disks) {
        _cleanup_tree_ Tree tree;

        init_disk(&tree);
        tree_mkdir(&tree, "sys/fs/btrfs/features");
        tree_mkdir(&tree, "sys/fs/btrfs/0d5b/devices/nvme0n1p2");
        assert_disk(&tree, "nvme0n1p2 is of a mounted btrfs");
}
END_TEST

START_TEST(a_disk_of_nvme_multipath_is_each_of_its_controllers) {
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        add_block(&tree, "nvme0n1", "virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "259:0\n",
                  false);
        tree_link(&tree, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme1",
                  "../../../" DISK_PATH "/nvme/nvme1");
        tree_write(&tree, "proc/1/mountinfo", "28 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
        assert_disk(&tree, "nvme0n1 is mounted on /");
        assert_nic(&tree, "");
}
END_TEST

START_TEST(no_more_uses_are_told_than_anybody_wants_to_read) {
        _cleanup_tree_ Tree tree;
        _cleanup_free_ char *mounts = NULL;

        tree_init(&tree);
        for (unsigned i = 0; i < 20; i++) {
                _cleanup_free_ char *name = string_format("sd%c", 'a' + (int)i);
                _cleanup_free_ char *place = string_format(DISK_PATH "/ata1/%s", name);
                _cleanup_free_ char *number = string_format("8:%u\n", i);

                add_block(&tree, name, place, number, false);
                (void)string_append(&mounts, "28 1 8:%u / /%u rw - ext4 /dev/x rw\n", i, i);
        }
        tree_write(&tree, "proc/1/mountinfo", mounts);
        assert_disk(&tree,
                    "sda is mounted on /0; sdb is mounted on /1; sdc is mounted on /2; sdd is "
                    "mounted on /3; sde is mounted on /4; sdf is mounted on /5; sdg is mounted on "
                    "/6; sdh is mounted on /7");
}
END_TEST

START_TEST(an_interface_is_in_use_by_a_route_or_an_address) {
        _cleanup_tree_ Tree tree;

        init_nic(&tree);
        assert_nic(&tree, "");
        tree_write(&tree, "proc/1/net/if_inet6",
                   "fe80000000000000505400fffe123456 02 40 20 80     eth0\n"
                   "00000000000000000000000000000001 01 80 10 80       lo\n");
        assert_nic(&tree, "");
        tree_write(&tree, "proc/1/net/if_inet6",
                   "20010db8000000000000000000000001 02 40 00 80     eth0\n");
        assert_nic(&tree, "eth0 has an address");
        tree_write(&tree, "proc/1/net/route",
                   "Iface\tDestination\tGateway\n"
                   "eth1\t00000000\t0102A8C0\n"
                   "eth0\t0002A8C0\t00000000\n");
        assert_nic(&tree, "eth0 has a route");
}
END_TEST

START_TEST(an_interface_with_an_ipv4_address_and_no_route_is_in_use) {
        _cleanup_tree_ Tree tree;

        init_nic(&tree);
        stub_interface_addresses.interface = "eth1";
        assert_nic(&tree, "");
        stub_interface_addresses.interface = "eth0";
        assert_nic(&tree, "eth0 has an address");
        tree_write(&tree, "proc/1/net/route", "Iface\neth0\t0002A8C0\t00000000\n");
        assert_nic(&tree, "eth0 has a route");
}
END_TEST

START_TEST(while_addresses_cannot_be_asked_for_nothing_is_free) {
        _cleanup_tree_ Tree tree;
        HostUsage *usage = NULL;

        init_nic(&tree);
        stub_interface_addresses.error = -EMFILE;
        ck_assert_int_eq(host_usage_read(&tree.roots, &usage), -EMFILE);
        ck_assert_ptr_null(usage);
}
END_TEST

START_TEST(an_interface_whose_name_is_no_text_is_found_and_told_of_as_text) {
        _cleanup_tree_ Tree tree;

        init_nic(&tree);
        add_net(&tree, "eth\xfe", NIC_PATH);
        tree_write(&tree, "proc/1/net/route", "Iface\neth\xfe\t0002A8C0\t00000000\n");
        assert_nic(&tree, "eth? has a route");
}
END_TEST

START_TEST(an_interface_is_in_use_by_what_stands_on_it_however_high) {
        _cleanup_tree_ Tree tree;

        init_nic(&tree);
        add_net(&tree, "bond0", "virtual");
        add_net(&tree, "br0", "virtual");
        add_upper(&tree, NIC_PATH, "eth0", "bond0");
        add_upper(&tree, "virtual", "bond0", "br0");
        add_upper(&tree, "virtual", "br0", "eth0");
        assert_nic(&tree, "");
        tree_write(&tree, "proc/1/net/route", "Iface\nbr0\t0002A8C0\t00000000\n");
        assert_nic(&tree, "br0 has a route");
}
END_TEST

START_TEST(the_interface_of_a_child_is_the_devices) {
        _cleanup_tree_ Tree tree;

        init_nic(&tree);
        add_net(&tree, "ens3", NIC_PATH "/virtio0");
        tree_write(&tree, "proc/1/net/route", "Iface\nens3\t0002A8C0\t00000000\n");
        assert_nic(&tree, "ens3 has a route");
        assert_disk(&tree, "");
}
END_TEST

/* It leads to itself. */
static void add_unreadable(const Tree *tree, const char *path) {
        tree_link(tree, path, strrchr(path, '/') + 1);
}

/* Not even that of a device that has nothing to do with it. */
START_TEST(while_something_that_tells_of_use_cannot_be_read_nothing_is_free) {
        static const char *const rows[] = {
                "proc/1/mountinfo",    "proc/swaps",    "proc/1/net/route",
                "proc/1/net/if_inet6", "sys/fs/btrfs",  "sys/fs/btrfs/0d5b/devices",
                "sys/class/block",     "sys/class/net",
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_tree_ Tree tree;
                HostUsage *usage = NULL;

                tree_init(&tree);
                add_unreadable(&tree, rows[i]);
                ck_assert_msg(host_usage_read(&tree.roots, &usage) == -ELOOP, "%s", rows[i]);
                ck_assert_ptr_null(usage);
        }
}
END_TEST

START_TEST(a_table_that_ends_in_an_error_is_not_taken_for_the_whole) {
        _cleanup_tree_ Tree tree;
        HostUsage *usage = NULL;

        tree_init(&tree);
        tree_mkdir(&tree, "proc/1/mountinfo");
        ck_assert_int_eq(host_usage_read(&tree.roots, &usage), -EIO);
}
END_TEST

START_TEST(our_own_table_is_not_read_in_the_place_of_one_that_process_1_does_not_let_us_see) {
        _cleanup_tree_ Tree tree;
        HostUsage *usage = NULL;

        init_disk(&tree);
        tree_write(&tree, "proc/self/mountinfo", "1 0 0:22 / /proc rw - proc proc rw\n");
        tree_remove(&tree, "proc/1/mountinfo");
        add_unreadable(&tree, "proc/1/mountinfo");
        ck_assert_int_eq(host_usage_read(&tree.roots, &usage), -ELOOP);
}
END_TEST

static int look_at(const Tree *tree, const char *name, const char *path) {
        DeviceFacts facts = {.name = (char *)name, .bus = (char *)"pci", .path = (char *)path};
        _cleanup_strv_ char **found = NULL;
        HostUsage *usage;
        int r;

        ck_assert_int_eq(host_usage_read(&tree->roots, &usage), 0);
        r = host_usage_of(usage, &facts, &found);
        host_usage_free(usage);
        return r;
}

START_TEST(a_device_of_which_something_cannot_be_read_is_not_free) {
        static const char *const of_disk[] = {
                ("sys/devices/" DISK_PATH "/nvme/nvme0/nvme0n1/nvme0n1p2/dev"),
                ("sys/devices/" DISK_PATH "/nvme/nvme0/nvme0n1/holders"),
                ("sys/bus/pci/devices/" DISK "/boot_vga"),
                ("sys/bus/pci/devices/" DISK),
        };

        for (size_t i = 0; i < ELEMENTS(of_disk); i++) {
                _cleanup_tree_ Tree tree;

                init_disk(&tree);
                if (tree_has(&tree, of_disk[i]))
                        tree_remove(&tree, of_disk[i]);
                add_unreadable(&tree, of_disk[i]);
                ck_assert_msg(look_at(&tree, DISK, DISK_PATH) == -ELOOP, "%s", of_disk[i]);
                ck_assert_int_eq(look_at(&tree, NIC, NIC_PATH), 0);
        }
}
END_TEST

START_TEST(an_interface_that_cannot_be_read_is_not_free) {
        _cleanup_tree_ Tree tree;

        init_nic(&tree);
        add_upper(&tree, NIC_PATH, "eth0", "bond0");
        add_unreadable(&tree, "sys/class/net/bond0");
        ck_assert_int_eq(look_at(&tree, NIC, NIC_PATH), -ELOOP);
}
END_TEST

START_TEST(a_disk_whose_controllers_cannot_be_read_is_anybodys) {
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_link(&tree, "sys/class/block/nvme0n1",
                  "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
        add_unreadable(&tree, "sys/devices/virtual/nvme-subsystem/nvme-subsys0");
        ck_assert_int_eq(look_at(&tree, DISK, DISK_PATH), -ELOOP);
}
END_TEST

START_TEST(the_display_that_the_host_has_booted_with_is_in_use) {
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write(&tree, "sys/bus/pci/devices/" NIC "/boot_vga", "1\n");
        tree_write(&tree, "sys/bus/pci/devices/" DISK "/boot_vga", "0\n");
        assert_nic(&tree, "it is the display that the host has booted with");
        assert_disk(&tree, "");
}
END_TEST

START_TEST(a_device_with_virtual_functions_is_in_use) {
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_link(&tree, "sys/bus/pci/devices/" NIC "/virtfn0", "../0000:09:10.0");
        tree_link(&tree, "sys/bus/pci/devices/" NIC "/virtfn1", "../0000:09:10.2");
        tree_write(&tree, "sys/bus/pci/devices/" DISK "/sriov_numvfs", "0\n");
        assert_nic(&tree, "it has 2 virtual functions");
        assert_disk(&tree, "");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("usage");

        tcase_add_test(tests, a_disk_that_nothing_is_mounted_from_is_not_in_use);
        tcase_add_test(tests, a_disk_is_in_use_by_a_mount_of_itself_or_of_a_partition);
        tcase_add_test(tests, a_mount_point_is_told_of_by_its_name_and_as_text);
        tcase_add_test(tests, process_1_is_whose_mounts_count_and_our_own_where_it_shows_none);
        tcase_add_test(tests, a_disk_is_in_use_by_swap_that_is_a_partition);
        tcase_add_test(tests, a_disk_is_in_use_by_what_is_made_of_its_partitions_however_deep);
        tcase_add_test(tests, what_holds_itself_ends_somewhere);
        tcase_add_test(tests, a_btrfs_is_mounted_from_all_of_its_disks);
        tcase_add_test(tests, a_disk_of_nvme_multipath_is_each_of_its_controllers);
        tcase_add_test(tests, no_more_uses_are_told_than_anybody_wants_to_read);
        tcase_add_test(tests, an_interface_is_in_use_by_a_route_or_an_address);
        tcase_add_test(tests, an_interface_with_an_ipv4_address_and_no_route_is_in_use);
        tcase_add_test(tests, while_addresses_cannot_be_asked_for_nothing_is_free);
        tcase_add_test(tests, an_interface_whose_name_is_no_text_is_found_and_told_of_as_text);
        tcase_add_test(tests, an_interface_is_in_use_by_what_stands_on_it_however_high);
        tcase_add_test(tests, the_interface_of_a_child_is_the_devices);
        tcase_add_test(tests, while_something_that_tells_of_use_cannot_be_read_nothing_is_free);
        tcase_add_test(tests, a_table_that_ends_in_an_error_is_not_taken_for_the_whole);
        tcase_add_test(
                tests,
                our_own_table_is_not_read_in_the_place_of_one_that_process_1_does_not_let_us_see);
        tcase_add_test(tests, a_device_of_which_something_cannot_be_read_is_not_free);
        tcase_add_test(tests, an_interface_that_cannot_be_read_is_not_free);
        tcase_add_test(tests, a_disk_whose_controllers_cannot_be_read_is_anybodys);
        tcase_add_test(tests, the_display_that_the_host_has_booted_with_is_in_use);
        tcase_add_test(tests, a_device_with_virtual_functions_is_in_use);
        return tests_run(tests);
}
