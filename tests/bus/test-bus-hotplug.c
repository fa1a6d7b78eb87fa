/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices that come, go and change by others' doing, as clients see it. */

#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/bus/fixture-bus.h"

static const FakeDevice card = {.name = "0000:08:00.0",
                                .group = 10,
                                .driver = "e1000e",
                                .vendor = 0x8086,
                                .device = 0x10d3};

static void plug_in(void) {
        fake_machine_add(&card);
        fake_machine_announce("add", card.name);
}

/* Taken out and found again by a rescan, which has put it beside the device of group 5. */
static void move_to_group_5(void) {
        static const FakeDevice moved = {.name = "0000:07:00.0", .group = 5, .driver = "e1000e"};

        fake_machine_remove(moved.name);
        fake_machine_add(&moved);
}

static void unplug(const char *name) {
        fake_machine_remove(name);
        fake_machine_announce("remove", name);
}

START_TEST(a_device_plugged_in_is_an_object_and_a_group_with_a_signal_each) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        plug_in();
        wait_until(count_signals(client, "InterfacesAdded", VFIOD_PATH, "_30000_3a08") == 1);
        settle();
        ck_assert_uint_eq(count_signals(client, "InterfacesAdded", VFIOD_PATH, "/group/10\""), 1);
        reply = manager(client, "GetDevice", "s", card.name);
        expect_text(reply, "\"Driver\" <\"e1000e\">");
}
END_TEST

START_TEST(a_device_unplugged_is_no_object_any_more_and_neither_is_its_group) {
        Client *client = client_new();
        _cleanup_message_ Message *device = NULL, *group = NULL;

        unplug("0000:02:00.0");
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "_30000_3a02") == 1);
        settle();
        ck_assert_uint_eq(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "/group/3\""), 1);
        device = manager(client, "GetDevice", "s", "0000:02:00.0");
        expect_refusal(device, "NotFound", "0000:02:00.0");
        group = manager(client, "Bind", "asa{sv}", 1, "group/3", 0);
        expect_refusal(group, "NotFound", "3");
}
END_TEST

START_TEST(a_device_moved_by_somebody_else_shows_its_new_driver) {
        Client *client = client_new();

        ck_assert_int_eq(fake_machine_unbind("0000:02:00.0", "nvme"), 0);
        wait_until(count_signals(client, "PropertiesChanged", "_30000_3a02", "\"Driver\" <\"\">") >
                   0);
        settle();
        ck_assert_uint_gt(
                count_signals(client, "PropertiesChanged", "/group/3", "\"Viable\" <true>"), 0);
}
END_TEST

START_TEST(another_card_at_the_same_address_shows_its_own_ids) {
        Client *client = client_new();
        _cleanup_free_ char *vendor = NULL;

        fake_machine_replace("0000:02:00.0", 0x15b3, 0x101e);
        fake_machine_announce("change", "0000:02:00.0");
        wait_until(count_signals(client, "PropertiesChanged", "_30000_3a02", NULL) > 0);
        vendor = device_property(client, "0000:02:00.0", "VendorId");
        ck_assert_str_eq(vendor, "5555");
        settle();
        ck_assert_uint_gt(
                count_signals(client, "PropertiesChanged", "_30000_3a02", "\"VendorId\" <5555>"),
                0);
}
END_TEST

START_TEST(the_reset_set_of_a_device_follows_what_is_plugged_in_beside_it) {
        static const FakeDevice third = {.name = "0000:01:00.2",
                                         .group = 10,
                                         .driver = "e1000e",
                                         .vendor = 0x8086,
                                         .parent = "0000:00:1c.0"};
        Client *client = client_new();
        _cleanup_free_ char *before = device_property(client, "0000:01:00.0", "ResetSet");

        ck_assert_str_eq(before, "[\"0000:01:00.0\" \"0000:01:00.1\"]");
        fake_machine_add(&third);
        fake_machine_announce("add", third.name);
        wait_until(count_signals(client, "PropertiesChanged", "_30000_3a01_3a00_2e0",
                                 "[\"0000:01:00.0\" \"0000:01:00.1\" \"0000:01:00.2\"]") == 1);
        settle();
        client->signals = strv_free(client->signals);
        unplug(third.name);
        wait_until(count_signals(client, "PropertiesChanged", "_30000_3a01_3a00_2e0",
                                 "\"ResetSet\" <[\"0000:01:00.0\" \"0000:01:00.1\"]>") == 1);
        settle();
        ck_assert_uint_eq(count_signals(client, "PropertiesChanged", "_30000_3a02", NULL), 0);
}
END_TEST

