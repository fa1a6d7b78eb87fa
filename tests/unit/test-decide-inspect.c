/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/decide-inspect.c: through which file a device is read, and what is opened for it. */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OWNER 1000
#define OTHER 1001
#define NIC "0000:01:00.0"

#define OPENED_FOR_IT                                                                              \
        "open a container\n"                                                                       \
        "open group 1\n"                                                                           \
        "put group 1 into the container\n"                                                         \
        "set the container's IOMMU to TYPE1v2\n"                                                   \
        "open device 0000:01:00.0 of group 1\n"                                                    \
        "read what the driver tells of 0000:01:00.0\n"                                             \
        "close the files of 0000:01:00.0"

static const Ask ask = {OPERATION_INSPECT, NIC, OTHER};

static void init_bound(World *world) {
        world_init_lab(world);
        world_set_driver(world, NIC, "vfio-pci");
}

static Lease *init_leased(World *world, LeaseState state, Prepare prepare) {
        Lease *lease;

        init_bound(world);
        lease = world_add_lease(world, OWNER, state, (uint32_t[]){1, 0});
        lease->mode = MODE_GROUP;
        lease->prepare = prepare;
        return lease;
}

START_TEST(what_nobody_has_is_opened_for_it_and_closed_again) {
        World world;

        init_bound(&world);
        assert_plan(&world, &ask, OPENED_FOR_IT);
        world_done(&world);
}
END_TEST

START_TEST(what_others_have_leased_besides_does_not_matter) {
        World world;

        init_bound(&world);
        (void)world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){2, 0});
        assert_plan(&world, &ask, OPENED_FOR_IT);
        world_done(&world);
}
END_TEST

START_TEST(a_leased_device_is_read_through_our_file_whoever_asks) {
        static const LeaseState states[] = {LEASE_HELD, LEASE_RELEASING};

        for (size_t i = 0; i < ELEMENTS(states); i++) {
                World world;
                Lease *lease = init_leased(&world, states[i], PREPARE_ATTACH);
                Ask owner = ask;

                owner.uid = OWNER;
                ck_assert_int_eq(lease_add_device(lease, NIC), 0);
                assert_plan(&world, &ask, "read what the driver tells of 0000:01:00.0");
                assert_plan(&world, &owner, "read what the driver tells of 0000:01:00.0");
                world_done(&world);
        }
}
END_TEST

START_TEST(a_device_that_its_receiver_opens_by_itself_is_opened_once_more) {
        World world;

        (void)init_leased(&world, LEASE_HELD, PREPARE_OPEN);
        assert_plan(&world, &ask,
                    "open device 0000:01:00.0 of group 1\n"
                    "read what the driver tells of 0000:01:00.0\n"
                    "close device 0000:01:00.0");
        world_done(&world);
}
END_TEST

START_TEST(a_neighbour_of_a_leased_device_is_opened_through_their_group) {
        World world;
        Lease *lease;

        world_init_lab(&world);
        world_set_driver(&world, "0000:03:01.0", "vfio-pci");
        world_set_driver(&world, "0000:03:02.0", "vfio-pci");
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){3, 0});
        lease->mode = MODE_GROUP;
        ck_assert_int_eq(lease_add_device(lease, "0000:03:01.0"), 0);
        assert_plan(&world, &(Ask){OPERATION_INSPECT, "0000:03:02.0", OTHER},
                    "open device 0000:03:02.0 of group 3\n"
                    "read what the driver tells of 0000:03:02.0\n"
                    "close device 0000:03:02.0");
        world_done(&world);
}
END_TEST

START_TEST(in_iommufd_mode_a_leased_device_is_read_through_its_cdev_or_not_at_all) {
        World world;
        Lease *lease = init_leased(&world, LEASE_HELD, PREPARE_BIND);

        lease->mode = MODE_IOMMUFD;
        assert_refused(&world, &ask, REFUSAL_IN_USE,
                       "group 1 is leased to uid 1000 (lease 1) without a file of 0000:01:00.0; "
                       "inspect it when the lease is over");
        ck_assert_int_eq(lease_add_device(lease, NIC), 0);
        assert_plan(&world, &ask, "read what the driver tells of 0000:01:00.0");
        world_done(&world);
}
END_TEST

START_TEST(what_was_given_back_and_is_still_open_is_in_use) {
        static const LeaseState states[] = {LEASE_DRAINING, LEASE_LOST};

        for (size_t i = 0; i < ELEMENTS(states); i++) {
                World world;

                (void)init_leased(&world, states[i], PREPARE_ATTACH);
                assert_refused(&world, &ask, REFUSAL_IN_USE,
                               "group 1 was given back by uid 1000 (lease 1), but a process still "
                               "has it open; inspect it when that process has closed it");
                world_done(&world);
        }
}
END_TEST

