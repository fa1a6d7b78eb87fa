/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/decide-remove.c: groups out of a live lease. */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OWNER 1000
/* For as long a group may be busy after its holders have closed it. */
#define CLOSING_MS 5000

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

/* Each row: a cdev that its receiver may have left unbound is sealed. */
START_TEST(cdevs_are_closed_when_nobody_is_seen_to_have_them_and_the_group_is_looked_at_then) {
        static const struct {
                Prepare prepare;
                const char *plan;
        } rows[] = {
                {PREPARE_ATTACH, "see that nobody holds group 3\n"
                                 "close cdev 0000:03:02.0\n"
                                 "see that group 3 is free"},
                {PREPARE_BIND, "see that nobody holds group 3\n"
                               "close cdev 0000:03:02.0\n"
                               "see that group 3 is free"},
                {PREPARE_OPEN, "see that nobody holds group 3\n"
                               "make cdev 0000:03:02.0 useless to others\n"
                               "close cdev 0000:03:02.0\n"
                               "see that group 3 is free"},
        };
        World world;
        Lease *lease = init_leased(&world, true);

        lease->mode = MODE_IOMMUFD;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const Ask ask = {OPERATION_REMOVE, "03:01.0", OWNER, .lease = lease->id};
                _cleanup_(answer_done) Answer answer;

                lease->prepare = rows[i].prepare;
                assert_plan(&world, &ask, rows[i].plan);
                ask_world(&world, &ask, &answer);
                ck_assert_uint_eq(plan_grace_ms(&answer.plan), CLOSING_MS);
        }
        assert_refused(
                &world,
                &(Ask){OPERATION_REMOVE, "group/1 group/2 group/3", OWNER, .lease = lease->id},
                REFUSAL_NOT_IN_LEASE, "no group left");
        world_done(&world);
}
END_TEST

START_TEST(each_group_of_an_iommufd_is_removed_by_itself) {
        World world;
        Lease *lease = init_leased(&world, true);

        lease->mode = MODE_IOMMUFD;
        lease->iommufd.ioas = 1;
        assert_plan(&world, &(Ask){OPERATION_REMOVE, "group/3 group/1", OWNER, .lease = lease->id},
                    "see that nobody holds group 1\n"
                    "close cdev 0000:01:00.0\n"
                    "see that group 1 is free\n"
                    "see that nobody holds group 3\n"
                    "close cdev 0000:03:02.0\n"
                    "see that group 3 is free\n"
                    "read the IOVA ranges of the IOAS");
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
        tcase_add_test(
                tests,
                cdevs_are_closed_when_nobody_is_seen_to_have_them_and_the_group_is_looked_at_then);
        tcase_add_test(tests, each_group_of_an_iommufd_is_removed_by_itself);
        tcase_add_test(tests, the_last_group_can_only_be_released);
        return tests_run(tests);
}