START_TEST(a_device_on_a_root_bus_is_alone_in_its_reset_set_and_one_off_pci_has_none) {
        Client *client = client_new();
        _cleanup_free_ char *alone = device_property(client, "0000:00:1f.0", "ResetSet");
        _cleanup_free_ char *none = device_property(client, "10000000.gpu", "ResetSet");

        ck_assert_str_eq(alone, "[\"0000:00:1f.0\"]");
        ck_assert_str_eq(none, "[]");
}
END_TEST

/* What introspection promises: a signal for every property that is not constant. */
START_TEST(a_change_is_told_with_every_property_that_is_not_constant) {
        static const struct {
                const char *path, *properties[24];
        } rows[] = {
                {"/device/_30000_3a03", {"Group",
                                         "Driver",
                                         "DriverOverride",
                                         "OriginalDriver",
                                         "Vfio",
                                         "Cdev",
                                         "VendorId",
                                         "DeviceId",
                                         "SubsystemVendorId",
                                         "SubsystemDeviceId",
                                         "Class",
                                         "VendorName",
                                         "DeviceName",
                                         "ClassName",
                                         "NumaNode",
                                         "Interfaces",
                                         "Verdict",
                                         "State",
                                         "StuckReason",
                                         "ResetSet"}},
                {"/group/4",
                 {"Type", "ReservedRegions", "Devices", "Viable", "Bound", "Blockers", "Lease"}},
                {"/lease/1", {"Groups", "Devices", "State", "Deadline"}},
        };
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));

        grant_done(&grant);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "/lease/1") == 1);
        settle();
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                for (size_t j = 0; j < ELEMENTS(rows[i].properties) && rows[i].properties[j]; j++) {
                        _cleanup_free_ char *part =
                                string_format("\"%s\" <", rows[i].properties[j]);

                        ck_assert_msg(
                                count_signals(client, "PropertiesChanged", rows[i].path, part) > 0,
                                "no PropertiesChanged of %s has %s", rows[i].path, part);
                }
}
END_TEST

static const char *const losses[] = {"lost", "dropped"};

START_TEST(after_lost_events_everything_is_read_again) {
        Client *client = client_new();

        fake_machine_add(&card);
        fake_machine_remove("0000:02:00.0");
        fake_machine_announce(losses[_i], "-");
        wait_until(count_signals(client, "InterfacesAdded", VFIOD_PATH, "_30000_3a08") == 1);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "_30000_3a02") == 1);
}
END_TEST

START_TEST(a_device_that_is_found_in_another_group_takes_its_old_group_and_the_lease_with_it) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/9", 0));

        move_to_group_5();
        fake_machine_announce("lost", "-");
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "/group/9\"") == 1);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path) == 1);
        wait_until(count_signals(client, "PropertiesChanged", "/group/5", "0000:07:00.0") > 0);
        ck_assert_uint_eq(count_signals(client, "PropertiesChanged", grant.path, "\"lost\""), 1);
}
END_TEST

