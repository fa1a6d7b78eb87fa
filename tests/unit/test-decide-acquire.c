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
        (void)world_add_activity(&world, 0, OPERATION_BIND, (uint32_t[]){4, 0});
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

/* Of group 1 and 3, in a kernel with iommufd. */
static void init_cdevs(World *world) {
        init_bound(world);
        world_set_iommufd(world);
        world_set_cdev(world, "0000:01:00.0", "vfio0");
        world_set_cdev(world, "0000:03:01.0", "vfio1");
        world_set_cdev(world, "0000:03:02.0", "vfio2");
}

START_TEST(cdevs_are_bound_to_one_iommufd_and_attached_to_one_ioas) {
        World world;

        init_cdevs(&world);
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "group/3 01:00.0", OWNER},
                    "open an iommufd\n"
                    "allocate an IOAS\n"
                    "see that group 1 is free\n"
                    "see that group 3 is free\n"
                    "open cdev 0000:01:00.0\n"
                    "bind cdev 0000:01:00.0 to the iommufd\n"
                    "attach 0000:01:00.0 to the IOAS\n"
                    "open cdev 0000:03:01.0\n"
                    "bind cdev 0000:03:01.0 to the iommufd\n"
                    "attach 0000:03:01.0 to the IOAS\n"
                    "open cdev 0000:03:02.0\n"
                    "bind cdev 0000:03:02.0 to the iommufd\n"
                    "attach 0000:03:02.0 to the IOAS\n"
                    "read the IOVA ranges of the IOAS");
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "03:02.0", OWNER},
                    "open an iommufd\n"
                    "allocate an IOAS\n"
                    "see that group 3 is free\n"
                    "open cdev 0000:03:02.0\n"
                    "bind cdev 0000:03:02.0 to the iommufd\n"
                    "attach 0000:03:02.0 to the IOAS\n"
                    "read the IOVA ranges of the IOAS");
        world_done(&world);
}
END_TEST

START_TEST(cdevs_are_prepared_no_further_than_they_are_wanted) {
        World world;

        init_cdevs(&world);
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "01:00.0", OWNER, .prepare = PREPARE_BIND},
                    "open an iommufd\n"
                    "see that group 1 is free\n"
                    "open cdev 0000:01:00.0\n"
                    "bind cdev 0000:01:00.0 to the iommufd");
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "01:00.0", OWNER, .prepare = PREPARE_OPEN},
                    "open an iommufd\n"
                    "see that group 1 is free\n"
                    "open cdev 0000:01:00.0");
        world_done(&world);
}
END_TEST

START_TEST(with_bind_the_cdevs_are_opened_once_they_are_there) {
        World world;

        world_init_lab(&world);
        world_set_iommufd(&world);
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "01:00.0", OWNER, .bind = true},
                    "load module vfio_pci\n"
                    "set driver_override of 0000:01:00.0 to vfio-pci\n"
                    "unbind 0000:01:00.0 from e1000e\n"
                    "bind 0000:01:00.0 to vfio-pci\n"
                    "open an iommufd\n"
                    "allocate an IOAS\n"
                    "see that group 1 is free\n"
                    "open cdev 0000:01:00.0\n"
                    "bind cdev 0000:01:00.0 to the iommufd\n"
                    "attach 0000:01:00.0 to the IOAS\n"
                    "read the IOVA ranges of the IOAS");
        world_done(&world);
}
END_TEST

