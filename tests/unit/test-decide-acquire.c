/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/decide-acquire.c: groups opened, attached, joined. */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OWNER 1000

static void init_bound(World *world) {
        world_init_lab(world);
        world_set_driver(world, "0000:01:00.0", "vfio-pci");
        world_set_driver(world, "0000:02:00.0", "vfio-pci");
        world_set_driver(world, "0000:03:01.0", "vfio-pci");
        world_set_driver(world, "0000:03:02.0", "vfio-pci");
}

START_TEST(one_group_is_attached_with_the_devices_that_were_named) {
        World world;

        init_bound(&world);
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "03:02.0", OWNER},
                    "open a container\n"
                    "open group 3\n"
                    "put group 3 into the container\n"
                    "set the container's IOMMU to TYPE1v2\n"
                    "open device 0000:03:02.0 of group 3");
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "group/3", OWNER},
                    "open a container\n"
                    "open group 3\n"
                    "put group 3 into the container\n"
                    "set the container's IOMMU to TYPE1v2\n"
                    "open device 0000:03:01.0 of group 3\n"
                    "open device 0000:03:02.0 of group 3");
        world_done(&world);
}
END_TEST

START_TEST(several_groups_share_one_container) {
        World world;

        init_bound(&world);
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "02:00.0 group/3 01:00.0", OWNER},
                    "open a container\n"
                    "open group 1\n"
                    "open group 2\n"
                    "open group 3\n"
                    "put group 1 into the container\n"
                    "set the container's IOMMU to TYPE1v2\n"
                    "put group 2 into the container\n"
                    "put group 3 into the container\n"
                    "open device 0000:01:00.0 of group 1\n"
                    "open device 0000:02:00.0 of group 2\n"
                    "open device 0000:03:01.0 of group 3\n"
                    "open device 0000:03:02.0 of group 3");
        world_done(&world);
}
END_TEST

START_TEST(prepare_open_goes_no_further_than_the_groups) {
        World world;

        init_bound(&world);
        assert_plan(&world,
                    &(Ask){OPERATION_ACQUIRE, "group/3 01:00.0", OWNER, .prepare = PREPARE_OPEN},
                    "open a container\n"
                    "open group 1\n"
                    "open group 3");
        world_done(&world);
}
END_TEST

START_TEST(with_bind_the_group_is_bound_first) {
        World world;

        world_init_lab(&world);
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "group/3", OWNER, .bind = true},
                    "load module vfio_pci\n"
                    "set driver_override of 0000:03:01.0 to vfio-pci\n"
                    "set driver_override of 0000:03:02.0 to vfio-pci\n"
                    "unbind 0000:03:01.0 from e1000\n"
                    "bind 0000:03:01.0 to vfio-pci\n"
                    "unbind 0000:03:02.0 from e1000\n"
                    "bind 0000:03:02.0 to vfio-pci\n"
                    "open a container\n"
                    "open group 3\n"
                    "put group 3 into the container\n"
                    "set the container's IOMMU to TYPE1v2\n"
                    "open device 0000:03:01.0 of group 3\n"
                    "open device 0000:03:02.0 of group 3");
        world_done(&world);
}
END_TEST

START_TEST(the_limit_of_locked_memory_is_raised_up_to_the_configured_one) {
        World world;

        init_bound(&world);
        world.config.memlock_max_bytes = 4096;
        assert_plan(&world,
                    &(Ask){OPERATION_ACQUIRE, "01:00.0", OWNER, .prepare = PREPARE_OPEN,
                           .memlock = 4096, .pid = 812},
                    "raise RLIMIT_MEMLOCK of process 812 to at least 4096 bytes\n"
                    "open a container\n"
                    "open group 1");
        world_done(&world);
}
END_TEST

START_TEST(a_joined_lease_keeps_its_container_and_its_iommu) {
        World world;
        Lease *lease;

        init_bound(&world);
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){1, 0});
        lease->prepare = PREPARE_ATTACH;
        assert_plan(&world, &(Ask){OPERATION_ADD, "03:01.0 02:00.0", OWNER, .lease = lease->id},
                    "open group 2\n"
                    "open group 3\n"
                    "put group 2 into the container\n"
                    "put group 3 into the container\n"
                    "open device 0000:02:00.0 of group 2\n"
                    "open device 0000:03:01.0 of group 3");
        world_done(&world);
}
END_TEST