START_TEST(what_is_being_granted_or_worked_on_or_waited_for_is_busy) {
        World granting, busy, awaited;

        (void)init_leased(&granting, LEASE_GRANTING, PREPARE_ATTACH);
        (void)world_add_activity(&granting, OWNER, OPERATION_ACQUIRE, (uint32_t[]){1, 0});
        assert_refused(&granting, &ask, REFUSAL_BUSY, "acquire for uid 1000 is under way");
        world_done(&granting);

        init_bound(&busy);
        (void)world_add_activity(&busy, OWNER, OPERATION_INSPECT, (uint32_t[]){1, 0});
        assert_refused(&busy, &ask, REFUSAL_BUSY, "inspect for uid 1000 is under way");
        world_done(&busy);

        (void)init_leased(&awaited, LEASE_RELEASING, PREPARE_ATTACH);
        (void)world_add_wait(&awaited, 0, (uint32_t[]){1, 0});
        assert_refused(&awaited, &ask, REFUSAL_BUSY, "uid 0 waits for its holders");
        world_done(&awaited);
}
END_TEST

START_TEST(while_it_is_read_nobody_takes_the_device_from_its_lease) {
        World world;
        Lease *lease = init_leased(&world, LEASE_HELD, PREPARE_ATTACH);

        ck_assert_int_eq(lease_add_device(lease, NIC), 0);
        (void)world_add_activity(&world, OTHER, OPERATION_INSPECT, (uint32_t[]){1, 0});
        assert_refused(&world,
                       &(Ask){OPERATION_UNBIND, "group/1", .policy = POLICY_REVOKE, .due = true},
                       REFUSAL_BUSY, "inspect for uid 1001 is under way");
        world_done(&world);
}
END_TEST

START_TEST(a_device_on_no_vfio_driver_is_told_what_it_is_on) {
        static const struct {
                const char *target;
                const char *words;
        } rows[] = {
                {"01:00.0",
                 "0000:01:00.0 is bound to e1000e; only a device on a vfio driver can be "
                 "inspected: bind the whole group with 'vfioctl bind group/1'"},
                {"00:10.0", "0000:00:10.0 is bound to no driver; only a device"},
                {"00:03.0", "0000:00:03.0 is a bridge and needs no vfio driver; only a device on a "
                            "vfio driver can be inspected"},
        };
        World world;

        world_init_lab(&world);
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                assert_refused(&world, &(Ask){OPERATION_INSPECT, rows[i].target, OTHER},
                               REFUSAL_NOT_BOUND, rows[i].words);
        world_done(&world);
}
END_TEST

START_TEST(a_group_that_is_not_all_bound_is_not_opened) {
        World world;

        world_init_lab(&world);
        world_set_driver(&world, "0000:03:01.0", "vfio-pci");
        assert_refused(&world, &(Ask){OPERATION_INSPECT, "03:01.0", OTHER}, REFUSAL_NOT_VIABLE,
                       "group 3 is not viable: 0000:03:02.0 is bound to e1000");
        world_set_driver(&world, "0000:03:02.0", NULL);
        assert_refused(&world, &(Ask){OPERATION_INSPECT, "03:01.0", OTHER}, REFUSAL_NOT_BOUND,
                       "0000:03:02.0 is bound to no driver");
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-inspect");

        tcase_add_test(tests, what_nobody_has_is_opened_for_it_and_closed_again);
        tcase_add_test(tests, what_others_have_leased_besides_does_not_matter);
        tcase_add_test(tests, a_leased_device_is_read_through_our_file_whoever_asks);
        tcase_add_test(tests, a_device_that_its_receiver_opens_by_itself_is_opened_once_more);
        tcase_add_test(tests, a_neighbour_of_a_leased_device_is_opened_through_their_group);
        tcase_add_test(tests,
                       in_iommufd_mode_a_leased_device_is_read_through_its_cdev_or_not_at_all);
        tcase_add_test(tests, what_was_given_back_and_is_still_open_is_in_use);
        tcase_add_test(tests, what_is_being_granted_or_worked_on_or_waited_for_is_busy);
        tcase_add_test(tests, while_it_is_read_nobody_takes_the_device_from_its_lease);
        tcase_add_test(tests, a_device_on_no_vfio_driver_is_told_what_it_is_on);
        tcase_add_test(tests, a_group_that_is_not_all_bound_is_not_opened);
        return tests_run(tests);
}
