/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/rebound.h: what somebody else does to a device stays, and is put in words. */

#include "daemon/core/rebound.h"

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define A "0000:03:01.0"
#define B "0000:03:02.0"

/* Both were on e1000, and Bind has put them on vfio-pci. */
static const DeviceRow bound[] = {
        {A, 3, "vfio-pci", .override = "vfio-pci", .original = "e1000", .bound = "vfio-pci"},
        {B, 3, "vfio-pci", .override = "vfio-pci", .original = "e1000", .bound = "vfio-pci"},
};

static Placement on_vfio(void) {
        return (Placement){(char *)"vfio-pci", (char *)"vfio-pci", true};
}

static Placement on_nothing(const char *override) {
        return (Placement){(char *)"", (char *) override, false};
}

/* The pair, and then A as somebody has left it. The device is A. */
static Device *init_moved(World *world, const char *driver, const char *override) {
        DeviceRow moved = {A, 3, driver, .override = override};

        world_init_lab(world);
        world_put(world, bound, ELEMENTS(bound));
        world_put(world, &moved, 1);
        return topology_find_device(&world->topology, A);
}

static void expect_message(const World *world, const Device *device, const Placement *before,
                           ReboundRecord record, const char *expected) {
        _cleanup_free_ char *message = rebound_message(world, device, before, record);

        ck_assert_str_eq(message, expected);
}

static void expect_description(const World *world, const char *name, const char *expected) {
        _cleanup_free_ char *text =
                rebound_describe(world, topology_find_device(&world->topology, name));

        ck_assert_str_eq(text, expected);
}

static const struct {
        const char *driver, *override;
        ReboundRecord record;
        const char *original_override; /* NULL: there is no record any more */
} settled[] = {
        {"vfio-pci", "vfio-pci", REBOUND_RECORD_IN_FORCE, ""},
        {"vfio-pci", "", REBOUND_RECORD_IN_FORCE, ""},
        {"vfio-pci", "e1000", REBOUND_RECORD_FORGOTTEN, NULL},
        {"mlx5_vfio_pci", "mlx5_vfio_pci", REBOUND_RECORD_FORGOTTEN, NULL},
        {NULL, "vfio-pci", REBOUND_RECORD_SUSPENDED, ""},
        {NULL, "", REBOUND_RECORD_FORGOTTEN, NULL},
        {NULL, "e1000", REBOUND_RECORD_FORGOTTEN, NULL},
        {"e1000", "", REBOUND_RECORD_FORGOTTEN, NULL},
        {"e1000", "e1000", REBOUND_RECORD_FORGOTTEN, NULL},
};

START_TEST(the_record_outlives_only_what_leaves_our_override_or_clears_it) {
        World world;
        Device *device = init_moved(&world, settled[_i].driver, settled[_i].override);

        ck_assert_int_eq(rebound_settle(device), settled[_i].record);
        ck_assert(device->original.recorded == (settled[_i].original_override != NULL));
        if (settled[_i].original_override) {
                ck_assert_str_eq(device->original.driver, "e1000");
                ck_assert_str_eq(device->original.override, settled[_i].original_override);
        }
        world_done(&world);
}
END_TEST

START_TEST(an_override_that_was_cleared_stays_clear_whatever_there_was_before_bind) {
        World world;
        Device *device = init_moved(&world, "vfio-pci", "");

        ck_assert_int_eq(string_set(&device->original.override, "mine"), 0);
        ck_assert_int_eq(rebound_settle(device), REBOUND_RECORD_IN_FORCE);
        ck_assert_str_eq(device->original.override, "");
        world_done(&world);
}
END_TEST

START_TEST(a_suspended_record_is_in_force_again_on_a_vfio_driver) {
        World world;
        Device *device = init_moved(&world, NULL, "vfio-pci");

        ck_assert_int_eq(rebound_settle(device), REBOUND_RECORD_SUSPENDED);
        world_set_driver(&world, A, "vfio-pci");
        ck_assert_int_eq(rebound_settle(device), REBOUND_RECORD_IN_FORCE);
        ck_assert_str_eq(device->original.driver, "e1000");
        world_done(&world);
}
END_TEST

