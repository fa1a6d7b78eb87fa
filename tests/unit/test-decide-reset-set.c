/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/core/decide-reset-set.c: what is leased together because it is reset together. What it
 * refuses is in test-decide-refusals.c too; here is what it does not.
 */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OWNER 1000
#define PORT "pci0000:00/0000:00:01.0/"

/* Functions of one card, each in its own group: 05:00.2 can be reset by itself. Below 05:00.0 and
 * its like nothing; beside 06:00.0 a bridge; 07:00.x in one group; 08:00.1 is on pci-stub. */
static const DeviceRow card[] = {
        {"0000:05:00.0", 1, "vfio-pci", .path = PORT "0000:05:00.0"},
        {"0000:05:00.1", 2, "vfio-pci", .path = PORT "0000:05:00.1", .reset = "bus"},
        {"0000:05:00.2", 3, "vfio-pci", .path = PORT "0000:05:00.2", .reset = "flr"},
        {"0000:06:00.0", 6, "vfio-pci", .path = "pci0000:00/0000:00:02.0/0000:06:00.0"},
        {"0000:06:00.1", 7, "pcieport", .class_code = CLASS_PCI_BRIDGE,
         .header_type = HEADER_BRIDGE, .path = "pci0000:00/0000:00:02.0/0000:06:00.1"},
        {"0000:07:00.0", 8, "vfio-pci", .path = "pci0000:00/0000:00:03.0/0000:07:00.0"},
        {"0000:07:00.1", 8, "vfio-pci", .path = "pci0000:00/0000:00:03.0/0000:07:00.1"},
        {"0000:08:00.0", 9, "vfio-pci", .path = "pci0000:00/0000:00:04.0/0000:08:00.0",
         .reset = "pm"},
        {"0000:08:00.1", 9, "pci-stub", .path = "pci0000:00/0000:00:04.0/0000:08:00.1"},
        {"0000:08:00.2", 10, "e1000e", .path = "pci0000:00/0000:00:04.0/0000:08:00.2",
         .reset = "pm"},
};

static void assert_granted(const World *world, const Ask *ask) {
        _cleanup_(answer_done) Answer answer;

        ask_world(world, ask, &answer);
        ck_assert_msg(answer.refusal.kind == REFUSAL_NONE, "%s: %s", ask->targets,
                      string_or_empty(answer.refusal.sentence));
}

static void assert_incomplete(const World *world, const Ask *ask, const char *words) {
        assert_refused(world, ask, REFUSAL_RESET_SET_INCOMPLETE, words);
}

#define ACQUIRE(...) (&(Ask){OPERATION_ACQUIRE, __VA_ARGS__})
#define REMOVE(...) (&(Ask){OPERATION_REMOVE, __VA_ARGS__})
#define ADD(...) (&(Ask){OPERATION_ADD, __VA_ARGS__})

START_TEST(a_device_that_is_reset_with_its_bus_is_leased_with_all_of_it) {
        World world;

        world_init(&world, card, ELEMENTS(card));
        assert_incomplete(&world, ACQUIRE("05:00.0", OWNER),
                          "0000:05:00.0 cannot be reset by itself, and a reset of its bus resets "
                          "0000:05:00.1 (group 2), 0000:05:00.2 (group 3) too; lease group/2 "
                          "group/3 with it, in one request");
        assert_incomplete(&world, ACQUIRE("05:00.1 05:00.2", OWNER), "lease group/1 with it");
        assert_granted(&world, ACQUIRE("05:00.0 group/2 group/3", OWNER));
        world_done(&world);
}
END_TEST

START_TEST(a_device_with_a_reset_of_its_own_is_leased_alone) {
        World world;

        world_init(&world, card, ELEMENTS(card));
        assert_granted(&world, ACQUIRE("05:00.2", OWNER));
        world_done(&world);
}
END_TEST

START_TEST(with_hot_reset_every_device_is_leased_with_what_is_reset_with_it) {
        World world;

        world_init(&world, card, ELEMENTS(card));
        assert_incomplete(&world, ACQUIRE("05:00.2", OWNER, .hot_reset = true),
                          "a hot reset of 0000:05:00.2 resets 0000:05:00.0 (group 1), 0000:05:00.1 "
                          "(group 2) too; lease group/1 group/2 with it, in one request, or leave "
                          "out hot_reset");
        assert_granted(&world, ACQUIRE("05:00.2 group/1 group/2", OWNER, .hot_reset = true));
        world_done(&world);
}
END_TEST

START_TEST(companions_of_the_same_group_are_leased_anyway) {
        World world;

        world_init(&world, card, ELEMENTS(card));
        assert_granted(&world, ACQUIRE("07:00.1", OWNER));
        assert_granted(&world, ACQUIRE("07:00.1", OWNER, .hot_reset = true));
        world_done(&world);
}
END_TEST

START_TEST(a_bridge_beside_a_device_is_no_companion_unless_hot_reset_is_wanted) {
        World world;

        world_init(&world, card, ELEMENTS(card));
        assert_granted(&world, ACQUIRE("06:00.0", OWNER));
        assert_incomplete(&world, ACQUIRE("06:00.0", OWNER, .hot_reset = true), "0000:06:00.1");
        world_done(&world);
}
END_TEST

START_TEST(a_member_that_stays_with_the_host_needs_no_reset) {
        World world;

        world_init(&world, card, ELEMENTS(card));
        assert_granted(&world, ACQUIRE("08:00.0", OWNER));
        world_done(&world);
}
END_TEST