START_TEST(a_joined_lease_that_was_only_opened_stays_so) {
        World world;
        Lease *lease;

        init_bound(&world);
        lease = world_add_lease(&world, OWNER, LEASE_RELEASING, (uint32_t[]){1, 0});
        lease->prepare = PREPARE_OPEN;
        assert_plan(&world, &(Ask){OPERATION_ADD, "03:01.0", OWNER, .lease = lease->id},
                    "open group 3");
        world_done(&world);
}
END_TEST

/* Container, lease_fd, 3 groups, 4 devices. */
START_TEST(fds_are_counted_with_container_and_lease_fd) {
        Ask ask = {OPERATION_ACQUIRE, "group/1 group/2 group/3", OWNER, .fds_max = 9};
        _cleanup_(answer_done) Answer answer;
        World world;

        init_bound(&world);
        ask_world(&world, &ask, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        ask.fds_max = 8;
        assert_refused(&world, &ask, REFUSAL_TOO_MANY_FDS,
                       "the reply would carry 9 file descriptors, a message can carry 8; acquire "
                       "with defer_fds");
        ask.defer_fds = true;
        answer_done(&answer);
        ask_world(&world, &ask, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        ask = (Ask){OPERATION_ACQUIRE, "group/1 group/2 group/3", OWNER, .prepare = PREPARE_OPEN,
                    .fds_max = 5};
        answer_done(&answer);
        ask_world(&world, &ask, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        ask.fds_max = 4;
        assert_refused(&world, &ask, REFUSAL_TOO_MANY_FDS, "would carry 5");
        world_done(&world);
}
END_TEST

START_TEST(root_has_no_limit_of_its_own) {
        _cleanup_(answer_done) Answer answer;
        World world;

        init_bound(&world);
        world.config.limit_leases_per_uid = 1;
        world.config.limit_operations_per_uid = 1;
        (void)world_add_lease(&world, 0, LEASE_HELD, (uint32_t[]){1, 0});
        world_add_activity(&world, 0, OPERATION_BIND, (uint32_t[]){4, 0});
        ask_world(&world, &(Ask){OPERATION_ACQUIRE, "group/3", 0}, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        world_done(&world);
}
END_TEST

START_TEST(a_group_is_acquired_beside_members_that_do_no_dma) {
        static const DeviceRow rows[] = {
                {"0000:05:00.0", 6, "pci-stub"},
                {"0000:05:00.1", 6, "vfio-pci"},
        };
        World world;

        world_init(&world, rows, ELEMENTS(rows));
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "group/6", OWNER},
                    "open a container\n"
                    "open group 6\n"
                    "put group 6 into the container\n"
                    "set the container's IOMMU to TYPE1v2\n"
                    "open device 0000:05:00.1 of group 6");
        world_done(&world);
}
END_TEST

START_TEST(a_device_on_pci_stub_comes_with_its_group_but_cannot_be_asked_for) {
        static const DeviceRow rows[] = {
                {"0000:05:00.0", 6, "pci-stub"},
                {"0000:05:00.1", 6, "vfio-pci"},
        };
        _cleanup_(answer_done) Answer answer;
        World world;

        world_init(&world, rows, ELEMENTS(rows));
        ask_world(&world, &(Ask){OPERATION_ACQUIRE, "0000:05:00.0", OWNER}, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NOT_BOUND);
        ck_assert_ptr_nonnull(strstr(answer.refusal.sentence, "0000:05:00.0 is on pci-stub"));
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-acquire");

        tcase_add_test(tests, one_group_is_attached_with_the_devices_that_were_named);
        tcase_add_test(tests, several_groups_share_one_container);
        tcase_add_test(tests, prepare_open_goes_no_further_than_the_groups);
        tcase_add_test(tests, with_bind_the_group_is_bound_first);
        tcase_add_test(tests, the_limit_of_locked_memory_is_raised_up_to_the_configured_one);
        tcase_add_test(tests, a_joined_lease_keeps_its_container_and_its_iommu);
        tcase_add_test(tests, a_joined_lease_that_was_only_opened_stays_so);
        tcase_add_test(tests, fds_are_counted_with_container_and_lease_fd);
        tcase_add_test(tests, root_has_no_limit_of_its_own);
        tcase_add_test(tests, a_group_is_acquired_beside_members_that_do_no_dma);
        tcase_add_test(tests, a_device_on_pci_stub_comes_with_its_group_but_cannot_be_asked_for);
        return tests_run(tests);
}
