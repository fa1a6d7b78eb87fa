/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Members of a group that vfiod has bound, or that is leased, moved by somebody else: shown, said
 * once, and left where they were put. Group 2 is bound by vfiod here; of group 8, one is on
 * pci-stub.
 */

#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

#define CARD "0000:01:00.0"
#define SOUND "0000:01:00.1"
#define BRIDGE "0000:00:1c.0"
#define STUB "0000:06:00.1"
#define ALONE "0000:03:00.0"

static void expect_binding(const char *device, const char *driver, const char *override) {
        _cleanup_free_ char *overridden = fake_machine_override(device);

        expect_driver(device, driver);
        ck_assert_str_eq(overridden, override);
}

static void expect_device(Client *client, const char *device, const char *name, const char *value) {
        _cleanup_free_ char *is = device_property(client, device, name);

        ck_assert_str_eq(is, value);
}

static void expect_group(Client *client, uint32_t group, const char *name, const char *value) {
        _cleanup_free_ char *is = group_property(client, group, name);

        ck_assert_str_eq(is, value);
}

static void do_to(Client *client, const char *operation, const char *target) {
        _cleanup_message_ Message *reply = manager(client, operation, "asa{sv}", 1, target, 0);

        expect_done(reply);
}

/* It reads the facts again, as every request does. */
static void look_at(Client *client, const char *device) {
        _cleanup_message_ Message *reply = manager(client, "GetDevice", "s", device);

        expect_done(reply);
}

/* What was said of others' doings, and the last of it in *ret, borrowed. */
static size_t count_said(const char **ret) {
        size_t n = 0;

        for (size_t i = 0; i < fake_journal_count(); i++) {
                const char *record = fake_journal_record(i);

                if (!strstr(record, "\n" VFIOD_JOURNAL_OPERATION "=rebound\n") &&
                    !strstr(record, "\n" VFIOD_JOURNAL_OPERATION "=override-changed\n"))
                        continue;
                n++;
                if (ret)
                        *ret = record;
        }
        return n;
}

/* One record, with these parts. */
static void expect_said(const char *message, const char *from, const char *to) {
        const char *record = NULL;

        wait_until(count_said(NULL) > 0);
        settle();
        ck_assert_uint_eq(count_said(&record), 1);
        expect_part(record, message);
        expect_part(record, from);
        expect_part(record, to);
}

/* By sysfs, in the order of driverctl; `driver` NULL: to none, and the override is left. */
static void move(const char *device, const char *from, const char *driver) {
        if (driver)
                fake_machine_set_override(device, driver);
        ck_assert_int_eq(fake_machine_unbind(device, from), 0);
        if (driver)
                ck_assert_int_eq(fake_machine_bind(device, driver), 0);
}

static Client *bind_pair(void) {
        Client *client = client_new();

        do_to(client, "Bind", "group/2");
        fake_journal_forget();
        return client;
}

/* _i: whether both of the move is seen at once, or the device without a driver first. */
START_TEST(a_member_that_is_moved_is_shown_and_said_once_with_both_drivers) {
        Client *client = bind_pair();

        fake_machine_set_override(CARD, "nvme");
        ck_assert_int_eq(fake_machine_unbind(CARD, "vfio-pci"), 0);
        if (_i == 0)
                settle();
        ck_assert_int_eq(fake_machine_bind(CARD, "nvme"), 0);
        expect_said("MESSAGE=" CARD " was moved from vfio-pci to nvme by somebody else than vfiod; "
                    "it stays there: Unbind leaves it alone, and the next Bind takes that for its "
                    "original driver\n",
                    "\n" VFIOD_JOURNAL_FROM "=" CARD "=vfio-pci\n",
                    "\n" VFIOD_JOURNAL_TO "=" CARD "=nvme\n");
        expect_group(client, 2, "Viable", "false");
        expect_device(client, CARD, "OriginalDriver", "\"\"");
        expect_device(client, CARD, "State", "\"rebound\"");
        expect_device(client, CARD, "Rebound",
                      "\"it is bound to nvme, and others of its group were bound to vfio "
                      "drivers\"");
        expect_device(client, SOUND, "State", "\"idle\"");
        expect_device(client, SOUND, "OriginalDriver", "\"snd_hda_intel\"");
        ck_assert_uint_gt(
                count_signals(client, "PropertiesChanged", NULL, "\"State\" <\"rebound\">"), 0);
}
END_TEST

