/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/topology.h: groups, their members, and what is recorded of a device. */

#include "daemon/core/topology.h"

#include <errno.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

static int put_group(Topology *topology, uint32_t number, const char *type) {
        GroupFacts facts = {.number = number, .type = strdup(type)};
        int r = topology_put_group(topology, &facts);

        ck_assert_ptr_null(facts.type);
        return r;
}

static int put_device(Topology *topology, const DeviceRow *row) {
        DeviceFacts facts = facts_of_row(row);
        int r = topology_put_device(topology, &facts);

        ck_assert_ptr_null(facts.name);
        return r;
}

#define ROW(...) (&(const DeviceRow){__VA_ARGS__})

/* "1: a b; 3: c", and that members and devices agree. */
static char *describe(const Topology *topology) {
        char *text = strdup("");
        size_t members = 0;

        for (size_t i = 0; i < topology->n_groups; i++) {
                const Group *group = topology->groups[i];

                (void)string_append(&text, "%s%u:", i > 0 ? "; " : "", group->facts.number);
                for (size_t j = 0; j < group->n_members; j++, members++) {
                        ck_assert_ptr_eq(group->members[j]->group, group);
                        (void)string_append(&text, " %s", group->members[j]->facts.name);
                }
        }
        ck_assert_uint_eq(members, topology->n_devices);
        return text;
}

#define assert_topology(topology, expected)                                                        \
        do {                                                                                       \
                _cleanup_free_ char *_text = describe(topology);                                   \
                ck_assert_str_eq(_text, (expected));                                               \
        } while (0)

START_TEST(groups_and_devices_are_kept_in_order_whatever_order_they_come_in) {
        Topology topology;

        topology_init(&topology, VIABILITY_BY_OWNER);
        ck_assert_int_eq(put_group(&topology, 3, "DMA"), TOPOLOGY_ADDED);
        ck_assert_int_eq(put_group(&topology, 1, "DMA"), TOPOLOGY_ADDED);
        ck_assert_int_eq(put_group(&topology, 2, "DMA"), TOPOLOGY_ADDED);
        ck_assert_int_eq(put_device(&topology, ROW("c", 2)), TOPOLOGY_ADDED);
        ck_assert_int_eq(put_device(&topology, ROW("b", 1)), TOPOLOGY_ADDED);
        ck_assert_int_eq(put_device(&topology, ROW("a", 2)), TOPOLOGY_ADDED);
        ck_assert_int_eq(put_device(&topology, ROW("d", 3)), TOPOLOGY_ADDED);
        assert_topology(&topology, "1: b; 2: a c; 3: d");
        ck_assert_str_eq(topology.devices[0]->facts.name, "a");
        ck_assert_str_eq(topology.devices[3]->facts.name, "d");
        ck_assert_ptr_eq(topology_find_device(&topology, "c"), topology.devices[2]);
        ck_assert_ptr_null(topology_find_device(&topology, "e"));
        ck_assert_ptr_null(topology_find_group(&topology, 0));
        topology_done(&topology);
}
END_TEST

START_TEST(putting_tells_what_is_news) {
        Topology topology;

        topology_init(&topology, VIABILITY_BY_OWNER);
        ck_assert_int_eq(put_group(&topology, 1, "DMA"), TOPOLOGY_ADDED);
        ck_assert_int_eq(put_group(&topology, 1, "DMA"), TOPOLOGY_UNCHANGED);
        ck_assert_int_eq(put_group(&topology, 1, "identity"), TOPOLOGY_CHANGED);
        ck_assert_str_eq(topology.groups[0]->facts.type, "identity");
        ck_assert_int_eq(put_device(&topology, ROW("a", 1)), TOPOLOGY_ADDED);
        ck_assert_int_eq(put_device(&topology, ROW("a", 1)), TOPOLOGY_UNCHANGED);
        ck_assert_int_eq(put_device(&topology, ROW("a", 1, "e1000")), TOPOLOGY_CHANGED);
        ck_assert_str_eq(topology.devices[0]->facts.driver, "e1000");
        topology_done(&topology);
}
END_TEST

START_TEST(a_device_without_its_group_is_refused) {
        Topology topology;

        topology_init(&topology, VIABILITY_BY_OWNER);
        ck_assert_int_eq(put_device(&topology, ROW("a", 1)), -ENOENT);
        assert_topology(&topology, "");
        topology_done(&topology);
}
END_TEST

START_TEST(a_device_known_in_another_group_is_refused_until_it_is_removed) {
        Topology topology;

        topology_init(&topology, VIABILITY_BY_OWNER);
        (void)put_group(&topology, 1, "DMA");
        (void)put_group(&topology, 2, "DMA");
        (void)put_device(&topology, ROW("a", 1));
        (void)put_device(&topology, ROW("b", 1));
        (void)put_device(&topology, ROW("c", 2));
        ck_assert_int_eq(put_device(&topology, ROW("a", 2)), -EEXIST);
        assert_topology(&topology, "1: a b; 2: c");
        ck_assert_int_eq(topology_remove_device(&topology, "a"), TOPOLOGY_REMOVED);
        ck_assert_int_eq(put_device(&topology, ROW("a", 2)), TOPOLOGY_ADDED);
        assert_topology(&topology, "1: b; 2: a c");
        topology_done(&topology);
}
END_TEST

