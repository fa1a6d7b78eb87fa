/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/kernel/enumerate.h, over trees that the tests build attribute by attribute. A whole
 * recorded machine is read in test-machines.c.
 */

#include "daemon/kernel/enumerate.h"

#include <errno.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define DEVICE "sys/devices/pci0000:00/0000:01:00.0"
#define MEMBER "sys/kernel/iommu_groups/3/devices/0000:01:00.0"
#define UEVENT                                                                                     \
        "DRIVER=e1000e\nPCI_CLASS=20000\nPCI_ID=8086:10D3\nPCI_SUBSYS_ID=15D9:0605\n"              \
        "PCI_SLOT_NAME=0000:01:00.0\nMODALIAS=pci:v00008086d000010D3\n"

/* A PCI device on its driver, with everything that is read of one. */
static void init_pci(Tree *tree) {
        tree_init(tree);
        tree_write(tree, DEVICE "/uevent", UEVENT);
        tree_write(tree, DEVICE "/driver_override", "(null)\n");
        tree_write(tree, DEVICE "/numa_node", "1\n");
        tree_link(tree, DEVICE "/subsystem", "../../../bus/pci");
        tree_link(tree, DEVICE "/driver", "../../../bus/pci/drivers/e1000e");
        tree_link(tree, DEVICE "/iommu_group", "../../../kernel/iommu_groups/3");
        tree_mkdir(tree, DEVICE "/net/eth1");
        tree_mkdir(tree, DEVICE "/net/eth0");
        tree_link(tree, "sys/bus/pci/drivers/e1000e/module", "../../../../module/e1000e_mod");
        tree_link(tree, MEMBER, "../../../../devices/pci0000:00/0000:01:00.0");
        tree_mkdir(tree, "sys/class/vfio-dev");
}

static void read_pci(const Tree *tree, DeviceFacts *ret) {
        *ret = (DeviceFacts)DEVICE_FACTS_NULL;
        ck_assert_int_eq(read_device_facts(&tree->roots, 3, "0000:01:00.0", NULL, false, ret), 0);
}

START_TEST(a_pci_device_is_read_whole) {
        _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL;
        _cleanup_free_ char *interfaces = NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        read_pci(&tree, &facts);
        ck_assert_str_eq(facts.name, "0000:01:00.0");
        ck_assert_str_eq(facts.bus, "pci");
        ck_assert_uint_eq(facts.group, 3);
        ck_assert_str_eq(facts.driver, "e1000e");
        ck_assert_str_eq(facts.driver_module, "e1000e_mod");
        ck_assert_str_eq(facts.driver_override, "");
        ck_assert_str_eq(facts.modalias, "pci:v00008086d000010D3");
        ck_assert(!facts.vfio);
        ck_assert_str_eq(facts.cdev, "");
        ck_assert_int_eq(facts.numa_node, 1);
        ck_assert_uint_eq(facts.vendor, 0x8086);
        ck_assert_uint_eq(facts.device, 0x10d3);
        ck_assert_uint_eq(facts.subsystem_vendor, 0x15d9);
        ck_assert_uint_eq(facts.subsystem_device, 0x0605);
        ck_assert_uint_eq(facts.class_code, 0x020000);
        ck_assert_uint_eq(facts.header_type, 0);
        interfaces = strv_join(facts.interfaces, " ");
        ck_assert_str_eq(interfaces, "eth0 eth1");
        ck_assert_ptr_null(facts.vendor_name);
}
END_TEST

START_TEST(an_override_that_is_set_is_read) {
        _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        tree_write(&tree, DEVICE "/driver_override", "vfio-pci\n");
        read_pci(&tree, &facts);
        ck_assert_str_eq(facts.driver_override, "vfio-pci");
}
END_TEST

START_TEST(names_that_others_give_are_read_as_text) {
        _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL;
        _cleanup_free_ char *interfaces = NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        tree_mkdir(&tree, DEVICE "/net/\xfe");
        tree_write(&tree, DEVICE "/driver_override", "none\xff\n");
        read_pci(&tree, &facts);
        interfaces = strv_join(facts.interfaces, " ");
        ck_assert_str_eq(interfaces, "eth0 eth1 ?");
        ck_assert_str_eq(facts.driver_override, "none?");
}
END_TEST

