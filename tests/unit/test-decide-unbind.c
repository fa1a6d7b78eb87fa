/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/decide-unbind.c: every member back to where it came from. */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

static const Ask unbind_pair = {OPERATION_UNBIND, "03:01.0"};

static void init_bound_pair(World *world) {
        static const DeviceRow bound[] = {
                {"0000:03:01.0", 3, "vfio-pci", .override = "vfio-pci", .original = "e1000"},
                {"0000:03:02.0", 3, "vfio-pci", .override = "vfio-pci", .original = "e1000",
                 .original_override = "e1000"},
        };

        world_init_lab(world);
        world_put(world, bound, ELEMENTS(bound));
}

START_TEST(the_recorded_driver_and_override_are_restored_behind_a_claim) {
        World world;

        init_bound_pair(&world);
        assert_plan(&world, &unbind_pair,
                    "claim group 3\n"
                    "load module e1000\n"
                    "unbind 0000:03:01.0 from vfio-pci\n"
                    "clear driver_override of 0000:03:01.0\n"
                    "bind 0000:03:01.0 to e1000\n"
                    "load module e1000\n"
                    "unbind 0000:03:02.0 from vfio-pci\n"
                    "set driver_override of 0000:03:02.0 to e1000\n"
                    "bind 0000:03:02.0 to e1000");
        world_done(&world);
}
END_TEST

START_TEST(each_step_knows_both_overrides_and_modules_may_be_missing) {
        _cleanup_(answer_done) Answer answer;
        World world;

        init_bound_pair(&world);
        ask_world(&world, &unbind_pair, &answer);
        for (size_t i = 0; i < answer.plan.n_steps; i++) {
                const Step *step = &answer.plan.steps[i];

                ck_assert(step->optional == (step->kind == STEP_LOAD_MODULE));
                if (!step->device)
                        continue;
                ck_assert_str_eq(step->override_old, "vfio-pci");
                ck_assert_str_eq(step->override,
                                 strcmp(step->device, "0000:03:02.0") == 0 ? "e1000" : "");
        }
        world_done(&world);
}
END_TEST

/* An unbound cdev does not keep the group from being claimed, but its unbinding from coming back.
 */
