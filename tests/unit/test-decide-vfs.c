/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/core/decide-vfs.c: what it takes to have so many virtual functions. What it refuses is in
 * test-decide-refusals.c.
 */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OWNER 1000
#define BARE "0000:05:00.0"
#define CARD "0000:06:00.0"

/* One without functions, one with two. */
static void init_world(World *world) {
        static const DeviceRow rows[] = {
                {BARE, 1, "igb", .total_vfs = 7},
                {CARD, 2, "igb", .total_vfs = 7},
                {"0000:06:10.0", 3, "igbvf", .physfn = CARD},
                {"0000:06:10.2", 4, .physfn = CARD},
        };

        world_init(world, rows, ELEMENTS(rows));
}

static void assert_steps(const Ask *ask, const char *lines) {
        World world;

        init_world(&world);
        assert_plan(&world, ask, lines);
        world_done(&world);
}

#define ASK(...)                                                                                   \
        &(Ask) {                                                                                   \
                OPERATION_SET_VFS, __VA_ARGS__                                                     \
        }
#define ALL CARD " group/3 group/4"

START_TEST(functions_are_made_where_there_are_none) {
        assert_steps(ASK(BARE, .n_vfs = 7), "make 7 virtual functions of " BARE);
}
END_TEST

START_TEST(all_functions_are_removed_at_once) {
        assert_steps(ASK(ALL), "remove the virtual functions of " CARD);
}
END_TEST

START_TEST(with_as_many_as_are_wanted_there_is_nothing_to_do) {
        assert_steps(ASK(ALL, .n_vfs = 2), "");
        assert_steps(ASK(BARE), "");
        assert_steps(ASK(BARE, .recreate = true), "");
}
END_TEST

START_TEST(another_number_is_made_from_none_where_the_caller_says_so) {
        assert_steps(ASK(ALL, .n_vfs = 3, .recreate = true),
                     "remove the virtual functions of " CARD "\n"
                     "make 3 virtual functions of " CARD);
        assert_steps(ASK(ALL, .n_vfs = 2, .recreate = true),
                     "remove the virtual functions of " CARD "\n"
                     "make 2 virtual functions of " CARD);
}
END_TEST

START_TEST(host_drivers_are_kept_off_before_functions_are_made) {
        assert_steps(ASK(BARE, .n_vfs = 1, .autoprobe = "no"),
                     "set sriov_drivers_autoprobe of " BARE " to 0\n"
                     "make 1 virtual function of " BARE);
        assert_steps(ASK(ALL, .n_vfs = 3, .recreate = true, .autoprobe = "no"),
                     "remove the virtual functions of " CARD "\n"
                     "set sriov_drivers_autoprobe of " CARD " to 0\n"
                     "make 3 virtual functions of " CARD);
        assert_steps(ASK(BARE, .n_vfs = 1, .autoprobe = "yes"), "make 1 virtual function of " BARE);
}
END_TEST

START_TEST(autoprobe_is_switched_whatever_becomes_of_the_functions) {
        World world;

        init_world(&world);
        world_set_driver(&world, "0000:06:10.2", "vfio-pci");
        (void)world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){4, 0});
        assert_plan(&world, ASK(ALL, .n_vfs = 2, .autoprobe = "no"),
                    "set sriov_drivers_autoprobe of " CARD " to 0");
        world_done(&world);
}
END_TEST

START_TEST(functions_of_a_device_on_a_vfio_driver_can_be_removed) {
        World world;

        init_world(&world);
        world_set_driver(&world, CARD, "vfio-pci");
        assert_plan(&world, ASK(ALL), "remove the virtual functions of " CARD);
        world_done(&world);
}
END_TEST

START_TEST(drivers_have_time_for_each_function) {
        _cleanup_(answer_done) Answer answer;
        World world;

        init_world(&world);
        ask_world(&world, ASK(ALL, .n_vfs = 3, .recreate = true), &answer);
        ck_assert_uint_eq(plan_grace_ms(&answer.plan), 10000);
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-vfs");

        tcase_add_test(tests, functions_are_made_where_there_are_none);
        tcase_add_test(tests, all_functions_are_removed_at_once);
        tcase_add_test(tests, with_as_many_as_are_wanted_there_is_nothing_to_do);
        tcase_add_test(tests, another_number_is_made_from_none_where_the_caller_says_so);
        tcase_add_test(tests, host_drivers_are_kept_off_before_functions_are_made);
        tcase_add_test(tests, autoprobe_is_switched_whatever_becomes_of_the_functions);
        tcase_add_test(tests, functions_of_a_device_on_a_vfio_driver_can_be_removed);
        tcase_add_test(tests, drivers_have_time_for_each_function);
        return tests_run(tests);
}