START_TEST(unbind_leaves_it_there_and_the_next_bind_takes_that_for_its_original) {
        Client *client = bind_pair();

        move(CARD, "vfio-pci", "nvme");
        do_to(client, "Unbind", "group/2");
        expect_binding(CARD, "nvme", "nvme");
        expect_binding(SOUND, "snd_hda_intel", "");
        expect_device(client, CARD, "State", "\"idle\"");
        do_to(client, "Bind", "group/2");
        expect_binding(CARD, "vfio-pci", "vfio-pci");
        expect_device(client, CARD, "OriginalDriver", "\"nvme\"");
        do_to(client, "Unbind", "group/2");
        expect_binding(CARD, "nvme", "nvme");
        ck_assert_uint_eq(count_said(NULL), 1);
}
END_TEST

START_TEST(a_member_that_was_only_unbound_stays_so_and_loses_our_override) {
        Client *client = bind_pair();

        move(CARD, "vfio-pci", NULL);
        expect_said("MESSAGE=" CARD " was taken from vfio-pci by somebody else than vfiod and has "
                    "no driver now; it stays there, and Unbind only puts driver_override back to "
                    "none, which vfiod had set\n",
                    "\n" VFIOD_JOURNAL_FROM "=" CARD "=vfio-pci\n",
                    "\n" VFIOD_JOURNAL_TO "=" CARD "=\n");
        expect_group(client, 2, "Viable", "true");
        expect_group(client, 2, "Bound", "false");
        expect_device(client, CARD, "OriginalDriver", "\"\"");
        expect_device(client, CARD, "State", "\"rebound\"");
        do_to(client, "Unbind", "group/2");
        expect_binding(CARD, "", "");
        expect_binding(SOUND, "snd_hda_intel", "");
        expect_device(client, CARD, "State", "\"idle\"");
}
END_TEST

START_TEST(a_vfio_driver_that_is_reloaded_changes_nothing_and_is_not_worth_a_word) {
        Client *client = bind_pair();

        move(CARD, "vfio-pci", NULL);
        settle();
        ck_assert_int_eq(fake_machine_bind(CARD, "vfio-pci"), 0);
        settle();
        expect_device(client, CARD, "OriginalDriver", "\"e1000e\"");
        do_to(client, "Unbind", "group/2");
        expect_binding(CARD, "e1000e", "");
        ck_assert_uint_eq(count_said(NULL), 0);
}
END_TEST

START_TEST(a_bind_right_after_it_takes_what_there_is_and_does_not_hide_it) {
        Client *client = bind_pair();

        move(CARD, "vfio-pci", NULL);
        do_to(client, "Bind", "group/2");
        ck_assert_uint_eq(count_said(NULL), 1);
        expect_binding(CARD, "vfio-pci", "vfio-pci");
        do_to(client, "Unbind", "group/2");
        expect_binding(CARD, "", "");
        expect_binding(SOUND, "snd_hda_intel", "");
        ck_assert_uint_eq(count_said(NULL), 1);
}
END_TEST

/* The plan fails at the second member, and is undone. */
START_TEST(a_bind_that_is_undone_leaves_our_override_to_be_put_back) {
        Client *client = bind_pair();
        _cleanup_message_ Message *refused = NULL;

        move(CARD, "vfio-pci", NULL);
        move(SOUND, "vfio-pci", NULL);
        fake_machine_fault("bind", SOUND, 22);
        refused = manager(client, "Bind", "asa{sv}", 1, "group/2", 0);
        expect_error(refused, VFIOD_ERROR_FAILED, SOUND);
        fake_machine_clear("bind", SOUND);
        expect_binding(CARD, "", "vfio-pci");
        do_to(client, "Unbind", "group/2");
        expect_binding(CARD, "", "");
        expect_binding(SOUND, "", "");
}
END_TEST