START_TEST(a_device_that_would_be_bound_counts_like_one_that_is) {
        World world;

        world_init(&world, card, ELEMENTS(card));
        world_set_driver(&world, "0000:05:00.0", "e1000e");
        assert_incomplete(&world, ACQUIRE("05:00.0", OWNER, .bind = true), "group/2 group/3");
        world_done(&world);
}
END_TEST

START_TEST(a_kernel_that_tells_no_methods_refuses_nobody_without_hot_reset) {
        DeviceRow untold[3];
        World world;

        for (size_t i = 0; i < ELEMENTS(untold); i++) {
                untold[i] = card[i];
                untold[i].reset = NULL;
        }
        world_init(&world, untold, ELEMENTS(untold));
        assert_granted(&world, ACQUIRE("05:00.0", OWNER));
        assert_incomplete(&world, ACQUIRE("05:00.0", OWNER, .hot_reset = true), "group/2 group/3");
        world_done(&world);
}
END_TEST

START_TEST(a_lease_that_has_the_companions_may_be_added_to) {
        World world;
        Lease *lease;

        world_init(&world, card, ELEMENTS(card));
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){2, 3, 0});
        assert_granted(&world, ADD("05:00.0", OWNER, .lease = lease->id));
        assert_granted(&world, ADD("05:00.0", OWNER, .lease = lease->id, .hot_reset = true));
        world_done(&world);
}
END_TEST

START_TEST(a_lease_that_lacks_a_companion_may_not_be_added_to) {
        World world;
        Lease *lease;

        world_init(&world, card, ELEMENTS(card));
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){3, 0});
        assert_incomplete(&world, ADD("05:00.0", OWNER, .lease = lease->id), "lease group/2 with");
        world_done(&world);
}
END_TEST

START_TEST(with_hot_reset_the_groups_that_a_lease_has_already_count_too) {
        World world;
        Lease *lease;

        world_init(&world, card, ELEMENTS(card));
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){3, 0});
        assert_granted(&world, ADD("07:00.0", OWNER, .lease = lease->id));
        assert_incomplete(&world, ADD("07:00.0", OWNER, .lease = lease->id, .hot_reset = true),
                          "a hot reset of 0000:05:00.2 resets 0000:05:00.0 (group 1)");
        world_done(&world);
}
END_TEST

START_TEST(a_group_does_not_leave_a_lease_whose_other_devices_are_reset_with_it) {
        World world;
        Lease *lease;

        world_init(&world, card, ELEMENTS(card));
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){1, 2, 3, 8, 0});
        assert_incomplete(&world, REMOVE("05:00.2", OWNER, .lease = lease->id),
                          "0000:05:00.0 cannot be reset by itself, and a reset of its bus resets "
                          "0000:05:00.2 too; remove group/1 with group/3, in one request");
        assert_incomplete(&world, REMOVE("05:00.0 05:00.2", OWNER, .lease = lease->id),
                          "0000:05:00.1 cannot be reset by itself");
        assert_granted(&world, REMOVE("05:00.0 05:00.1 05:00.2", OWNER, .lease = lease->id));
        assert_granted(&world, REMOVE("07:00.0", OWNER, .lease = lease->id));
        assert_granted(&world, REMOVE("05:00.0 05:00.1", OWNER, .lease = lease->id));
        world_done(&world);
}
END_TEST

START_TEST(a_group_is_asked_for_once_however_many_of_its_devices_are_missing) {
        static const DeviceRow rows[] = {
                {"0000:05:00.0", 1, "vfio-pci", .path = PORT "0000:05:00.0", .reset = ""},
                {"0000:05:00.1", 2, "vfio-pci", .path = PORT "0000:05:00.1"},
                {"0000:05:00.2", 3, "vfio-pci", .path = PORT "0000:05:00.2"},
                {"0000:05:00.3", 2, "vfio-pci", .path = PORT "0000:05:00.3"},
        };
        World world;

        world_init(&world, rows, ELEMENTS(rows));
        assert_incomplete(&world, ACQUIRE("05:00.0", OWNER), "lease group/2 group/3 with it");
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-reset-set");

        tcase_add_test(tests, a_device_that_is_reset_with_its_bus_is_leased_with_all_of_it);
        tcase_add_test(tests, a_device_with_a_reset_of_its_own_is_leased_alone);
        tcase_add_test(tests, with_hot_reset_every_device_is_leased_with_what_is_reset_with_it);
        tcase_add_test(tests, companions_of_the_same_group_are_leased_anyway);
        tcase_add_test(tests, a_bridge_beside_a_device_is_no_companion_unless_hot_reset_is_wanted);
        tcase_add_test(tests, a_member_that_stays_with_the_host_needs_no_reset);
        tcase_add_test(tests, a_device_that_would_be_bound_counts_like_one_that_is);
        tcase_add_test(tests, a_kernel_that_tells_no_methods_refuses_nobody_without_hot_reset);
        tcase_add_test(tests, a_lease_that_has_the_companions_may_be_added_to);
        tcase_add_test(tests, a_lease_that_lacks_a_companion_may_not_be_added_to);
        tcase_add_test(tests, with_hot_reset_the_groups_that_a_lease_has_already_count_too);
        tcase_add_test(tests, a_group_does_not_leave_a_lease_whose_other_devices_are_reset_with_it);
        tcase_add_test(tests, a_group_is_asked_for_once_however_many_of_its_devices_are_missing);
        return tests_run(tests);
}