START_TEST(a_device_without_attributes_has_defaults) {
        _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_mkdir(&tree, MEMBER);
        tree_mkdir(&tree, "sys/class/vfio-dev");
        read_pci(&tree, &facts);
        ck_assert_str_eq(facts.bus, "");
        ck_assert_str_eq(facts.driver, "");
        ck_assert_str_eq(facts.driver_module, "");
        ck_assert_ptr_null(facts.driver_override);
        ck_assert_str_eq(facts.modalias, "");
        ck_assert_int_eq(facts.numa_node, -1);
        ck_assert_uint_eq(facts.class_code, 0);
        ck_assert_ptr_null(facts.interfaces);
        ck_assert(!facts.vfio);
}
END_TEST

START_TEST(the_place_of_a_device_is_where_its_link_points_to) {
        _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        read_pci(&tree, &facts);
        ck_assert_str_eq(facts.path, "pci0000:00/0000:01:00.0");
}
END_TEST

START_TEST(reset_methods_are_read_in_the_order_of_the_kernel) {
        _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL;
        _cleanup_free_ char *methods = NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        tree_write(&tree, DEVICE "/reset_method", "flr pm bus\n");
        read_pci(&tree, &facts);
        methods = strv_join(facts.reset_methods, ",");
        ck_assert_str_eq(methods, "flr,pm,bus");
}
END_TEST

START_TEST(no_reset_method_left_and_no_attribute_are_two_things) {
        _cleanup_device_facts_ DeviceFacts none = DEVICE_FACTS_NULL, empty = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        read_pci(&tree, &none);
        ck_assert_ptr_null(none.reset_methods);
        tree_write(&tree, DEVICE "/reset_method", "");
        read_pci(&tree, &empty);
        ck_assert_ptr_nonnull(empty.reset_methods);
        ck_assert_uint_eq(strv_length(empty.reset_methods), 0);
}
END_TEST

START_TEST(reset_methods_that_cannot_be_read_fail_the_read) {
        _cleanup_tree_ Tree tree;
        DeviceFacts facts;

        init_pci(&tree);
        tree_mkdir(&tree, DEVICE "/reset_method");
        ck_assert_int_eq(read_device_facts(&tree.roots, 3, "0000:01:00.0", NULL, false, &facts),
                         -EISDIR);
}
END_TEST

START_TEST(a_virtual_function_is_known_by_its_physical_one) {
        _cleanup_device_facts_ DeviceFacts plain = DEVICE_FACTS_NULL, virtual = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        read_pci(&tree, &plain);
        ck_assert_str_eq(plain.physfn, "");
        tree_link(&tree, DEVICE "/physfn", "../0000:00:02.0");
        read_pci(&tree, &virtual);
        ck_assert_str_eq(virtual.physfn, "0000:00:02.0");
}
END_TEST

START_TEST(how_many_virtual_functions_a_device_can_have_is_told_of_physical_ones) {
        _cleanup_device_facts_ DeviceFacts none = DEVICE_FACTS_NULL, some = DEVICE_FACTS_NULL,
                                           quiet = DEVICE_FACTS_NULL, virtual = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        read_pci(&tree, &none);
        ck_assert(none.total_vfs == 0 && !none.vfs_autoprobe);
        tree_write(&tree, DEVICE "/sriov_totalvfs", "127\n");
        tree_write(&tree, DEVICE "/sriov_drivers_autoprobe", "1\n");
        read_pci(&tree, &some);
        ck_assert(some.total_vfs == 127 && some.vfs_autoprobe);
        tree_write(&tree, DEVICE "/sriov_drivers_autoprobe", "0\n");
        read_pci(&tree, &quiet);
        ck_assert(quiet.total_vfs == 127 && !quiet.vfs_autoprobe);
        tree_link(&tree, DEVICE "/physfn", "../0000:00:02.0");
        read_pci(&tree, &virtual);
        ck_assert_uint_eq(virtual.total_vfs, 0);
}
END_TEST

START_TEST(virtual_functions_are_listed_by_their_links) {
        _cleanup_strv_ char **none = NULL, **two = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        tree_write(&tree, "sys/bus/pci/devices/0000:07:00.0/vendor", "0x8086\n");
        ck_assert_int_eq(enumerate_vfs(&tree.roots, "0000:07:00.0", &none), 0);
        ck_assert_ptr_null(none);
        tree_link(&tree, "sys/bus/pci/devices/0000:07:00.0/virtfn0", "../0000:07:10.0");
        tree_link(&tree, "sys/bus/pci/devices/0000:07:00.0/virtfn1", "../0000:07:10.1");
        ck_assert_int_eq(enumerate_vfs(&tree.roots, "0000:07:00.0", &two), 0);
        text = strv_join(two, " ");
        ck_assert_str_eq(text, "0000:07:10.0 0000:07:10.1");
        ck_assert_int_eq(enumerate_vfs(&tree.roots, "0000:08:00.0", &none), 0);
        ck_assert_ptr_null(none);
}
END_TEST

