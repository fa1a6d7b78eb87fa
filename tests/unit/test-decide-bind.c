/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/decide-bind.c: what it takes to move whole groups to vfio drivers. What is refused is
 * in test-decide-refusals.c. */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define MLX "pci:v000015B3d0000101Esv000015B3sd00000021bc02sc00i00"

static const Ask bind_pair = {OPERATION_BIND, "03:01.0"};

START_TEST(the_whole_group_is_bound_but_for_its_bridge) {
        static const char plan[] = "load module vfio_pci\n"
                                   "set driver_override of 0000:03:01.0 to vfio-pci\n"
                                   "set driver_override of 0000:03:02.0 to vfio-pci\n"
                                   "unbind 0000:03:01.0 from e1000\n"
                                   "bind 0000:03:01.0 to vfio-pci\n"
                                   "unbind 0000:03:02.0 from e1000\n"
                                   "bind 0000:03:02.0 to vfio-pci";
        World world;

        world_init_lab(&world);
        assert_plan(&world, &bind_pair, plan);
        assert_plan(&world, &(Ask){OPERATION_BIND, "group/3"}, plan);
        assert_plan(&world, &(Ask){OPERATION_BIND, "03:02.0 03:01.0"}, plan);
        world_done(&world);
}
END_TEST

START_TEST(each_step_carries_the_override_before_and_after) {
        _cleanup_(answer_done) Answer answer;
        World world;

        world_init_lab(&world);
        world_put(&world, &(DeviceRow){"0000:03:02.0", 3, "e1000", .override = "e1000"}, 1);
        ask_world(&world, &bind_pair, &answer);
        for (size_t i = 1; i < answer.plan.n_steps; i++) {
                const Step *step = &answer.plan.steps[i];
                bool second = strcmp(step->device, "0000:03:02.0") == 0;

                ck_assert_str_eq(step->override, "vfio-pci");
                ck_assert_str_eq(step->override_old, second ? "e1000" : "");
                ck_assert_str_eq(step->bus, "pci");
                ck_assert_uint_eq(step->group, 3);
        }
        world_done(&world);
}
END_TEST

START_TEST(a_member_that_is_on_a_vfio_driver_is_left_alone) {
        World world;

        world_init_lab(&world);
        world_set_driver(&world, "0000:03:02.0", "vfio-pci");
        assert_plan(&world, &bind_pair,
                    "load module vfio_pci\n"
                    "set driver_override of 0000:03:01.0 to vfio-pci\n"
                    "unbind 0000:03:01.0 from e1000\n"
                    "bind 0000:03:01.0 to vfio-pci");
        world_set_driver(&world, "0000:03:01.0", "vfio-pci");
        assert_plan(&world, &bind_pair, "");
        world_done(&world);
}
END_TEST

START_TEST(driverless_members_are_bound_without_being_unbound) {
        World world;

        world_init_lab(&world);
        assert_plan(&world, &(Ask){OPERATION_BIND, "00:10.1"},
                    "load module vfio_pci\n"
                    "set driver_override of 0000:00:10.0 to vfio-pci\n"
                    "set driver_override of 0000:00:10.1 to vfio-pci\n"
                    "bind 0000:00:10.0 to vfio-pci\n"
                    "bind 0000:00:10.1 to vfio-pci");
        world_done(&world);
}
END_TEST

START_TEST(members_on_pcieport_and_pci_stub_are_left_as_they_are) {
        static const DeviceRow rows[] = {
                {"0000:00:01.0", 6, "pcieport", .class_code = CLASS_PCI_BRIDGE, .header_type = 1},
                {"0000:05:00.0", 6, "pci-stub"},
                {"0000:05:00.1", 6, "nouveau"},
        };
        World world;

        world_init(&world, rows, ELEMENTS(rows));
        assert_plan(&world, &(Ask){OPERATION_BIND, "group/6"},
                    "load module vfio_pci\n"
                    "set driver_override of 0000:05:00.1 to vfio-pci\n"
                    "unbind 0000:05:00.1 from nouveau\n"
                    "bind 0000:05:00.1 to vfio-pci");
        world_done(&world);
}
END_TEST

START_TEST(groups_are_bound_in_order_and_a_module_is_loaded_once) {
        World world;

        world_init_lab(&world);
        assert_plan(&world, &(Ask){OPERATION_BIND, "02:00.0 group/1"},
                    "load module vfio_pci\n"
                    "set driver_override of 0000:01:00.0 to vfio-pci\n"
                    "unbind 0000:01:00.0 from e1000e\n"
                    "bind 0000:01:00.0 to vfio-pci\n"
                    "set driver_override of 0000:02:00.0 to vfio-pci\n"
                    "unbind 0000:02:00.0 from nvme\n"
                    "bind 0000:02:00.0 to vfio-pci");
        world_done(&world);
}
END_TEST