START_TEST(a_group_that_a_device_has_left_for_another_shows_the_others) {
        static const FakeDevice moved = {
                .name = "0000:01:00.1", .group = 1, .driver = "snd_hda_intel"};
        Client *client = client_new();
        _cleanup_free_ char *devices = NULL;

        fake_machine_remove(moved.name);
        fake_machine_add(&moved);
        fake_machine_announce("lost", "-");
        wait_until(count_signals(client, "PropertiesChanged", "/group/1", "0000:01:00.1") > 0);
        settle();
        ck_assert_uint_gt(count_signals(client, "PropertiesChanged", "/group/2", "\"Devices\""), 0);
        devices = group_property(client, 2, "Devices");
        ck_assert_ptr_null(strstr(devices, "0000:01:00.1"));
}
END_TEST

START_TEST(a_device_that_is_found_in_another_group_is_known_by_its_name_before_udev_tells_of_it) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *group = NULL;

        move_to_group_5();
        reply = manager(client, "Bind", "asa{sv}", 1, "0000:07:00.0", 0);
        expect_done(reply);
        expect_driver("0000:07:00.0", "vfio-pci");
        group = device_property(client, "0000:07:00.0", "Group");
        ck_assert_str_eq(group, "5");
}
END_TEST

START_TEST(unplugging_a_leased_device_closes_the_files_and_ends_the_lease) {
        Client *client = client_new();
        _cleanup_message_ Message *warm_up = manager(client, "ListLeases", NULL);
        size_t before = count_open_fds();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
        char byte;

        unplug("0000:03:00.0");
        wait_until(count_signals(client, "PropertiesChanged", grant.path, "\"lost\"") == 1);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path) == 1);
        ck_assert_int_eq(read(grant.lease_fd, &byte, 1), 1);
        ck_assert_int_eq(byte, 'r');
        /* A worker that has just begun has our end of it, too, until it has closed it. */
        wait_until(read(grant.lease_fd, &byte, 1) == 0);
        wait_until(count_signals(client, "ReleaseRequested", grant.path, "unplugged") == 1);
        grant_done(&grant);
        settle();
        expect_open_fds(before);
}
END_TEST

START_TEST(unplugging_one_group_of_a_lease_leaves_the_other) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 2, "group/4", "group/9", 0));
        _cleanup_free_ char *state = NULL;

        unplug("0000:03:00.0");
        wait_until(count_signals(client, "PropertiesChanged", grant.path, "\"Groups\" <[9]>") > 0);
        settle();
        state = property(client, grant.path, VFIOD_INTERFACE_LEASE, "State");
        ck_assert_str_eq(state, "\"held\"");
        {
                _cleanup_grant_ Grant left =
                        grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
                _cleanup_free_ char *files = grant_text(&left);

                ck_assert_str_eq(files, "container:,group:9,device:0000:07:00.0");
        }
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-hotplug");

        tcase_add_test(tests, a_device_plugged_in_is_an_object_and_a_group_with_a_signal_each);
        tcase_add_test(tests, a_device_unplugged_is_no_object_any_more_and_neither_is_its_group);
        tcase_add_test(tests, a_device_moved_by_somebody_else_shows_its_new_driver);
        tcase_add_test(tests, another_card_at_the_same_address_shows_its_own_ids);
        tcase_add_test(tests, the_reset_set_of_a_device_follows_what_is_plugged_in_beside_it);
        tcase_add_test(tests,
                       a_device_on_a_root_bus_is_alone_in_its_reset_set_and_one_off_pci_has_none);
        tcase_add_test(tests, a_change_is_told_with_every_property_that_is_not_constant);
        tcase_add_loop_test(tests, after_lost_events_everything_is_read_again, 0,
                            (int)ELEMENTS(losses));
        tcase_add_test(
                tests,
                a_device_that_is_found_in_another_group_takes_its_old_group_and_the_lease_with_it);
        tcase_add_test(tests, a_group_that_a_device_has_left_for_another_shows_the_others);
        tcase_add_test(
                tests,
                a_device_that_is_found_in_another_group_is_known_by_its_name_before_udev_tells_of_it);
        tcase_add_test(tests, unplugging_a_leased_device_closes_the_files_and_ends_the_lease);
        tcase_add_test(tests, unplugging_one_group_of_a_lease_leaves_the_other);
        return bus_tests_run(tests);
}