START_TEST(the_keys_of_a_uevent_are_whole_lines) {
        _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        tree_write(&tree, DEVICE "/uevent", "XPCI_ID=1111:2222\nPCI_ID=8086:10D3\nX=MODALIAS=no\n");
        read_pci(&tree, &facts);
        ck_assert_uint_eq(facts.vendor, 0x8086);
        ck_assert_uint_eq(facts.subsystem_vendor, 0);
        ck_assert_str_eq(facts.modalias, "");
}
END_TEST

START_TEST(a_vfio_device_is_known_by_its_directory_with_and_without_cdev) {
        _cleanup_device_facts_ DeviceFacts bound = DEVICE_FACTS_NULL, with_cdev = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        tree_mkdir(&tree, DEVICE "/vfio-dev/vfio7");
        read_pci(&tree, &bound);
        ck_assert(bound.vfio);
        ck_assert_str_eq(bound.cdev, "");
        tree_write(&tree, DEVICE "/vfio-dev/vfio7/dev", "511:7\n");
        read_pci(&tree, &with_cdev);
        ck_assert(with_cdev.vfio);
        ck_assert_str_eq(with_cdev.cdev, "vfio7");
}
END_TEST

START_TEST(a_driver_called_vfio_counts_only_before_the_class_came) {
        _cleanup_device_facts_ DeviceFacts new = DEVICE_FACTS_NULL, old = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        tree_remove(&tree, DEVICE "/driver");
        tree_link(&tree, DEVICE "/driver", "../../../bus/pci/drivers/vfio-pci");
        read_pci(&tree, &new);
        ck_assert(!new.vfio);
        tree_remove(&tree, "sys/class/vfio-dev");
        read_pci(&tree, &old);
        ck_assert(old.vfio);
        ck_assert_str_eq(old.cdev, "");
}
END_TEST

/* 0x0e bytes of anything, then a header type with the multi-function bit. */
#define CONFIGURATION "0123456789abcd\x81"

START_TEST(the_header_type_is_read_of_bridges_alone) {
        _cleanup_device_facts_ DeviceFacts nic = DEVICE_FACTS_NULL, bridge = DEVICE_FACTS_NULL;
        DeviceFacts broken = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        tree_write(&tree, DEVICE "/config", CONFIGURATION);
        read_pci(&tree, &nic);
        ck_assert_uint_eq(nic.header_type, 0);
        tree_write(&tree, DEVICE "/uevent", "PCI_CLASS=60400\n");
        read_pci(&tree, &bridge);
        ck_assert_uint_eq(bridge.header_type, 1);
        ck_assert_uint_eq(bridge.class_code, 0x060400);
        tree_write(&tree, DEVICE "/config", "short");
        ck_assert_int_eq(read_device_facts(&tree.roots, 3, "0000:01:00.0", NULL, false, &broken),
                         -EIO);
        ck_assert_ptr_null(broken.name);
}
END_TEST

/* As long as somebody has its lock, reading would not come back. */
START_TEST(of_a_device_that_the_kernel_is_at_work_on_what_has_to_wait_is_not_read) {
        static const char *const attributes[] = {DEVICE "/driver_override", DEVICE "/uevent"};
        _cleanup_device_facts_ DeviceFacts known = DEVICE_FACTS_NULL, facts = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        tree_write(&tree, DEVICE "/driver_override", "vfio-pci\n");
        read_pci(&tree, &known);
        for (size_t i = 0; i < ELEMENTS(attributes); i++) {
                tree_remove(&tree, attributes[i]);
                tree_mkdir(&tree, attributes[i]);
        }
        tree_write(&tree, DEVICE "/numa_node", "0\n");
        ck_assert_int_eq(read_device_facts(&tree.roots, 3, "0000:01:00.0", &known, false, &facts),
                         0);
        ck_assert_int_eq(facts.numa_node, 0);
        facts.numa_node = known.numa_node;
        ck_assert(device_facts_equal(&facts, &known));
}
END_TEST