START_TEST(a_group_goes_with_its_last_member) {
        Topology topology;

        topology_init(&topology, VIABILITY_BY_OWNER);
        (void)put_group(&topology, 1, "DMA");
        (void)put_group(&topology, 2, "DMA");
        (void)put_device(&topology, ROW("a", 1));
        (void)put_device(&topology, ROW("b", 1));
        (void)put_device(&topology, ROW("c", 2));
        ck_assert_int_eq(topology_remove_device(&topology, "a"), TOPOLOGY_REMOVED);
        assert_topology(&topology, "1: b; 2: c");
        ck_assert_int_eq(topology_remove_device(&topology, "a"), TOPOLOGY_UNCHANGED);
        ck_assert_int_eq(topology_remove_device(&topology, "b"), TOPOLOGY_REMOVED);
        assert_topology(&topology, "2: c");
        ck_assert_int_eq(topology_remove_device(&topology, "c"), TOPOLOGY_REMOVED);
        assert_topology(&topology, "");
        topology_done(&topology);
}
END_TEST

START_TEST(the_original_is_recorded_once_and_outlives_changes_of_the_facts) {
        Topology topology;
        Device *device;

        topology_init(&topology, VIABILITY_BY_OWNER);
        (void)put_group(&topology, 1, "DMA");
        (void)put_device(&topology,
                         ROW("a", 1, "e1000", .module = "e1000_mod", .override = "mine"));
        device = topology_find_device(&topology, "a");
        ck_assert(!device->original.recorded);
        ck_assert_int_eq(device_record_original(device), 0);
        (void)put_device(&topology, ROW("a", 1, "vfio-pci", .override = "vfio-pci"));
        ck_assert_int_eq(device_record_original(device), 0);
        ck_assert_str_eq(device->original.driver, "e1000");
        ck_assert_str_eq(device->original.module, "e1000_mod");
        ck_assert_str_eq(device->original.override, "mine");
        device_forget_original(device);
        ck_assert(!device->original.recorded);
        ck_assert_int_eq(device_record_original(device), 0);
        ck_assert_str_eq(device->original.driver, "vfio-pci");
        topology_done(&topology);
}
END_TEST

START_TEST(a_suspended_record_takes_the_driver_of_now_and_keeps_the_override) {
        Topology topology;
        Device *device;

        topology_init(&topology, VIABILITY_BY_OWNER);
        (void)put_group(&topology, 1, "DMA");
        (void)put_device(&topology, ROW("a", 1, "e1000", .override = "mine"));
        device = topology_find_device(&topology, "a");
        ck_assert_int_eq(device_record_original(device), 0);
        (void)put_device(&topology, ROW("a", 1, "vfio-pci", .override = "vfio-pci"));
        ck_assert_int_eq(device_set_bound(device), 0);
        ck_assert(!device_original_is_suspended(device));
        (void)put_device(&topology, ROW("a", 1, .override = "vfio-pci"));
        ck_assert(device_original_is_suspended(device));
        ck_assert_int_eq(device_record_original(device), 0);
        ck_assert_str_eq(device->original.driver, "");
        ck_assert_str_eq(device->original.override, "mine");
        ck_assert_str_eq(device->original.bound, "vfio-pci");
        topology_done(&topology);
}
END_TEST

START_TEST(a_driverless_device_has_an_original_too) {
        Topology topology;
        Device *device;

        topology_init(&topology, VIABILITY_BY_OWNER);
        (void)put_group(&topology, 1, "DMA");
        (void)put_device(&topology, ROW("a", 1, .no_override = true));
        device = topology_find_device(&topology, "a");
        ck_assert_int_eq(device_record_original(device), 0);
        ck_assert(device->original.recorded);
        ck_assert_str_eq(device->original.driver, "");
        ck_assert_str_eq(device->original.override, "");
        topology_done(&topology);
}
END_TEST