/* Each row: a lease that is joined goes on as it was prepared, whatever the request says. */
START_TEST(a_joined_lease_keeps_its_iommufd_and_its_ioas) {
        static const struct {
                Prepare prepare;
                const char *plan;
                size_t steps_with_ioas;
        } rows[] = {
                {PREPARE_ATTACH,
                 "see that group 1 is free\n"
                 "open cdev 0000:01:00.0\n"
                 "bind cdev 0000:01:00.0 to the iommufd\n"
                 "attach 0000:01:00.0 to the IOAS\n"
                 "read the IOVA ranges of the IOAS",
                 2},
                {PREPARE_BIND,
                 "see that group 1 is free\n"
                 "open cdev 0000:01:00.0\n"
                 "bind cdev 0000:01:00.0 to the iommufd",
                 0},
                {PREPARE_OPEN,
                 "see that group 1 is free\n"
                 "open cdev 0000:01:00.0",
                 0},
        };
        static const Ask ask = {OPERATION_ADD, "01:00.0", OWNER, .lease = 1};
        World world;
        Lease *lease;

        init_cdevs(&world);
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){3, 0});
        lease->mode = MODE_IOMMUFD;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_(answer_done) Answer answer;
                size_t n = 0;

                lease->prepare = rows[i].prepare;
                lease->iommufd.ioas = rows[i].prepare == PREPARE_ATTACH ? 5 : 0;
                assert_plan(&world, &ask, rows[i].plan);
                ask_world(&world, &ask, &answer);
                for (size_t j = 0; j < answer.plan.n_steps; j++)
                        n += answer.plan.steps[j].ioas == 5;
                ck_assert_uint_eq(n, rows[i].steps_with_ioas);
        }
        world_done(&world);
}
END_TEST

/* Each row: iommufd, lease_fd and three cdevs, in whichever preparation; of a joined lease the
 * cdevs alone. */
START_TEST(cdevs_are_counted_with_iommufd_and_lease_fd_and_without_groups) {
        static const struct {
                Prepare prepare;
                uint32_t lease;
                size_t fds;
        } rows[] = {{PREPARE_ATTACH, 0, 5},
                    {PREPARE_BIND, 0, 5},
                    {PREPARE_OPEN, 0, 5},
                    {PREPARE_ATTACH, 1, 3},
                    {PREPARE_OPEN, 1, 3}};
        World world;
        Lease *lease;

        init_cdevs(&world);
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){2, 0});
        lease->mode = MODE_IOMMUFD;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_(answer_done) Answer answer, deferred;
                _cleanup_free_ char *words = string_format("would carry %zu", rows[i].fds);
                Ask ask = {rows[i].lease ? OPERATION_ADD : OPERATION_ACQUIRE,
                           "group/1 group/3",
                           OWNER,
                           .prepare = rows[i].prepare,
                           .lease = rows[i].lease,
                           .fds_max = rows[i].fds};

                lease->prepare = rows[i].prepare;
                ask_world(&world, &ask, &answer);
                ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
                ask.fds_max--;
                assert_refused(&world, &ask, REFUSAL_TOO_MANY_FDS, words);
                ask.defer_fds = true;
                ask_world(&world, &ask, &deferred);
                ck_assert_int_eq(deferred.refusal.kind, REFUSAL_NONE);
        }
        world_done(&world);
}
END_TEST

START_TEST(cookies_are_for_devices_that_are_asked_for_by_name_or_group) {
        static const Ask asks[] = {
                {OPERATION_ACQUIRE, "group/3", OWNER, .cookies = "0000:03:01.0=7"},
                {OPERATION_ACQUIRE, "03:02.0", OWNER, .cookies = "0000:03:02.0=7"},
                {OPERATION_ADD, "01:00.0", OWNER, .cookies = "0000:01:00.0=7", .lease = 1},
        };
        World world;
        Lease *lease;

        init_cdevs(&world);
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){2, 0});
        lease->mode = MODE_IOMMUFD;
        for (size_t i = 0; i < ELEMENTS(asks); i++) {
                _cleanup_(answer_done) Answer answer;

                ask_world(&world, &asks[i], &answer);
                ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        }
        assert_refused(&world,
                       &(Ask){OPERATION_ACQUIRE, "03:02.0", OWNER, .cookies = "0000:03:01.0=7"},
                       REFUSAL_INVALID_OPTION_VALUE, "0000:03:01.0 is not among the devices");
        /* The lease has it, but it is not what is added. */
        assert_refused(
                &world,
                &(Ask){OPERATION_ADD, "01:00.0", OWNER, .cookies = "0000:02:00.0=7", .lease = 1},
                REFUSAL_INVALID_OPTION_VALUE, "0000:02:00.0 is not among the devices");
        lease->mode = MODE_GROUP;
        assert_refused(&world, &asks[2], REFUSAL_INVALID_OPTION_VALUE,
                       "only in mode 'iommufd', and this is 'group'");
        world_done(&world);
}
END_TEST