START_TEST(a_record_that_bind_is_just_making_is_left_alone) {
        World world;
        Device *device = init_moved(&world, "vfio-pci", "");

        ck_assert_int_eq(string_set(&device->original.bound, NULL), 0);
        ck_assert_int_eq(string_set(&device->original.override, "mine"), 0);
        ck_assert_int_eq(rebound_settle(device), REBOUND_RECORD_IN_FORCE);
        ck_assert_str_eq(device->original.override, "mine");
        world_done(&world);
}
END_TEST

START_TEST(a_group_is_claimed_by_a_lease_or_by_what_vfiod_has_bound) {
        World world;

        world_init_lab(&world);
        ck_assert(!rebound_is_claimed(&world, topology_find_group(&world.topology, 3)));
        world_put(&world, bound, 1);
        topology_find_device(&world.topology, A)->original.recorded = true;
        ck_assert(rebound_is_claimed(&world, topology_find_group(&world.topology, 3)));
        ck_assert(!rebound_is_claimed(&world, topology_find_group(&world.topology, 1)));
        world_add_lease(&world, 1001, LEASE_HELD, (uint32_t[]){1, 0});
        ck_assert(rebound_is_claimed(&world, topology_find_group(&world.topology, 1)));
        world_done(&world);
}
END_TEST

static const struct {
        const char *name, *from, *to;
        bool is_move;
} moves[] = {
        {A, "vfio-pci", "e1000", true},
        {A, "vfio-pci", NULL, true},
        {A, "e1000", "vfio-pci", true},
        {A, "", "e1000", true},
        {A, "pci-stub", NULL, true},
        {A, "pci-stub", "e1000", true},
        {A, "vfio-pci", "vfio-pci", false},
        {"0000:00:03.0", "", "shpchp", true},
        {"0000:00:03.0", "shpchp", NULL, true},
        {"0000:00:03.0", "", "pcieport", false},
        {"0000:00:03.0", "pcieport", NULL, false},
};

START_TEST(only_a_move_that_matters_to_the_group_is_one) {
        const char *from = moves[_i].from;
        const Placement before = {(char *)from, (char *)"", strstr(from, "vfio")};
        World world;

        world_init_lab(&world);
        world_set_driver(&world, moves[_i].name, moves[_i].to);
        ck_assert_msg(rebound_is_move(&world, topology_find_device(&world.topology, moves[_i].name),
                                      &before) == moves[_i].is_move,
                      "%s from '%s' to %s", moves[_i].name, from, string_or_empty(moves[_i].to));
        world_done(&world);
}
END_TEST

START_TEST(a_move_to_another_driver_is_told_with_what_becomes_of_the_record) {
        const Placement before = on_vfio();
        World world;
        Device *device = init_moved(&world, "e1000", "");

        expect_message(&world, device, &before, rebound_settle(device),
                       A " was moved from vfio-pci to e1000 by somebody else than vfiod; it stays "
                         "there: Unbind leaves it alone, and the next Bind takes that for its "
                         "original driver");
        world_done(&world);
}
END_TEST

START_TEST(a_device_that_was_taken_with_our_override_on_it_is_told_so) {
        const Placement before = on_vfio();
        World world;
        Device *device = init_moved(&world, NULL, "vfio-pci");

        expect_message(&world, device, &before, rebound_settle(device),
                       A " was taken from vfio-pci by somebody else than vfiod and has no driver "
                         "now; it stays there, and Unbind only puts driver_override back to none, "
                         "which vfiod had set");
        expect_description(&world, A,
                           "it is bound to no vfio driver, but its driver_override is still "
                           "vfio-pci, which vfiod has set");
        world_done(&world);
}
END_TEST

