/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/core/decide-assign.c: what it takes to assign and unassign, and what is told of a device.
 * What it refuses is in test-decide-refusals.c.
 */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define CARD "0000:01:00.0"
#define SERIAL "52-54-00-ff-ff-12-34-56"

static void assert_steps(const Ask *ask, const char *lines) {
        World world;

        world_init_lab(&world);
        assert_plan(&world, ask, lines);
        world_done(&world);
}

#define ASSIGN(...)                                                                                \
        &(Ask) {                                                                                   \
                OPERATION_ASSIGN, __VA_ARGS__                                                      \
        }
#define UNASSIGN(targets)                                                                          \
        &(Ask) {                                                                                   \
                OPERATION_UNASSIGN, targets                                                        \
        }

START_TEST(the_whole_group_but_its_bridges_is_assigned_and_nothing_moves) {
        assert_steps(ASSIGN("0000:03:01.0"),
                     "read the serial number of 0000:03:01.0\n"
                     "read the serial number of 0000:03:02.0\n"
                     "assign 0000:03:01.0, 0000:03:02.0 from the next boot on");
}
END_TEST

START_TEST(with_bind_they_are_bound_first) {
        assert_steps(ASSIGN(CARD, .bind = true), "load module vfio_pci\n"
                                                 "set driver_override of " CARD " to vfio-pci\n"
                                                 "unbind " CARD " from e1000e\n"
                                                 "bind " CARD " to vfio-pci\n"
                                                 "read the serial number of " CARD "\n"
                                                 "assign " CARD " from the next boot on");
}
END_TEST

START_TEST(who_has_the_group_now_does_not_matter) {
        World world;

        world_init_lab(&world);
        world_set_driver(&world, CARD, "vfio-pci");
        (void)world_add_lease(&world, 1001, LEASE_HELD, (uint32_t[]){1, 0});
        assert_plan(&world, ASSIGN("group/1"),
                    "read the serial number of " CARD "\nassign " CARD " from the next boot on");
        world_done(&world);
}
END_TEST