static void add_cdev_tests(TCase *tests) {
        tcase_add_test(tests, cdevs_are_bound_to_one_iommufd_and_attached_to_one_ioas);
        tcase_add_test(tests, cdevs_are_prepared_no_further_than_they_are_wanted);
        tcase_add_test(tests, with_bind_the_cdevs_are_opened_once_they_are_there);
        tcase_add_test(tests, a_joined_lease_keeps_its_iommufd_and_its_ioas);
        tcase_add_test(tests, cdevs_are_counted_with_iommufd_and_lease_fd_and_without_groups);
        tcase_add_test(tests, cookies_are_for_devices_that_are_asked_for_by_name_or_group);
}

/* Whose group has the name of an unsafe one. */
START_TEST(a_mediated_device_needs_no_iommu_of_its_own) {
        static const DeviceRow mdev = {
                "an-mdev", 41, "mtty", .bus = "mdev", .no_override = true, .noiommu = true};
        World world;

        world_init_lab(&world);
        world_put(&world, &mdev, 1);
        topology_find_device(&world.topology, "an-mdev")->facts.vfio = true;
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "an-mdev", 1000, .prepare = PREPARE_OPEN},
                    "open a container\nopen group 41");
        world_done(&world);
}
END_TEST

/* Two devices on a machine without an IOMMU, and a configuration that allows them. */
static void init_without_iommu(World *world) {
        static const DeviceRow rows[] = {
                {"0000:0b:00.0", 40, "vfio-pci", .noiommu = true},
                {"0000:0c:00.0", 41, "vfio-pci", .noiommu = true},
        };

        world_init(world, rows, ELEMENTS(rows));
        world->config.unsafe_noiommu = true;
}

START_TEST(groups_without_an_iommu_share_a_container_of_their_own_type) {
        World world;

        init_without_iommu(&world);
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "0b:00.0 0c:00.0", OWNER},
                    "open a container\n"
                    "open group 40, which has no IOMMU\n"
                    "open group 41, which has no IOMMU\n"
                    "put group 40 into the container\n"
                    "set the container's IOMMU to NOIOMMU\n"
                    "put group 41 into the container\n"
                    "open device 0000:0b:00.0 of group 40\n"
                    "open device 0000:0c:00.0 of group 41");
        assert_plan(
                &world,
                &(Ask){OPERATION_ACQUIRE, "0b:00.0", OWNER, .bind = true, .prepare = PREPARE_OPEN},
                "open a container\n"
                "open group 40, which has no IOMMU");
        world_done(&world);
}
END_TEST

START_TEST(a_group_without_an_iommu_is_acquired_in_group_mode_where_others_are_not) {
        World world;

        init_without_iommu(&world);
        world_set_iommufd(&world);
        world_set_cdev(&world, "0000:0b:00.0", "vfio0");
        assert_plan(&world, &(Ask){OPERATION_ACQUIRE, "0b:00.0", OWNER, .prepare = PREPARE_OPEN},
                    "open a container\n"
                    "open group 40, which has no IOMMU");
        world_done(&world);
}
END_TEST

START_TEST(a_lease_of_groups_without_an_iommu_gets_more_of_them) {
        Lease *lease;
        World world;

        init_without_iommu(&world);
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){40, 0});
        lease->prepare = PREPARE_ATTACH;
        ck_assert(decide_lease_has_no_iommu(&world.topology, lease));
        assert_plan(&world, &(Ask){OPERATION_ADD, "0c:00.0", OWNER, .lease = 1},
                    "open group 41, which has no IOMMU\n"
                    "put group 41 into the container\n"
                    "open device 0000:0c:00.0 of group 41");
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
        add_cdev_tests(tests);
        tcase_add_test(tests, a_mediated_device_needs_no_iommu_of_its_own);
        tcase_add_test(tests, groups_without_an_iommu_share_a_container_of_their_own_type);
        tcase_add_test(tests,
                       a_group_without_an_iommu_is_acquired_in_group_mode_where_others_are_not);
        tcase_add_test(tests, a_lease_of_groups_without_an_iommu_gets_more_of_them);
        return tests_run(tests);
}