START_TEST(a_device_that_is_back_is_told_with_where_unbind_puts_it) {
        const Placement before = on_nothing("vfio-pci");
        World world;
        Device *device = init_moved(&world, "vfio-pci", "vfio-pci");

        expect_message(&world, device, &before, rebound_settle(device),
                       A ", which had no driver, was bound to vfio-pci by somebody else than "
                         "vfiod; Unbind gives it back to e1000, driver_override to none");
        expect_description(&world, A, "");
        world_done(&world);
}
END_TEST

START_TEST(an_override_that_was_changed_is_told_and_shown) {
        const Placement before = on_vfio();
        World world;
        Device *device = init_moved(&world, "vfio-pci", "e1000");

        ck_assert(!rebound_is_move(&world, device, &before));
        ck_assert(rebound_is_override(device, &before));
        expect_message(&world, device, &before, rebound_settle(device),
                       "driver_override of " A " was changed from vfio-pci to e1000 by somebody "
                       "else than vfiod; it stays so, and Unbind leaves the driver to it");
        expect_description(&world, A, "it is bound to vfio-pci, but its driver_override is e1000");
        world_done(&world);
}
END_TEST

START_TEST(under_a_lease_it_is_told_what_becomes_of_that) {
        const Placement before = on_vfio();
        World world;
        Device *device = init_moved(&world, "e1000", "");

        world_add_lease(&world, 1001, LEASE_HELD, (uint32_t[]){3, 0});
        device_forget_original(device);
        expect_message(&world, device, &before, rebound_settle(device),
                       A " was moved from vfio-pci to e1000 by somebody else than vfiod; lease 1, "
                         "which has group 3, goes on without it, and the group is not viable");
        expect_description(&world, A, "it is bound to e1000, and its group is leased (lease 1)");
        expect_description(&world, B, "");
        world_done(&world);
}
END_TEST

START_TEST(half_of_a_group_that_vfiod_has_bound_is_shown_and_what_is_nobodys_is_not) {
        World world;
        Device *device = init_moved(&world, "e1000", "");

        (void)rebound_settle(device);
        expect_description(&world, A,
                           "it is bound to e1000, and others of its group were bound to vfio "
                           "drivers");
        expect_description(&world, "0000:00:03.0", "");
        device_forget_original(topology_find_device(&world.topology, B));
        expect_description(&world, A, "");
        world_done(&world);
}
END_TEST

START_TEST(nothing_is_shown_while_an_operation_moves_the_group) {
        World world;

        (void)init_moved(&world, NULL, "vfio-pci");
        (void)world_add_activity(&world, 0, OPERATION_BIND, (uint32_t[]){3, 0});
        expect_description(&world, A, "");
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("rebound");

        tcase_add_loop_test(tests, the_record_outlives_only_what_leaves_our_override_or_clears_it,
                            0, ELEMENTS(settled));
        tcase_add_test(tests,
                       an_override_that_was_cleared_stays_clear_whatever_there_was_before_bind);
        tcase_add_test(tests, a_suspended_record_is_in_force_again_on_a_vfio_driver);
        tcase_add_test(tests, a_record_that_bind_is_just_making_is_left_alone);
        tcase_add_test(tests, a_group_is_claimed_by_a_lease_or_by_what_vfiod_has_bound);
        tcase_add_loop_test(tests, only_a_move_that_matters_to_the_group_is_one, 0,
                            ELEMENTS(moves));
        tcase_add_test(tests, a_move_to_another_driver_is_told_with_what_becomes_of_the_record);
        tcase_add_test(tests, a_device_that_was_taken_with_our_override_on_it_is_told_so);
        tcase_add_test(tests, a_device_that_is_back_is_told_with_where_unbind_puts_it);
        tcase_add_test(tests, an_override_that_was_changed_is_told_and_shown);
        tcase_add_test(tests, under_a_lease_it_is_told_what_becomes_of_that);
        tcase_add_test(tests,
                       half_of_a_group_that_vfiod_has_bound_is_shown_and_what_is_nobodys_is_not);
        tcase_add_test(tests, nothing_is_shown_while_an_operation_moves_the_group);
        return tests_run(tests);
}
