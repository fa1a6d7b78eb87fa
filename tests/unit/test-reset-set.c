/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/reset-set.h: which devices are reset with which, and which can be reset alone. */

#include "daemon/core/reset-set.h"

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define ROOT "pci0000:00/"
#define PORT ROOT "0000:00:01.0/"
/* A switch below a root port: its upstream port is 02:00.0, its downstream ports are on bus 3. */
#define SWITCH ROOT "0000:00:02.0/0000:02:00.0/"

static const DeviceRow machine[] = {
        {"0000:00:01.0", 1, .class_code = CLASS_PCI_BRIDGE, .path = ROOT "0000:00:01.0"},
        {"0000:01:00.0", 2, .path = PORT "0000:01:00.0", .reset = "flr bus"},
        {"0000:01:00.1", 3, .path = PORT "0000:01:00.1"},
        {"0000:01:10.0", 4, .path = PORT "0000:01:10.0", .physfn = "0000:01:00.0"},
        {"0000:01:10.1", 5, .path = PORT "0000:01:10.1", .physfn = "0000:01:00.0"},
        {"0000:00:10.0", 6, .path = ROOT "0000:00:10.0"},
        {"0000:00:10.1", 6, .path = ROOT "0000:00:10.1"},
        {"0000:02:00.0", 7, .class_code = CLASS_PCI_BRIDGE,
         .path = ROOT "0000:00:02.0/0000:02:00.0"},
        {"0000:02:00.1", 8, .path = ROOT "0000:00:02.0/0000:02:00.1"},
        {"0000:03:00.0", 9, .class_code = CLASS_PCI_BRIDGE, .path = SWITCH "0000:03:00.0"},
        {"0000:04:00.0", 10, .path = SWITCH "0000:03:00.0/0000:04:00.0"},
        {"0001:01:00.0", 11, .path = "pci0001:00/0001:00:01.0/0001:01:00.0"},
        {"10000:e1:00.0", 12, .path = ROOT "0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0"},
        {"10000:e1:00.1", 13, .path = ROOT "0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.1"},
        {"10000:e0:06.0", 14, .path = ROOT "0000:00:0e.0/pci10000:e0/10000:e0:06.0"},
        {"10000:e0:06.1", 14, .path = ROOT "0000:00:0e.0/pci10000:e0/10000:e0:06.1"},
        {"0000:09:00.0", 15},
        {"0000:09:00.1", 15},
        {"an-mdev", 16, .bus = "mdev", .path = PORT "0000:01:00.0/an-mdev"},
};

static char *set_of(const World *world, const char *name) {
        const Device *device = topology_find_device(&world->topology, name);
        char *text = strdup("");

        ck_assert_ptr_nonnull(device);
        for (size_t i = 0; i < world->topology.n_devices; i++) {
                const DeviceFacts *other = &world->topology.devices[i]->facts;

                if (reset_set_has(&device->facts, other))
                        (void)string_append(&text, "%s%s", text[0] ? " " : "", other->name);
        }
        return text;
}

static void assert_sets(const char *const (*rows)[2], size_t n) {
        World world;

        world_init(&world, machine, ELEMENTS(machine));
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *set = set_of(&world, rows[i][0]);

                ck_assert_msg(strcmp(set, rows[i][1]) == 0, "%s: '%s', expected '%s'", rows[i][0],
                              set, rows[i][1]);
        }
        world_done(&world);
}

#define assert_rows(...)                                                                           \
        do {                                                                                       \
                static const char *const _rows[][2] = {__VA_ARGS__};                               \
                assert_sets(_rows, ELEMENTS(_rows));                                               \
        } while (false)

START_TEST(functions_below_one_port_are_reset_together_with_their_virtual_functions) {
        assert_rows({"0000:01:00.0", "0000:01:00.0 0000:01:00.1 0000:01:10.0 0000:01:10.1"},
                    {"0000:01:00.1", "0000:01:00.0 0000:01:00.1 0000:01:10.0 0000:01:10.1"});
}
END_TEST

START_TEST(a_virtual_function_is_alone) {
        assert_rows({"0000:01:10.0", "0000:01:10.0"}, {"0000:01:10.1", "0000:01:10.1"});
}
END_TEST

