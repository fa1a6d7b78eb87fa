/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/util/facts.h: a change of any fact that the kernel tells is seen. */

#include "daemon/util/facts.h"

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static DeviceFacts make_device(void) {
        DeviceFacts facts = DEVICE_FACTS_NULL;

        facts.name = strdup("0000:01:00.0");
        facts.bus = strdup("pci");
        facts.driver = strdup("e1000");
        facts.driver_module = strdup("e1000");
        facts.driver_override = strdup("");
        facts.modalias = strdup("pci:v1");
        facts.cdev = strdup("");
        ck_assert_int_eq(strv_push(&facts.interfaces, "eth0"), 0);
        facts.path = strdup("pci0000:00/0000:00:01.0/0000:01:00.0");
        ck_assert_int_eq(strv_push(&facts.reset_methods, "flr"), 0);
        facts.vendor_name = strdup("Vendor");
        return facts;
}

#define CHANGE(name, statement)                                                                    \
        static void change_##name(DeviceFacts *facts) {                                            \
                statement;                                                                         \
        }

CHANGE(name, (void)string_set(&facts->name, "0000:01:00.1"))
CHANGE(bus, (void)string_set(&facts->bus, "platform"))
CHANGE(group, facts->group++)
CHANGE(driver, (void)string_set(&facts->driver, "vfio-pci"))
CHANGE(driver_module, (void)string_set(&facts->driver_module, ""))
CHANGE(driver_override, (void)string_set(&facts->driver_override, "vfio-pci"))
CHANGE(no_override, (void)string_set(&facts->driver_override, NULL))
CHANGE(modalias, (void)string_set(&facts->modalias, "pci:v2"))
CHANGE(vfio, facts->vfio = true)
CHANGE(cdev, (void)string_set(&facts->cdev, "vfio0"))
CHANGE(interface, (void)string_set(&facts->interfaces[0], "eth1"))
CHANGE(interfaces, (void)strv_push(&facts->interfaces, "eth1"))
CHANGE(numa_node, facts->numa_node = 0)
CHANGE(vendor, facts->vendor++)
CHANGE(device, facts->device++)
CHANGE(subsystem_vendor, facts->subsystem_vendor++)
CHANGE(subsystem_device, facts->subsystem_device++)
CHANGE(class_code, facts->class_code++)
CHANGE(header_type, facts->header_type++)
CHANGE(path, (void)string_set(&facts->path, "pci0000:00/0000:00:02.0/0000:01:00.0"))
CHANGE(reset_method, (void)string_set(&facts->reset_methods[0], "bus"))
CHANGE(reset_methods, (void)strv_push(&facts->reset_methods, "bus"))
CHANGE(physfn, (void)string_set(&facts->physfn, "0000:01:00.0"))
CHANGE(mdev_type, (void)string_set(&facts->mdev_type, "mtty-2"))
CHANGE(total_vfs, facts->total_vfs++)
CHANGE(vfs_autoprobe, facts->vfs_autoprobe = !facts->vfs_autoprobe)

static void change_no_reset_method(DeviceFacts *facts) {
        facts->reset_methods = strv_free(facts->reset_methods);
}

static void (*const changes[])(DeviceFacts *facts) = {
        change_name,
        change_bus,
        change_group,
        change_driver,
        change_driver_module,
        change_driver_override,
        change_no_override,
        change_modalias,
        change_vfio,
        change_cdev,
        change_interface,
        change_interfaces,
        change_numa_node,
        change_vendor,
        change_device,
        change_subsystem_vendor,
        change_subsystem_device,
        change_class_code,
        change_header_type,
        change_path,
        change_reset_method,
        change_reset_methods,
        change_no_reset_method,
        change_physfn,
        change_mdev_type,
        change_total_vfs,
        change_vfs_autoprobe,
};

START_TEST(every_fact_of_a_device_counts) {
        for (size_t i = 0; i < ELEMENTS(changes); i++) {
                _cleanup_device_facts_ DeviceFacts a = make_device(), b = make_device();

                ck_assert(device_facts_equal(&a, &b));
                changes[i](&b);
                ck_assert_msg(!device_facts_equal(&a, &b), "change %zu", i);
        }
}
END_TEST

START_TEST(the_names_from_the_id_database_do_not_count) {
        _cleanup_device_facts_ DeviceFacts a = make_device(), b = make_device();

        ck_assert_int_eq(string_set(&b.vendor_name, NULL), 0);
        ck_assert_int_eq(string_set(&b.class_name, "Class"), 0);
        ck_assert(device_facts_equal(&a, &b));
}
END_TEST

START_TEST(every_fact_of_a_group_counts) {
        ReservedRegion one[] = {{1, 2, "msi"}}, two[] = {{1, 3, "msi"}},
                       three[] = {{1, 2, "direct"}};
        const GroupFacts group = {.number = 1,
                                  .type = (char *)"DMA",
                                  .name = (char *)"",
                                  .regions = one,
                                  .n_regions = 1};
        GroupFacts others[] = {group, group, group, group, group, group};

        ck_assert(group_facts_equal(&group, &others[0]));
        others[0].number = 2;
        others[1].type = (char *)"identity";
        others[2].name = (char *)"vfio-noiommu";
        others[3].n_regions = 0;
        others[4].regions = two;
        others[5].regions = three;
        for (size_t i = 0; i < ELEMENTS(others); i++)
                ck_assert_msg(!group_facts_equal(&group, &others[i]), "change %zu", i);
}
END_TEST

START_TEST(half_filled_facts_can_be_freed_and_are_empty_then) {
        DeviceFacts device = {.name = strdup("x")};
        GroupFacts group = {.type = strdup("DMA")};

        device_facts_done(&device);
        device_facts_done(&device);
        group_facts_done(&group);
        group_facts_done(&group);
        ck_assert_ptr_null(device.name);
        ck_assert_int_eq(device.numa_node, -1);
        ck_assert(!device_facts_is_pci(&device));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("facts");

        tcase_add_test(tests, every_fact_of_a_device_counts);
        tcase_add_test(tests, the_names_from_the_id_database_do_not_count);
        tcase_add_test(tests, every_fact_of_a_group_counts);
        tcase_add_test(tests, half_filled_facts_can_be_freed_and_are_empty_then);
        return tests_run(tests);
}