START_TEST(a_group_is_viable_and_bound_by_all_its_members) {
        static const struct {
                const char *what;
                DeviceRow members[3];
                bool viable;
                bool bound;
        } rows[] = {
                {"host driver", {{"a", 1, "e1000"}}, false, false},
                {"vfio", {{"a", 1, "vfio-pci"}}, true, true},
                {"one of two", {{"a", 1, "vfio-pci"}, {"b", 1, "e1000"}}, false, false},
                {"driverless neighbour", {{"a", 1, "vfio-pci"}, {"b", 1}}, true, false},
                {"pci-stub neighbour", {{"a", 1, "vfio-pci"}, {"b", 1, "pci-stub"}}, true, true},
                {"nothing but pci-stub", {{"a", 1, "pci-stub"}}, true, false},
                {"bridge",
                 {{"a", 1, .class_code = CLASS_PCI_BRIDGE, .header_type = 1}, {"b", 1, "vfio-pci"}},
                 true,
                 true},
                {"only a bridge",
                 {{"a", 1, .class_code = CLASS_PCI_BRIDGE, .header_type = 1}},
                 true,
                 false},
                {"shpchp",
                 {{"a", 1, "shpchp", .class_code = CLASS_PCI_BRIDGE, .header_type = 1},
                  {"b", 1, "vfio-pci"}},
                 false,
                 false},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                size_t n = 0;
                World world;

                while (n < 3 && rows[i].members[n].name)
                        n++;
                world_init(&world, rows[i].members, n);
                ck_assert_msg(group_is_viable(&world.topology, world.topology.groups[0]) ==
                                      rows[i].viable,
                              "%s", rows[i].what);
                ck_assert_msg(group_is_bound(&world.topology, world.topology.groups[0]) ==
                                      rows[i].bound,
                              "%s", rows[i].what);
                world_done(&world);
        }
}
END_TEST

START_TEST(a_random_walk_keeps_groups_and_members_consistent) {
        Topology topology;
        unsigned seed = 7;

        topology_init(&topology, VIABILITY_BY_OWNER);
        for (int i = 0; i < 5000; i++) {
                char name[2] = {(char)('a' + rand_r(&seed) % 20), '\0'};
                uint32_t group = (uint32_t)rand_r(&seed) % 6 + 1;

                if (rand_r(&seed) % 3 == 0)
                        (void)topology_remove_device(&topology, name);
                else {
                        const Device *known = topology_find_device(&topology, name);

                        if (known && known->facts.group != group)
                                (void)topology_remove_device(&topology, name);
                        (void)put_group(&topology, group, "DMA");
                        ck_assert_int_ge(put_device(&topology, ROW(name, group)), 0);
                }
                for (size_t j = 1; j < topology.n_groups; j++)
                        ck_assert_uint_lt(topology.groups[j - 1]->facts.number,
                                          topology.groups[j]->facts.number);
                for (size_t j = 0; j < topology.n_groups; j++)
                        ck_assert_uint_gt(topology.groups[j]->n_members, 0);
        }
        topology_done(&topology);
}
END_TEST

START_TEST(a_machine_has_an_iommu_when_it_has_a_group_that_vfio_has_not_made_up) {
        static const DeviceRow without = {"0000:0b:00.0", 40, "vfio-pci", .noiommu = true};
        World world;

        world_init(&world, NULL, 0);
        ck_assert(!topology_has_iommu(&world.topology));
        world_put(&world, &without, 1);
        ck_assert(group_has_no_iommu(topology_find_group(&world.topology, 40)));
        ck_assert(!topology_has_iommu(&world.topology));
        world_put(&world, ROW("0000:01:00.0", 1), 1);
        ck_assert(!group_has_no_iommu(topology_find_group(&world.topology, 1)));
        ck_assert(topology_has_iommu(&world.topology));
        world_done(&world);
}
END_TEST

START_TEST(a_device_without_a_group_is_known_until_it_is_told_otherwise) {
        Topology topology;

        topology_init(&topology, VIABILITY_BY_OWNER);
        topology_set_ungrouped(&topology, "a", false);
        topology_set_ungrouped(&topology, "a", true);
        topology_set_ungrouped(&topology, "a", true);
        topology_set_ungrouped(&topology, "b", true);
        ck_assert(topology_is_ungrouped(&topology, "a") && topology_is_ungrouped(&topology, "b"));
        topology_set_ungrouped(&topology, "a", false);
        ck_assert(!topology_is_ungrouped(&topology, "a") && topology_is_ungrouped(&topology, "b"));
        topology_done(&topology);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("topology");

        tcase_add_test(tests, groups_and_devices_are_kept_in_order_whatever_order_they_come_in);
        tcase_add_test(tests, putting_tells_what_is_news);
        tcase_add_test(tests, a_device_without_its_group_is_refused);
        tcase_add_test(tests, a_device_known_in_another_group_is_refused_until_it_is_removed);
        tcase_add_test(tests, a_group_goes_with_its_last_member);
        tcase_add_test(tests, the_original_is_recorded_once_and_outlives_changes_of_the_facts);
        tcase_add_test(tests, a_suspended_record_takes_the_driver_of_now_and_keeps_the_override);
        tcase_add_test(tests, a_driverless_device_has_an_original_too);
        tcase_add_test(tests, a_group_is_viable_and_bound_by_all_its_members);
        tcase_add_test(tests, a_random_walk_keeps_groups_and_members_consistent);
        tcase_add_test(tests, a_machine_has_an_iommu_when_it_has_a_group_that_vfio_has_not_made_up);
        tcase_add_test(tests, a_device_without_a_group_is_known_until_it_is_told_otherwise);
        return tests_run(tests);
}