START_TEST(an_entry_has_the_driver_that_the_device_is_on_or_would_be_bound_to) {
        World world;
        _cleanup_(answer_done) Answer answer;
        _cleanup_assignments_ Assignments entries = ASSIGNMENTS_NULL;
        _cleanup_free_ char *error = NULL;
        const Step *step;

        world_init_lab(&world);
        world_set_driver(&world, "0000:03:02.0", "mlx5_vfio_pci");
        ask_world(&world, ASSIGN("group/3"), &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        step = &answer.plan.steps[answer.plan.n_steps - 1];
        ck_assert_str_eq(step->directory, WORLD_CONFIG_DIRECTORY);
        ck_assert_int_eq(assignments_read(step->assignments, &entries, &error), 0);
        ck_assert_str_eq(entries.items[0].driver, "vfio-pci");
        ck_assert_str_eq(entries.items[1].driver, "mlx5_vfio_pci");
        ck_assert_ptr_null(entries.items[0].serial);
        ck_assert_str_eq(entries.items[0].since, "2026-11-21T22:40:05Z");
        world_done(&world);
}
END_TEST

START_TEST(what_safety_would_have_refused_is_noted_with_the_plan) {
        World world;
        _cleanup_(answer_done) Answer answer;

        world_init_lab(&world);
        world_add_use(&world, CARD, "eth0 has a route");
        ask_world(&world, ASSIGN(CARD, .override_safety = true), &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        ck_assert_uint_eq(strv_length(answer.plan.overridden), 1);
        world_done(&world);
}
END_TEST

START_TEST(unassigning_what_is_not_assigned_does_nothing) {
        assert_steps(UNASSIGN("group/1"), "");
}
END_TEST

START_TEST(unassigning_ends_it_for_the_whole_group_and_for_what_is_not_there_any_more) {
        World world;
        const Assignment gone = {.device = (char *)"0000:77:00.0"};

        world_init_lab(&world);
        world_assign(&world, "0000:03:01.0", "vfio-pci", "");
        world_assign(&world, "0000:03:02.0", "vfio-pci", "");
        ck_assert_int_eq(assignments_put(&world.assignments, &gone), 0);
        assert_plan(&world, UNASSIGN("03:02.0"),
                    "unassign 0000:03:01.0, 0000:03:02.0 from the next boot on");
        assert_plan(&world, UNASSIGN("0000:77:00.0"),
                    "unassign 0000:77:00.0 from the next boot on");
        world_done(&world);
}
END_TEST

static void init_waiting(World *world, const char *driver, const char *override) {
        world_init(world, &(DeviceRow){CARD, 1, driver, .override = override}, 1);
        world_assign(world, CARD, "vfio-pci", "");
}

START_TEST(the_override_of_a_device_that_waits_for_its_driver_is_cleared) {
        World world;

        init_waiting(&world, NULL, "vfio-pci");
        assert_plan(&world, UNASSIGN(CARD),
                    "clear driver_override of " CARD "\nunassign " CARD " from the next boot on");
        world_done(&world);
}
END_TEST

START_TEST(the_override_of_a_device_that_is_bound_or_leased_or_another_s_stays) {
        static const struct {
                const char *driver, *override;
                bool leased;
        } rows[] = {{"vfio-pci", "vfio-pci", false},
                    {"e1000e", "", false},
                    {NULL, "pci-stub", false},
                    {NULL, "vfio-pci", true}};
        World world;

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                init_waiting(&world, rows[i].driver, rows[i].override);
                if (rows[i].leased)
                        (void)world_add_lease(&world, 1001, LEASE_HELD, (uint32_t[]){1, 0});
                assert_plan(&world, UNASSIGN(CARD), "unassign " CARD " from the next boot on");
                world_done(&world);
        }
}
END_TEST

static void assert_state(const World *world, const char *words) {
        _cleanup_free_ char *state =
                assignment_state(world, topology_find_device(&world->topology, CARD));

        if (*words)
                ck_assert_msg(strstr(state, words) == state, "'%s' does not begin '%s'", state,
                              words);
        else
                ck_assert_str_eq(state, "");
}

START_TEST(a_device_tells_whether_its_assignment_has_come_true) {
        World world;

        world_init_lab(&world);
        assert_state(&world, "");
        world_assign(&world, CARD, "vfio-pci", SERIAL);
        assert_state(&world, "assigned, but on e1000e: 'vfioctl bind " CARD "' moves it now");
        world_set_driver(&world, CARD, "vfio-pci");
        assert_state(&world, "assigned");
        world_set_driver(&world, CARD, NULL);
        assert_state(&world, "assigned");
        world_done(&world);
}
END_TEST

START_TEST(another_device_at_the_address_is_a_mismatch) {
        World world;
        Device *device;

        world_init_lab(&world);
        world_assign(&world, CARD, "vfio-pci", SERIAL);
        device = topology_find_device(&world.topology, CARD);
        ck_assert_int_eq(string_set(&device->serial, "52-54-00-ff-ff-12-34-57"), 0);
        assert_state(&world, "mismatch: " CARD " has the serial number 52-54-00-ff-ff-12-34-57");
        ck_assert_int_eq(string_set(&device->serial, SERIAL), 0);
        assert_state(&world, "assigned, but");
        device->facts.device++;
        assert_state(&world, "mismatch: " CARD " is ");
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-assign");

        tcase_add_test(tests, the_whole_group_but_its_bridges_is_assigned_and_nothing_moves);
        tcase_add_test(tests, with_bind_they_are_bound_first);
        tcase_add_test(tests, who_has_the_group_now_does_not_matter);
        tcase_add_test(tests, an_entry_has_the_driver_that_the_device_is_on_or_would_be_bound_to);
        tcase_add_test(tests, what_safety_would_have_refused_is_noted_with_the_plan);
        tcase_add_test(tests, unassigning_what_is_not_assigned_does_nothing);
        tcase_add_test(tests,
                       unassigning_ends_it_for_the_whole_group_and_for_what_is_not_there_any_more);
        tcase_add_test(tests, the_override_of_a_device_that_waits_for_its_driver_is_cleared);
        tcase_add_test(tests, the_override_of_a_device_that_is_bound_or_leased_or_another_s_stays);
        tcase_add_test(tests, a_device_tells_whether_its_assignment_has_come_true);
        tcase_add_test(tests, another_device_at_the_address_is_a_mismatch);
        return tests_run(tests);
}