START_TEST(of_one_that_is_being_unbound_neither_which_its_missing_driver_tells) {
        _cleanup_device_facts_ DeviceFacts known = DEVICE_FACTS_NULL, bound = DEVICE_FACTS_NULL,
                                           unbound = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        tree_write(&tree, DEVICE "/driver_override", "vfio-pci\n");
        read_pci(&tree, &known);
        tree_write(&tree, DEVICE "/driver_override", "e1000e\n");
        ck_assert_int_eq(read_device_facts(&tree.roots, 3, "0000:01:00.0", &known, true, &bound),
                         0);
        ck_assert_str_eq(bound.driver_override, "e1000e");
        tree_remove(&tree, DEVICE "/driver");
        ck_assert_int_eq(read_device_facts(&tree.roots, 3, "0000:01:00.0", &known, true, &unbound),
                         0);
        ck_assert_str_eq(unbound.driver, "");
        ck_assert_str_eq(unbound.driver_override, "vfio-pci");
}
END_TEST

START_TEST(a_device_that_is_not_there_or_in_another_group_is_not_found) {
        DeviceFacts facts = DEVICE_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        init_pci(&tree);
        ck_assert_int_eq(read_device_facts(&tree.roots, 3, "0000:02:00.0", NULL, false, &facts),
                         -ENOENT);
        ck_assert_int_eq(read_device_facts(&tree.roots, 4, "0000:01:00.0", NULL, false, &facts),
                         -ENOENT);
        ck_assert_ptr_null(facts.name);
}
END_TEST

START_TEST(a_device_on_another_bus_needs_nothing_of_pci) {
        static const char platform[] = "sys/kernel/iommu_groups/5/devices/fff51000.ethernet";
        _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL;
        _cleanup_free_ char *subsystem = string_format("%s/subsystem", platform);
        _cleanup_free_ char *uevent = string_format("%s/uevent", platform);
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_link(&tree, subsystem, "../../bus/platform");
        tree_write(&tree, uevent,
                   "OF_NAME=ethernet\nPCI_CLASS=60400\nMODALIAS=of:NethernetT(null)");
        ck_assert_int_eq(
                read_device_facts(&tree.roots, 5, "fff51000.ethernet", NULL, false, &facts), 0);
        ck_assert_str_eq(facts.bus, "platform");
        ck_assert_str_eq(facts.modalias, "of:NethernetT(null)");
        ck_assert_ptr_null(facts.driver_override);
}
END_TEST

START_TEST(groups_are_listed_by_number_and_members_by_name) {
        _cleanup_free_ uint32_t *numbers = NULL;
        _cleanup_strv_ char **members = NULL, **none = NULL;
        _cleanup_free_ char *joined = NULL;
        _cleanup_tree_ Tree tree;
        size_t n = 0;

        tree_init(&tree);
        ck_assert_int_eq(enumerate_groups(&tree.roots, &numbers, &n), 0);
        ck_assert_uint_eq(n, 0);
        free(numbers);
        tree_mkdir(&tree, "sys/kernel/iommu_groups/10/devices/b");
        tree_mkdir(&tree, "sys/kernel/iommu_groups/10/devices/a");
        tree_mkdir(&tree, "sys/kernel/iommu_groups/9");
        tree_mkdir(&tree, "sys/kernel/iommu_groups/0");
        tree_mkdir(&tree, "sys/kernel/iommu_groups/not-a-number");
        ck_assert_int_eq(enumerate_groups(&tree.roots, &numbers, &n), 0);
        ck_assert_uint_eq(n, 3);
        ck_assert(numbers[0] == 0 && numbers[1] == 9 && numbers[2] == 10);
        ck_assert_int_eq(enumerate_members(&tree.roots, 10, &members), 0);
        joined = strv_join(members, " ");
        ck_assert_str_eq(joined, "a b");
        ck_assert_int_eq(enumerate_members(&tree.roots, 11, &none), 0);
        ck_assert_ptr_null(none);
}
END_TEST