START_TEST(a_device_on_a_root_bus_is_alone) {
        assert_rows({"0000:00:10.0", "0000:00:10.0"}, {"0000:00:10.1", "0000:00:10.1"},
                    {"0000:00:01.0", "0000:00:01.0"}, {"10000:e0:06.0", "10000:e0:06.0"});
}
END_TEST

START_TEST(a_reset_goes_on_to_the_buses_below_and_not_up) {
        assert_rows({"0000:02:00.1", "0000:02:00.0 0000:02:00.1 0000:03:00.0 0000:04:00.0"},
                    {"0000:04:00.0", "0000:04:00.0"});
}
END_TEST

START_TEST(the_same_bus_number_of_another_domain_is_another_bus) {
        assert_rows({"0001:01:00.0", "0001:01:00.0"});
}
END_TEST

START_TEST(a_domain_of_five_digits_is_understood) {
        assert_rows({"10000:e1:00.0", "10000:e1:00.0 10000:e1:00.1"});
}
END_TEST

START_TEST(a_device_whose_place_is_not_known_is_alone) {
        assert_rows({"0000:09:00.0", "0000:09:00.0"});
}
END_TEST

START_TEST(off_pci_there_is_no_reset_set) {
        assert_rows({"an-mdev", ""});
}
END_TEST

static void assert_own(const char *reset, bool own) {
        const DeviceRow rows[] = {
                {"0000:01:00.0", 1, .reset = reset},
                {"0000:02:00.0", 2, .reset = "flr"},
        };
        World world;

        world_init(&world, rows, ELEMENTS(rows));
        ck_assert_msg(reset_is_own(&world.topology, &world.topology.devices[0]->facts) == own, "%s",
                      reset ?: "no attribute");
        world_done(&world);
}

START_TEST(a_reset_of_its_own_is_any_that_leaves_the_bus_alone) {
        static const char *const own[] = {"flr",  "af_flr",         "pm",    "device_specific",
                                          "acpi", "bus cxl_bus pm", "pm bus"};
        static const char *const shared[] = {NULL, "", "bus", "cxl_bus", "bus cxl_bus"};

        for (size_t i = 0; i < ELEMENTS(own); i++)
                assert_own(own[i], true);
        for (size_t i = 0; i < ELEMENTS(shared); i++)
                assert_own(shared[i], false);
}
END_TEST

START_TEST(where_no_device_tells_its_methods_each_may_have_one) {
        const DeviceRow rows[] = {{"0000:01:00.0", 1}, {"0000:02:00.0", 2}};
        World world;

        world_init(&world, rows, ELEMENTS(rows));
        ck_assert(reset_is_own(&world.topology, &world.topology.devices[0]->facts));
        world_done(&world);
}
END_TEST

START_TEST(off_pci_a_reset_is_nobody_elses_business) {
        World world;

        world_init(&world, machine, ELEMENTS(machine));
        ck_assert(reset_is_own(&world.topology,
                               &topology_find_device(&world.topology, "an-mdev")->facts));
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("reset-set");

        tcase_add_test(tests,
                       functions_below_one_port_are_reset_together_with_their_virtual_functions);
        tcase_add_test(tests, a_virtual_function_is_alone);
        tcase_add_test(tests, a_device_on_a_root_bus_is_alone);
        tcase_add_test(tests, a_reset_goes_on_to_the_buses_below_and_not_up);
        tcase_add_test(tests, the_same_bus_number_of_another_domain_is_another_bus);
        tcase_add_test(tests, a_domain_of_five_digits_is_understood);
        tcase_add_test(tests, a_device_whose_place_is_not_known_is_alone);
        tcase_add_test(tests, off_pci_there_is_no_reset_set);
        tcase_add_test(tests, a_reset_of_its_own_is_any_that_leaves_the_bus_alone);
        tcase_add_test(tests, where_no_device_tells_its_methods_each_may_have_one);
        tcase_add_test(tests, off_pci_a_reset_is_nobody_elses_business);
        return tests_run(tests);
}