START_TEST(what_vfiod_has_not_bound_is_the_hosts_to_move_without_a_word) {
        Client *client = client_new();

        move(CARD, "e1000e", "nvme");
        settle();
        expect_device(client, CARD, "Driver", "\"nvme\"");
        expect_device(client, CARD, "State", "\"idle\"");
        ck_assert_uint_eq(fake_journal_count(), 0);
}
END_TEST

START_TEST(our_own_moves_are_not_somebody_elses) {
        Client *client = bind_pair();

        do_to(client, "Unbind", "group/2");
        do_to(client, "Bind", "group/2");
        settle();
        ck_assert_uint_eq(count_said(NULL), 0);
}
END_TEST

START_TEST(a_member_that_gets_a_host_driver_under_a_lease_is_said_once_and_left_by_its_end) {
        Client *client = client_new();
        Grant grant = grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/8", 0));

        fake_journal_forget();
        move(STUB, "pci-stub", "nvme");
        expect_said("MESSAGE=" STUB " was moved from pci-stub to nvme by somebody else than vfiod; "
                    "lease 1, which has group 8, goes on, and the group is not viable\n",
                    "\nPRIORITY=4\n", "\n" VFIOD_JOURNAL_LEASE "=1\n");
        for (size_t i = 0; i < 3; i++)
                look_at(client, STUB);
        ck_assert_uint_eq(count_said(NULL), 1);
        expect_group(client, 8, "Viable", "false");
        expect_device(client, STUB, "State", "\"rebound\"");
        expect_device(client, STUB, "Rebound",
                      "\"it is bound to nvme, and its group is leased (lease 1)\"");
        expect_lease(client, grant.path, "State", "\"held\"");
        grant_done(&grant);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "/lease/1\"") > 0);
        settle();
        expect_binding(STUB, "nvme", "nvme");
        expect_device(client, STUB, "Rebound", "\"\"");
}
END_TEST

START_TEST(a_bridge_driver_that_comes_under_a_lease_is_said_once) {
        Client *client = bind_pair();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/2", 0));

        fake_journal_forget();
        move(BRIDGE, "pcieport", "shpchp");
        expect_said("MESSAGE=" BRIDGE " was moved from pcieport to shpchp by somebody else than "
                    "vfiod; lease 1, which has group 2, goes on, and the group is not viable\n",
                    "\nPRIORITY=4\n", "\n" VFIOD_JOURNAL_LEASE "=1\n");
        look_at(client, BRIDGE);
        look_at(client, CARD);
        ck_assert_uint_eq(count_said(NULL), 1);
        expect_group(client, 2, "Viable", "false");
        expect_device(client, BRIDGE, "State", "\"rebound\"");
        expect_device(client, CARD, "State", "\"leased\"");
}
END_TEST

START_TEST(an_override_that_is_written_under_a_lease_is_seen_at_the_next_look_and_obeyed) {
        Client *client = client_new();

        {
                _cleanup_grant_ Grant grant =
                        grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));

                fake_journal_forget();
                fake_machine_set_override(ALONE, "e1000e");
                look_at(client, ALONE);
                expect_said("MESSAGE=driver_override of " ALONE " was changed from vfio-pci to "
                            "e1000e by somebody else than vfiod; lease 1, which has group 4, goes "
                            "on\n",
                            "\n" VFIOD_JOURNAL_FROM "=" ALONE "=vfio-pci\n",
                            "\n" VFIOD_JOURNAL_TO "=" ALONE "=e1000e\n");
                look_at(client, ALONE);
                ck_assert_uint_eq(count_said(NULL), 1);
                expect_device(client, ALONE, "Rebound",
                              "\"it is bound to vfio-pci, but its driver_override is e1000e\"");
        }
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "/lease/1\"") > 0);
        do_to(client, "Unbind", "group/4");
        expect_binding(ALONE, "e1000e", "e1000e");
}
END_TEST

static bool has_no_driver(const char *device) {
        _cleanup_free_ char *driver = fake_machine_driver(device);

        return driver[0] == '\0';
}

