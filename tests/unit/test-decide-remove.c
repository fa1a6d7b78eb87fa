/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/decide-remove.c: groups out of a live lease. */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OWNER 1000

static Lease *init_leased(World *world, bool attached) {
        Lease *lease;

        world_init_lab(world);
        lease = world_add_lease(world, OWNER, LEASE_HELD, (uint32_t[]){1, 2, 3, 0});
        lease->prepare = attached ? PREPARE_ATTACH : PREPARE_OPEN;
        ck_assert_int_eq(lease_add_device(lease, "0000:01:00.0"), 0);
        ck_assert_int_eq(lease_add_device(lease, "0000:03:02.0"), 0);
        return lease;
}

START_TEST(devices_that_we_have_open_are_closed_before_their_group_leaves) {
        World world;
        Lease *lease = init_leased(&world, true);

        assert_plan(&world, &(Ask){OPERATION_REMOVE, "group/3", OWNER, .lease = lease->id},
                    "close device 0000:03:02.0\n"
                    "take group 3 out of the container");
        assert_plan(&world, &(Ask){OPERATION_REMOVE, "03:01.0 01:00.0", OWNER, .lease = lease->id},
                    "close device 0000:01:00.0\n"
                    "take group 1 out of the container\n"
                    "close device 0000:03:02.0\n"
                    "take group 3 out of the container");
        world_done(&world);
}
END_TEST

START_TEST(a_group_that_we_did_not_attach_just_leaves_the_lease) {
        World world;
        Lease *lease = init_leased(&world, false);

        assert_plan(&world, &(Ask){OPERATION_REMOVE, "group/3", OWNER, .lease = lease->id}, "");
        world_done(&world);
}
END_TEST

START_TEST(the_last_group_can_only_be_released) {
        World world;
        Lease *lease = init_leased(&world, true);

        assert_refused(
                &world,
                &(Ask){OPERATION_REMOVE, "group/3 group/1 group/2", OWNER, .lease = lease->id},
                REFUSAL_NOT_IN_LEASE, "no group left; end it with 'vfioctl release 1'");
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-remove");

        tcase_add_test(tests, devices_that_we_have_open_are_closed_before_their_group_leaves);
        tcase_add_test(tests, a_group_that_we_did_not_attach_just_leaves_the_lease);
        tcase_add_test(tests, the_last_group_can_only_be_released);
        return tests_run(tests);
}