static void init_mellanox(World *world) {
        static const DeviceRow rows[] = {
                {"0000:05:00.0", 6, "mlx5_core", .modalias = MLX},
                {"0000:05:00.1", 6, .modalias = "pci:v00008086d"},
        };

        world_init(world, rows, ELEMENTS(rows));
        ck_assert_int_eq(vfio_aliases_add_line(&world->aliases,
                                               "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci"),
                         1);
        ck_assert_int_eq(vfio_aliases_add_line(
                                 &world->aliases,
                                 "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci"),
                         1);
}

START_TEST(a_variant_driver_is_preferred_with_the_plain_one_to_fall_back_on) {
        World world;

        init_mellanox(&world);
        assert_plan(&world, &(Ask){OPERATION_BIND, "group/6"},
                    "load module mlx5_vfio_pci\n"
                    "load module vfio_pci\n"
                    "set driver_override of 0000:05:00.0 to mlx5_vfio_pci\n"
                    "set driver_override of 0000:05:00.1 to vfio-pci\n"
                    "unbind 0000:05:00.0 from mlx5_core\n"
                    "bind 0000:05:00.0 to mlx5_vfio_pci, or else to vfio-pci\n"
                    "bind 0000:05:00.1 to vfio-pci");
        world.config.variant_drivers = false;
        assert_plan(&world, &(Ask){OPERATION_BIND, "05:00.0"},
                    "load module vfio_pci\n"
                    "set driver_override of 0000:05:00.0 to vfio-pci\n"
                    "set driver_override of 0000:05:00.1 to vfio-pci\n"
                    "unbind 0000:05:00.0 from mlx5_core\n"
                    "bind 0000:05:00.0 to vfio-pci\n"
                    "bind 0000:05:00.1 to vfio-pci");
        world_done(&world);
}
END_TEST

START_TEST(a_named_driver_is_taken_and_nothing_else) {
        World world;

        init_mellanox(&world);
        assert_plan(&world, &(Ask){OPERATION_BIND, "05:00.0", .driver = "vfio_pci"},
                    "load module vfio_pci\n"
                    "set driver_override of 0000:05:00.0 to vfio-pci\n"
                    "set driver_override of 0000:05:00.1 to vfio-pci\n"
                    "unbind 0000:05:00.0 from mlx5_core\n"
                    "bind 0000:05:00.0 to vfio-pci\n"
                    "bind 0000:05:00.1 to vfio-pci");
        ck_assert_int_gt(topology_remove_device(&world.topology, "0000:05:00.1"), 0);
        assert_plan(&world, &(Ask){OPERATION_BIND, "05:00.0", .driver = "mlx5-vfio-pci"},
                    "load module mlx5_vfio_pci\n"
                    "load module vfio_pci\n"
                    "set driver_override of 0000:05:00.0 to mlx5_vfio_pci\n"
                    "unbind 0000:05:00.0 from mlx5_core\n"
                    "bind 0000:05:00.0 to mlx5_vfio_pci");
        world_done(&world);
}
END_TEST

START_TEST(a_platform_device_gets_the_driver_of_its_bus) {
        static const DeviceRow row = {"fff51000.ethernet", 6, "dwmac", .bus = "platform"};
        World world;

        world_init(&world, &row, 1);
        assert_plan(&world, &(Ask){OPERATION_BIND, "fff51000.ethernet"},
                    "load module vfio_platform\n"
                    "set driver_override of fff51000.ethernet to vfio-platform\n"
                    "unbind fff51000.ethernet from dwmac\n"
                    "bind fff51000.ethernet to vfio-platform");
        world_done(&world);
}
END_TEST

START_TEST(the_old_rule_lets_a_bridge_keep_its_driver) {
        static const DeviceRow bridge = {"0000:00:03.0", 3, "shpchp",
                                         .class_code = CLASS_PCI_BRIDGE, .header_type = 1};
        World world;

        world_init_lab(&world);
        world_put(&world, &bridge, 1);
        world.topology.rule = VIABILITY_BY_DRIVER;
        world_set_driver(&world, "0000:03:02.0", "vfio-pci");
        assert_plan(&world, &bind_pair,
                    "load module vfio_pci\n"
                    "set driver_override of 0000:03:01.0 to vfio-pci\n"
                    "unbind 0000:03:01.0 from e1000\n"
                    "bind 0000:03:01.0 to vfio-pci");
        world_done(&world);
}
END_TEST