START_TEST(nobody_may_be_seen_to_have_a_group_with_a_cdev_before_it_is_claimed) {
        _cleanup_(answer_done) Answer answer;
        World world;

        init_bound_pair(&world);
        world_set_cdev(&world, "0000:03:02.0", "vfio0");
        ask_world(&world, &unbind_pair, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        ck_assert_int_eq(answer.plan.steps[0].kind, STEP_EXPECT_NOBODY);
        ck_assert_uint_eq(answer.plan.steps[0].group, 3);
        ck_assert_uint_eq(answer.plan.steps[0].n_groups, 1);
        ck_assert_uint_eq(answer.plan.steps[0].groups[0], 3);
        ck_assert_int_eq(answer.plan.steps[1].kind, STEP_CLAIM_GROUP);
        world_done(&world);
}
END_TEST

START_TEST(a_device_that_had_no_driver_gets_none) {
        static const DeviceRow bound[] = {
                {"0000:00:10.0", 4, "vfio-pci", .override = "vfio-pci", .original = ""},
                {"0000:00:10.1", 4, "vfio-pci", .override = "vfio-pci", .original = ""},
        };
        World world;

        world_init_lab(&world);
        world_put(&world, bound, ELEMENTS(bound));
        assert_plan(&world, &(Ask){OPERATION_UNBIND, "group/4"},
                    "claim group 4\n"
                    "unbind 0000:00:10.0 from vfio-pci\n"
                    "clear driver_override of 0000:00:10.0\n"
                    "unbind 0000:00:10.1 from vfio-pci\n"
                    "clear driver_override of 0000:00:10.1");
        world_done(&world);
}
END_TEST

START_TEST(a_device_bound_by_others_goes_to_whatever_the_kernel_finds) {
        static const DeviceRow rows[] = {
                {"0000:01:00.0", 1, "vfio-pci", .override = "vfio-pci",
                 .modalias = "pci:v8086d10D3"},
                {"0000:02:00.0", 2, "vfio-pci"},
        };
        World world;

        world_init(&world, rows, ELEMENTS(rows));
        assert_plan(&world, &(Ask){OPERATION_UNBIND, "01:00.0"},
                    "claim group 1\n"
                    "load module pci:v8086d10D3\n"
                    "unbind 0000:01:00.0 from vfio-pci\n"
                    "clear driver_override of 0000:01:00.0\n"
                    "let the kernel find a driver for 0000:01:00.0");
        assert_plan(&world, &(Ask){OPERATION_UNBIND, "02:00.0"},
                    "claim group 2\n"
                    "unbind 0000:02:00.0 from vfio-pci\n"
                    "clear driver_override of 0000:02:00.0\n"
                    "let the kernel find a driver for 0000:02:00.0");
        world_done(&world);
}
END_TEST

START_TEST(members_on_other_drivers_are_left_alone) {
        World world;

        init_bound_pair(&world);
        world_set_driver(&world, "0000:03:01.0", "e1000");
        assert_plan(&world, &unbind_pair,
                    "claim group 3\n"
                    "load module e1000\n"
                    "unbind 0000:03:02.0 from vfio-pci\n"
                    "set driver_override of 0000:03:02.0 to e1000\n"
                    "bind 0000:03:02.0 to e1000");
        world_set_driver(&world, "0000:03:02.0", "e1000");
        assert_plan(&world, &unbind_pair, "");
        assert_plan(&world, &(Ask){OPERATION_UNBIND, "group/9"}, "");
        world_done(&world);
}
END_TEST

/* Whose record core/rebound.h has forgotten by then. */
START_TEST(an_override_of_somebody_else_stays_and_decides_on_the_driver) {
        static const DeviceRow rows[] = {
                {"0000:01:00.0", 1, "vfio-pci", .override = "e1000e"},
        };
        World world;

        world_init(&world, rows, ELEMENTS(rows));
        assert_plan(&world, &(Ask){OPERATION_UNBIND, "01:00.0"},
                    "claim group 1\n"
                    "unbind 0000:01:00.0 from vfio-pci\n"
                    "set driver_override of 0000:01:00.0 to e1000e\n"
                    "let the kernel find a driver for 0000:01:00.0");
        world_done(&world);
}
END_TEST

START_TEST(of_a_member_that_somebody_has_taken_only_our_override_is_put_back) {
        static const DeviceRow taken[] = {
                {"0000:03:01.0", 3, .override = "vfio-pci", .original = "e1000",
                 .original_override = "mine", .bound = "vfio-pci"},
        };
        World world;

        init_bound_pair(&world);
        world_put(&world, taken, ELEMENTS(taken));
        assert_plan(&world, &unbind_pair,
                    "claim group 3\n"
                    "set driver_override of 0000:03:01.0 to mine\n"
                    "load module e1000\n"
                    "unbind 0000:03:02.0 from vfio-pci\n"
                    "set driver_override of 0000:03:02.0 to e1000\n"
                    "bind 0000:03:02.0 to e1000");
        world_set_driver(&world, "0000:03:02.0", "e1000");
        assert_plan(&world, &unbind_pair, "set driver_override of 0000:03:01.0 to mine");
        world_done(&world);
}
END_TEST

START_TEST(all_groups_are_claimed_before_the_first_device_is_unbound) {
        static const DeviceRow rows[] = {
                {"0000:01:00.0", 1, "vfio-pci", .original = ""},
                {"0000:02:00.0", 2, "vfio-pci", .original = ""},
        };
        World world;

        world_init(&world, rows, ELEMENTS(rows));
        assert_plan(&world, &(Ask){OPERATION_UNBIND, "group/2 group/1"},
                    "claim group 1\n"
                    "claim group 2\n"
                    "unbind 0000:01:00.0 from vfio-pci\n"
                    "clear driver_override of 0000:01:00.0\n"
                    "unbind 0000:02:00.0 from vfio-pci\n"
                    "clear driver_override of 0000:02:00.0");
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-unbind");

        tcase_add_test(tests, the_recorded_driver_and_override_are_restored_behind_a_claim);
        tcase_add_test(tests, each_step_knows_both_overrides_and_modules_may_be_missing);
        tcase_add_test(tests, nobody_may_be_seen_to_have_a_group_with_a_cdev_before_it_is_claimed);
        tcase_add_test(tests, a_device_that_had_no_driver_gets_none);
        tcase_add_test(tests, a_device_bound_by_others_goes_to_whatever_the_kernel_finds);
        tcase_add_test(tests, members_on_other_drivers_are_left_alone);
        tcase_add_test(tests, an_override_of_somebody_else_stays_and_decides_on_the_driver);
        tcase_add_test(tests, of_a_member_that_somebody_has_taken_only_our_override_is_put_back);
        tcase_add_test(tests, all_groups_are_claimed_before_the_first_device_is_unbound);
        return tests_run(tests);
}
