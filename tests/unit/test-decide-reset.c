/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/core/decide-reset.c: by which way a device is reset. What it refuses is in
 * test-decide-refusals.c.
 */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OWNER 1000
#define OTHER 1001

/* Two functions behind a port, in groups of their own; one on a root bus. */
#define CARD "0000:05:00.0"
#define CARD2 "0000:05:00.1"
#define ALONE "0000:00:07.0"
#define BEHIND(name) "pci0000:00/0000:00:05.0/" name

static void init_world(World *world) {
        static const DeviceRow rows[] = {
                {CARD, 20, "vfio-pci", .path = BEHIND(CARD), .reset = "flr pm bus"},
                {CARD2, 21, "vfio-pci", .path = BEHIND(CARD2), .reset = "flr"},
                {ALONE, 22, NULL, .path = "pci0000:00/" ALONE, .reset = "pm"},
        };

        world_init(world, rows, ELEMENTS(rows));
}

static Lease *lease_card(World *world, const uint32_t *groups, Mode mode) {
        Lease *lease = world_add_lease(world, OWNER, LEASE_HELD, groups);

        lease->mode = mode;
        return lease;
}

#define ASK(device, ...)                                                                           \
        &(Ask) {                                                                                   \
                OPERATION_RESET, device, OWNER, __VA_ARGS__                                        \
        }

START_TEST(what_nobody_has_is_claimed_and_reset_as_the_kernel_would) {
        World world;

        init_world(&world);
        assert_plan(&world, ASK(CARD), "claim group 20\nreset " CARD);
        world_done(&world);
}
END_TEST

START_TEST(a_device_without_a_driver_is_claimed_by_nobody) {
        World world;

        init_world(&world);
        assert_plan(&world, ASK(ALONE), "reset " ALONE);
        world_set_driver(&world, ALONE, "pci-stub");
        assert_plan(&world, ASK(ALONE), "reset " ALONE);
        world_done(&world);
}
END_TEST

START_TEST(a_method_that_is_asked_for_is_put_back_as_it_was) {
        World world;

        init_world(&world);
        assert_plan(&world, ASK(CARD, .reset_method = "pm"),
                    "claim group 20\n"
                    "set reset_method of " CARD " to pm\n"
                    "reset " CARD "\n"
                    "set reset_method of " CARD " to flr pm bus");
        world_done(&world);
}
END_TEST

START_TEST(that_nobody_has_a_cdev_open_is_seen_by_looking) {
        World world;

        init_world(&world);
        world_set_iommufd(&world);
        world_set_cdev(&world, CARD, "vfio0");
        assert_plan(&world, ASK(CARD),
                    "see that nobody holds group 20\nclaim group 20\nreset " CARD);
        world_done(&world);
}
END_TEST

START_TEST(its_owner_has_it_reset_through_our_file) {
        World world;
        Lease *lease;

        init_world(&world);
        lease = lease_card(&world, (uint32_t[]){20, 0}, MODE_GROUP);
        assert_plan(&world, ASK(CARD),
                    "open device " CARD " of group 20\n"
                    "reset " CARD " through its file\n"
                    "close device " CARD);
        ck_assert_int_eq(lease_add_device(lease, CARD), 0);
        assert_plan(&world, ASK(CARD), "reset " CARD " through its file");
        assert_plan(&world, ASK(CARD, .reset_method = "flr"),
                    "set reset_method of " CARD " to flr\n"
                    "reset " CARD " through its file\n"
                    "set reset_method of " CARD " to flr pm bus");
        world_done(&world);
}
END_TEST

START_TEST(a_bus_with_one_device_is_reset_for_its_sake) {
        World world;

        init_world(&world);
        ck_assert_int_eq(topology_remove_device(&world.topology, CARD2), TOPOLOGY_REMOVED);
        assert_plan(&world, ASK(CARD, .reset_method = "bus"),
                    "claim group 20\n"
                    "set reset_method of " CARD " to bus\n"
                    "reset " CARD "\n"
                    "set reset_method of " CARD " to flr pm bus");
        world_done(&world);
}
END_TEST

#define HOT CARD " group/21"

START_TEST(a_hot_reset_takes_the_groups_of_all_that_is_reset) {
        World world;

        init_world(&world);
        assert_plan(&world, ASK(HOT, .reset_method = "hot"),
                    "open a container\n"
                    "open group 20\n"
                    "open group 21\n"
                    "put group 20 into the container\n"
                    "set the container's IOMMU to TYPE1v2\n"
                    "open device " CARD " of group 20\n"
                    "hot reset " CARD " and what is reset with it\n"
                    "close the files of " CARD);
        world_done(&world);
}
END_TEST

START_TEST(a_hot_reset_of_cdevs_has_them_all_in_one_iommufd) {
        World world;

        init_world(&world);
        world_set_iommufd(&world);
        world_set_cdev(&world, CARD, "vfio0");
        world_set_cdev(&world, CARD2, "vfio1");
        assert_plan(&world, ASK(HOT, .reset_method = "hot"),
                    "open an iommufd\n"
                    "open cdev " CARD "\n"
                    "bind cdev " CARD " to the iommufd\n"
                    "open cdev " CARD2 "\n"
                    "bind cdev " CARD2 " to the iommufd\n"
                    "hot reset " CARD " and what is reset with it\n"
                    "close the files of " CARD);
        world_done(&world);
}
END_TEST

START_TEST(whoever_has_all_that_is_reset_has_it_hot_reset_through_the_files_of_the_lease) {
        World world;
        Lease *lease;

        init_world(&world);
        lease = lease_card(&world, (uint32_t[]){20, 21, 0}, MODE_GROUP);
        assert_plan(&world, ASK(HOT, .reset_method = "hot"),
                    "open device " CARD " of group 20\n"
                    "hot reset " CARD " and what is reset with it\n"
                    "close device " CARD);
        ck_assert_int_eq(lease_add_device(lease, CARD), 0);
        assert_plan(&world, ASK(HOT, .reset_method = "hot"),
                    "hot reset " CARD " and what is reset with it");
        world_done(&world);
}
END_TEST

START_TEST(a_kernel_that_tells_no_methods_chooses_by_itself) {
        World world;

        world_init_lab(&world);
        world_set_driver(&world, "0000:01:00.0", "vfio-pci");
        assert_plan(&world, ASK("01:00.0"), "claim group 1\nreset 0000:01:00.0");
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-reset");

        tcase_add_test(tests, what_nobody_has_is_claimed_and_reset_as_the_kernel_would);
        tcase_add_test(tests, a_device_without_a_driver_is_claimed_by_nobody);
        tcase_add_test(tests, a_method_that_is_asked_for_is_put_back_as_it_was);
        tcase_add_test(tests, that_nobody_has_a_cdev_open_is_seen_by_looking);
        tcase_add_test(tests, its_owner_has_it_reset_through_our_file);
        tcase_add_test(tests, a_bus_with_one_device_is_reset_for_its_sake);
        tcase_add_test(tests, a_hot_reset_takes_the_groups_of_all_that_is_reset);
        tcase_add_test(tests, a_hot_reset_of_cdevs_has_them_all_in_one_iommufd);
        tcase_add_test(
                tests,
                whoever_has_all_that_is_reset_has_it_hot_reset_through_the_files_of_the_lease);
        tcase_add_test(tests, a_kernel_that_tells_no_methods_chooses_by_itself);
        return tests_run(tests);
}