/* Whoever takes it waits, and would let nobody read the override. */
START_TEST(an_override_of_one_that_is_taken_under_a_lease_is_read_when_that_is_over) {
        Client *client = client_new();
        Grant grant = grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
        pid_t somebody = fork();

        ck_assert_int_ge(somebody, 0);
        if (somebody == 0)
                _exit(close_range(3, ~0U, 0) < 0 || fake_machine_unbind(ALONE, "vfio-pci") < 0);
        wait_until(has_no_driver(ALONE));
        fake_machine_set_override(ALONE, "e1000e");
        look_at(client, ALONE);
        expect_device(client, ALONE, "Driver", "\"\"");
        expect_device(client, ALONE, "DriverOverride", "\"vfio-pci\"");
        grant_done(&grant);
        wait_until(waitpid(somebody, NULL, WNOHANG) == somebody);
        look_at(client, ALONE);
        expect_device(client, ALONE, "DriverOverride", "\"e1000e\"");
}
END_TEST

/* The override does not let the vfio driver have it back: undoing must get around that. */
START_TEST(an_unbind_that_fails_under_an_override_of_others_is_undone_with_it_in_place) {
        Client *client = client_new();
        _cleanup_message_ Message *refused = NULL;

        fake_machine_set_override(ALONE, "e1000e");
        fake_machine_fault("probe", ALONE, 5);
        refused = manager(client, "Unbind", "asa{sv}", 1, "group/4", 0);
        expect_error(refused, VFIOD_ERROR_FAILED, ALONE);
        expect_binding(ALONE, "vfio-pci", "e1000e");
        fake_machine_clear("probe", ALONE);
}
END_TEST

START_TEST(a_function_that_comes_to_a_leased_group_with_a_host_driver_is_said) {
        static const FakeDevice comes = {
                .name = "0000:03:00.1", .group = 4, .driver = "nvme", .vendor = 0x8086};
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));

        fake_journal_forget();
        fake_machine_add(&comes);
        fake_machine_announce("add", comes.name);
        expect_said("MESSAGE=0000:03:00.1, which had no driver, was bound to nvme by somebody else "
                    "than vfiod; lease 1, which has group 4, goes on, and the group is not "
                    "viable\n",
                    "\nPRIORITY=4\n", "\n" VFIOD_JOURNAL_DEVICE "=0000:03:00.1\n");
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-rebound");

        tcase_add_loop_test(tests, a_member_that_is_moved_is_shown_and_said_once_with_both_drivers,
                            0, 2);
        tcase_add_test(tests, unbind_leaves_it_there_and_the_next_bind_takes_that_for_its_original);
        tcase_add_test(tests, a_member_that_was_only_unbound_stays_so_and_loses_our_override);
        tcase_add_test(tests,
                       a_vfio_driver_that_is_reloaded_changes_nothing_and_is_not_worth_a_word);
        tcase_add_test(tests, a_bind_right_after_it_takes_what_there_is_and_does_not_hide_it);
        tcase_add_test(tests, a_bind_that_is_undone_leaves_our_override_to_be_put_back);
        tcase_add_test(tests, what_vfiod_has_not_bound_is_the_hosts_to_move_without_a_word);
        tcase_add_test(tests, our_own_moves_are_not_somebody_elses);
        tcase_add_test(
                tests,
                a_member_that_gets_a_host_driver_under_a_lease_is_said_once_and_left_by_its_end);
        tcase_add_test(tests, a_bridge_driver_that_comes_under_a_lease_is_said_once);
        tcase_add_test(
                tests,
                an_override_that_is_written_under_a_lease_is_seen_at_the_next_look_and_obeyed);
        tcase_add_test(tests,
                       an_override_of_one_that_is_taken_under_a_lease_is_read_when_that_is_over);
        tcase_add_test(tests,
                       an_unbind_that_fails_under_an_override_of_others_is_undone_with_it_in_place);
        tcase_add_test(tests, a_function_that_comes_to_a_leased_group_with_a_host_driver_is_said);
        return bus_tests_run(tests);
}