START_TEST(what_needs_to_be_bound_is_neither_bridge_nor_bound) {
        static const struct {
                const char *device;
                bool needs;
        } rows[] = {
                {"0000:03:01.0", true},  {"0000:00:03.0", false}, {"0000:00:10.0", true},
                {"0000:00:01.0", false}, {"0000:00:1f.2", true},  {"0000:02:00.0", false},
        };
        World world;

        world_init_lab(&world);
        world_set_driver(&world, "0000:02:00.0", "vfio-pci");
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                ck_assert_msg(
                        decide_needs_bind(&world.topology,
                                          topology_find_device(&world.topology, rows[i].device)) ==
                                rows[i].needs,
                        "%s", rows[i].device);
        world_done(&world);
}
END_TEST

static void assert_overridden(const World *world, const Ask *ask, const char *lines) {
        _cleanup_(answer_done) Answer answer;
        _cleanup_free_ char *text = NULL;

        ask_world(world, ask, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        ck_assert_uint_gt(answer.plan.n_steps, 0);
        text = strv_join(answer.plan.overridden, "\n");
        ck_assert_str_eq(text, lines);
}

START_TEST(what_the_host_uses_is_moved_where_safety_is_overridden_and_the_plan_says_what_was) {
        Ask ask = {OPERATION_BIND, "03:01.0", .override_safety = true};
        World world;

        world_init_lab(&world);
        assert_overridden(&world, &ask, "");
        world_add_use(&world, "0000:03:02.0", "eth0 has a route");
        world_add_use(&world, "0000:03:01.0", "eth1 has an address");
        assert_overridden(&world, &ask,
                          "0000:03:01.0 is in use by the host: eth1 has an address; end that use, "
                          "or take a device that the host does not need\n"
                          "0000:03:02.0 is in use by the host: eth0 has a route; end that use, or "
                          "take a device that the host does not need");
        ask.operation = OPERATION_ACQUIRE;
        ask.bind = true;
        assert_overridden(&world, &ask,
                          "0000:03:01.0 is in use by the host: eth1 has an address; end that use, "
                          "or take a device that the host does not need\n"
                          "0000:03:02.0 is in use by the host: eth0 has a route; end that use, or "
                          "take a device that the host does not need");
        world_done(&world);
}
END_TEST

START_TEST(the_chipset_goes_too_where_safety_is_overridden) {
        World world;

        world_init_lab(&world);
        assert_overridden(&world, &(Ask){OPERATION_BIND, "group/9", .override_safety = true},
                          "group 9 is a part of the host's chipset: it holds the ISA bridge "
                          "0000:00:1f.0; use a device of another group");
        world_done(&world);
}
END_TEST

START_TEST(what_is_on_a_vfio_driver_already_is_not_taken_from_the_host) {
        World world;

        world_init_lab(&world);
        world_set_driver(&world, "0000:01:00.0", "vfio-pci");
        world_add_use(&world, "0000:01:00.0", "it is the display that the host has booted with");
        assert_plan(&world, &(Ask){OPERATION_BIND, "01:00.0"}, "");
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-bind");

        tcase_add_test(tests, the_whole_group_is_bound_but_for_its_bridge);
        tcase_add_test(tests, each_step_carries_the_override_before_and_after);
        tcase_add_test(tests, a_member_that_is_on_a_vfio_driver_is_left_alone);
        tcase_add_test(tests, driverless_members_are_bound_without_being_unbound);
        tcase_add_test(tests, members_on_pcieport_and_pci_stub_are_left_as_they_are);
        tcase_add_test(tests, groups_are_bound_in_order_and_a_module_is_loaded_once);
        tcase_add_test(tests, a_variant_driver_is_preferred_with_the_plain_one_to_fall_back_on);
        tcase_add_test(tests, a_named_driver_is_taken_and_nothing_else);
        tcase_add_test(tests, a_platform_device_gets_the_driver_of_its_bus);
        tcase_add_test(tests, the_old_rule_lets_a_bridge_keep_its_driver);
        tcase_add_test(tests, what_needs_to_be_bound_is_neither_bridge_nor_bound);
        tcase_add_test(
                tests,
                what_the_host_uses_is_moved_where_safety_is_overridden_and_the_plan_says_what_was);
        tcase_add_test(tests, the_chipset_goes_too_where_safety_is_overridden);
        tcase_add_test(tests, what_is_on_a_vfio_driver_already_is_not_taken_from_the_host);
        return tests_run(tests);
}