START_TEST(a_group_has_its_type_name_and_reserved_regions) {
        _cleanup_group_facts_ GroupFacts facts = GROUP_FACTS_NULL, bare = GROUP_FACTS_NULL;
        GroupFacts gone = GROUP_FACTS_NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write(&tree, "sys/kernel/iommu_groups/7/type", "DMA-FQ\n");
        tree_write(&tree, "sys/kernel/iommu_groups/7/name", "vfio-noiommu\n");
        tree_write(&tree, "sys/kernel/iommu_groups/7/reserved_regions",
                   "0x0000000000000000 0x0000000000ffffff direct-relaxable\n"
                   "malformed\n"
                   "0x00000000fee00000 0x00000000feefffff msi\n"
                   "0x000000fd00000000 0xffffffffffffffff reserved\n");
        tree_mkdir(&tree, "sys/kernel/iommu_groups/8");
        ck_assert_int_eq(read_group_facts(&tree.roots, 7, &facts), 0);
        ck_assert_str_eq(facts.type, "DMA-FQ");
        ck_assert_str_eq(facts.name, "vfio-noiommu");
        ck_assert_uint_eq(facts.n_regions, 3);
        ck_assert_str_eq(facts.regions[0].kind, "direct-relaxable");
        ck_assert_uint_eq(facts.regions[1].first, 0xfee00000);
        ck_assert_uint_eq(facts.regions[1].last, 0xfeefffff);
        ck_assert_str_eq(facts.regions[1].kind, "msi");
        ck_assert_uint_eq(facts.regions[2].last, UINT64_MAX);
        ck_assert_int_eq(read_group_facts(&tree.roots, 8, &bare), 0);
        ck_assert_uint_eq(bare.number, 8);
        ck_assert_str_eq(bare.type, "");
        ck_assert_uint_eq(bare.n_regions, 0);
        ck_assert_int_eq(read_group_facts(&tree.roots, 9, &gone), -ENOENT);
}
END_TEST

START_TEST(the_group_of_a_device_is_where_its_link_points) {
        static const char path[] = "/devices/pci0000:00/0000:01:00.0";
        _cleanup_tree_ Tree tree;
        uint32_t group = 4711;

        init_pci(&tree);
        ck_assert_int_eq(read_device_group(&tree.roots, path + 1, &group), 0);
        ck_assert_uint_eq(group, 3);
        tree_remove(&tree, DEVICE "/iommu_group");
        ck_assert_int_eq(read_device_group(&tree.roots, path + 1, &group), -ENOENT);
        tree_link(&tree, DEVICE "/iommu_group", "nonsense");
        ck_assert_int_eq(read_device_group(&tree.roots, path + 1, &group), -ENOENT);
        ck_assert_uint_eq(group, 3);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("enumerate");

        tcase_add_test(tests, a_pci_device_is_read_whole);
        tcase_add_test(tests, an_override_that_is_set_is_read);
        tcase_add_test(tests, names_that_others_give_are_read_as_text);
        tcase_add_test(tests, a_device_without_attributes_has_defaults);
        tcase_add_test(tests, the_place_of_a_device_is_where_its_link_points_to);
        tcase_add_test(tests, reset_methods_are_read_in_the_order_of_the_kernel);
        tcase_add_test(tests, no_reset_method_left_and_no_attribute_are_two_things);
        tcase_add_test(tests, reset_methods_that_cannot_be_read_fail_the_read);
        tcase_add_test(tests, a_virtual_function_is_known_by_its_physical_one);
        tcase_add_test(tests,
                       how_many_virtual_functions_a_device_can_have_is_told_of_physical_ones);
        tcase_add_test(tests, virtual_functions_are_listed_by_their_links);
        tcase_add_test(tests, the_keys_of_a_uevent_are_whole_lines);
        tcase_add_test(tests, a_vfio_device_is_known_by_its_directory_with_and_without_cdev);
        tcase_add_test(tests, a_driver_called_vfio_counts_only_before_the_class_came);
        tcase_add_test(tests, the_header_type_is_read_of_bridges_alone);
        tcase_add_test(tests,
                       of_a_device_that_the_kernel_is_at_work_on_what_has_to_wait_is_not_read);
        tcase_add_test(tests, of_one_that_is_being_unbound_neither_which_its_missing_driver_tells);
        tcase_add_test(tests, a_device_that_is_not_there_or_in_another_group_is_not_found);
        tcase_add_test(tests, a_device_on_another_bus_needs_nothing_of_pci);
        tcase_add_test(tests, groups_are_listed_by_number_and_members_by_name);
        tcase_add_test(tests, a_group_has_its_type_name_and_reserved_regions);
        tcase_add_test(tests, the_group_of_a_device_is_where_its_link_points);
        return tests_run(tests);
}
