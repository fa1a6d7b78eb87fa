/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/core/decide-mdev.c: what it takes to make and remove a mediated device. What it refuses is
 * in test-decide-refusals.c.
 */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define UUID "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"

static void init_world(World *world) {
        static const DeviceRow rows[] = {
                {"0000:00:02.0", 1, "i915"},
                {UUID, 2, "vfio_mdev", .bus = "mdev", .no_override = true, .noiommu = true},
        };

        world_init(world, rows, ELEMENTS(rows));
}

static void assert_steps(const Ask *ask, const char *lines) {
        World world;

        init_world(&world);
        assert_plan(&world, ask, lines);
        world_done(&world);
}

START_TEST(one_is_made_of_a_parent_with_a_group_or_without) {
        assert_steps(&(Ask){OPERATION_CREATE_MDEV, "0000:00:02.0", .mdev_type = "i915-GVTg_V5_4",
                            .mdev_uuid = "u"},
                     "make mediated device u of type i915-GVTg_V5_4 on 0000:00:02.0");
        assert_steps(&(Ask){OPERATION_CREATE_MDEV, NULL, .mdev_type = "mtty-1", .mdev_uuid = "u"},
                     "make mediated device u of type mtty-1 on mtty");
}
END_TEST

START_TEST(one_is_removed_when_its_group_is_seen_to_be_free) {
        assert_steps(&(Ask){OPERATION_REMOVE_MDEV, UUID},
                     "claim group 2\nremove mediated device " UUID);
}
END_TEST

START_TEST(one_with_a_node_of_its_own_is_removed_when_nobody_holds_that_either) {
        World world;

        init_world(&world);
        world_set_cdev(&world, UUID, "vfio0");
        assert_plan(&world, &(Ask){OPERATION_REMOVE_MDEV, UUID},
                    "see that nobody holds group 2\n"
                    "claim group 2\n"
                    "remove mediated device " UUID);
        world_done(&world);
}
END_TEST

START_TEST(one_that_no_vfio_driver_has_is_held_by_nobody) {
        World world;

        init_world(&world);
        world_set_driver(&world, UUID, NULL);
        assert_plan(&world, &(Ask){OPERATION_REMOVE_MDEV, UUID}, "remove mediated device " UUID);
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-mdev");

        tcase_add_test(tests, one_is_made_of_a_parent_with_a_group_or_without);
        tcase_add_test(tests, one_is_removed_when_its_group_is_seen_to_be_free);
        tcase_add_test(tests, one_with_a_node_of_its_own_is_removed_when_nobody_holds_that_either);
        tcase_add_test(tests, one_that_no_vfio_driver_has_is_held_by_nobody);
        return tests_run(tests);
}
