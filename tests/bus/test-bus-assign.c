/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Assign and Unassign: what is written down, what is shown, and what does not move. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/assignment.h"
#include "daemon/persist/assignments-file.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

/* Two functions behind a bridge; and a device on vfio-pci. */
#define CARD "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define BOUND "0000:03:00.0"

static char *file_path(void) {
        return fake_machine_path("etc/" ASSIGNMENTS_FILE);
}

static void read_file(Assignments *ret) {
        _cleanup_free_ char *directory = fake_machine_path("etc"), *text = NULL, *problem = NULL;

        ck_assert_int_eq(assignments_file_read(directory, &text, &problem), 0);
        if (text)
                ck_assert_int_eq(assignments_read(text, ret, &problem), 0);
}

static void expect_assigned(const char *names) {
        _cleanup_assignments_ Assignments all = ASSIGNMENTS_NULL;
        _cleanup_free_ char *is = NULL;

        read_file(&all);
        is = assignments_names(&all);
        ck_assert_str_eq(is, names);
}

static void break_file(void) {
        _cleanup_free_ char *path = file_path();
        FILE *file = fopen(path, "we");

        ck_assert_ptr_nonnull(file);
        ck_assert_int_ge(fputs("{\"version\": 1", file), 0);
        ck_assert_int_eq(fclose(file), 0);
}

static void assign(Client *client, const char *target) {
        _cleanup_message_ Message *reply = manager(client, "Assign", "asa{sv}", 1, target, 0);

        expect_done(reply);
}

static void unassign(Client *client, const char *target) {
        _cleanup_message_ Message *reply = manager(client, "Unassign", "asa{sv}", 1, target, 0);

        expect_done(reply);
}

static void expect_state(Client *client, const char *device, const char *words) {
        _cleanup_free_ char *state = device_property(client, device, "Assignment");

        ck_assert_msg(string_after(state, words), "%s of %s does not begin %s", state, device,
                      words);
}

/* 04:00.0 is on no driver. Of an override that somebody else has set there is nothing known. */
START_TEST(an_override_that_an_assignment_has_set_is_not_put_back) {
        static const char *const afterwards[] = {"vfio-pci", ""};
        Client *client = client_new();
        _cleanup_message_ Message *bound = NULL, *unbound = NULL;
        _cleanup_free_ char *override = NULL;

        if (_i == 1)
                assign(client, "0000:04:00.0");
        fake_machine_set_override("0000:04:00.0", "vfio-pci");
        bound = manager(client, "Bind", "asa{sv}", 1, "0000:04:00.0", 0);
        expect_done(bound);
        if (_i == 1)
                unassign(client, "0000:04:00.0");
        unbound = manager(client, "Unbind", "asa{sv}", 1, "0000:04:00.0", 0);
        expect_done(unbound);
        expect_driver("0000:04:00.0", "");
        override = fake_machine_override("0000:04:00.0");
        ck_assert_str_eq(override, afterwards[_i]);
}
END_TEST

START_TEST(assign_writes_the_whole_group_down_and_moves_nothing) {
        _cleanup_assignments_ Assignments all = ASSIGNMENTS_NULL;
        Client *client = client_new();

        expect_state(client, CARD, "\"\"");
        assign(client, CARD);
        expect_assigned(CARD ", " AUDIO);
        read_file(&all);
        ck_assert_str_eq(all.items[0].driver, "vfio-pci");
        ck_assert_str_eq(all.items[0].serial, "");
        expect_driver(CARD, "e1000e");
        expect_state(client, CARD, "\"assigned, but on e1000e: 'vfioctl bind " CARD "' moves it");
        expect_state(client, AUDIO, "\"assigned, but on snd_hda_intel");
        expect_state(client, "0000:00:1c.0", "\"\"");
}
END_TEST

START_TEST(the_change_is_signalled) {
        Client *client = client_new();
        _cleanup_free_ char *object = device_object(AUDIO);

        assign(client, CARD);
        settle();
        ck_assert_uint_ge(count_signals(client, "PropertiesChanged", object,
                                        "\"Assignment\" <\"assigned, but on snd_hda_intel"),
                          1);
}
END_TEST

static size_t count_told(const Client *client, const char *device) {
        _cleanup_free_ char *object = device_object(device);

        return count_signals(client, "PropertiesChanged", object, "\"Assignment\"");
}

START_TEST(what_was_changed_by_hand_is_signalled_when_it_is_read_again) {
        Client *client = client_new();
        _cleanup_free_ char *path = file_path();
        size_t n;

        assign(client, CARD);
        settle();
        n = count_told(client, CARD);
        ck_assert_ptr_null(broker_reload_assignments(fixture_broker()));
        settle();
        ck_assert_uint_eq(count_told(client, CARD), n);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_ptr_null(broker_reload_assignments(fixture_broker()));
        settle();
        ck_assert_uint_eq(count_told(client, CARD), n + 1);
        expect_state(client, CARD, "\"\"");
}
END_TEST

START_TEST(a_file_that_was_put_there_by_hand_is_signalled_when_it_is_read_again) {
        Client *client = client_new();
        _cleanup_free_ char *path = file_path(), *aside = string_format("%s.aside", path);
        size_t n;

        assign(client, CARD);
        ck_assert_int_eq(rename(path, aside), 0);
        ck_assert_ptr_null(broker_reload_assignments(fixture_broker()));
        settle();
        n = count_told(client, AUDIO);
        ck_assert_int_eq(rename(aside, path), 0);
        ck_assert_ptr_null(broker_reload_assignments(fixture_broker()));
        settle();
        ck_assert_uint_eq(count_told(client, AUDIO), n + 1);
        expect_state(client, AUDIO, "\"assigned, but on snd_hda_intel");
}
END_TEST

START_TEST(with_the_option_bind_the_group_is_bound_too) {
        Client *client = client_new();
        _cleanup_message_ Message *reply =
                manager(client, "Assign", "asa{sv}", 1, CARD, 1, "bind", "b", 1);
        _cleanup_free_ char *original = NULL;

        expect_done(reply);
        expect_assigned(CARD ", " AUDIO);
        expect_driver(CARD, "vfio-pci");
        expect_state(client, CARD, "\"assigned\"");
        original = device_property(client, CARD, "OriginalDriver");
        ck_assert_str_eq(original, "\"e1000e\"");
}
END_TEST

START_TEST(where_binding_fails_nothing_is_assigned) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *original = NULL;

        fake_machine_fault("bind", AUDIO, EINVAL);
        reply = manager(client, "Assign", "asa{sv}", 1, CARD, 1, "bind", "b", 1);
        expect_refusal(reply, "Failed", AUDIO);
        expect_assigned("");
        expect_driver(CARD, "e1000e");
        original = device_property(client, CARD, "OriginalDriver");
        ck_assert_str_eq(original, "\"\"");
}
END_TEST

START_TEST(where_the_file_cannot_be_written_the_group_is_as_it_was) {
        _cleanup_free_ char *directory = fake_machine_path("etc");
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        ck_assert_int_eq(rmdir(directory), 0);
        reply = manager(client, "Assign", "asa{sv}", 1, CARD, 1, "bind", "b", 1);
        expect_refusal(reply, "Failed",
                       "assign " CARD ", " AUDIO " from the next boot on: No such");
        expect_driver(CARD, "e1000e");
        ck_assert_int_eq(mkdir(directory, 0755), 0);
}
END_TEST

START_TEST(unbind_leaves_the_assignment_and_unassign_the_driver) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        assign(client, "group/4");
        expect_state(client, BOUND, "\"assigned\"");
        reply = manager(client, "Unbind", "asa{sv}", 1, "group/4", 0);
        expect_done(reply);
        expect_assigned(BOUND);
        unassign(client, BOUND);
        expect_assigned("");
        expect_state(client, BOUND, "\"\"");
        assign(client, CARD);
        unassign(client, "group/2");
        expect_driver(CARD, "e1000e");
        expect_assigned("");
}
END_TEST

START_TEST(a_leased_group_is_assigned_and_unassigned_under_its_lease) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));

        assign(client, "group/4");
        unassign(client, "group/4");
        expect_lease(client, grant.path, "State", "\"held\"");
}
END_TEST

START_TEST(a_device_that_is_not_there_any_more_can_be_unassigned_by_its_name) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        assign(client, BOUND);
        ck_assert_int_eq(fake_machine_unbind(BOUND, "vfio-pci"), 0);
        fake_machine_remove(BOUND);
        fake_machine_announce("remove", BOUND);
        settle();
        unassign(client, BOUND);
        expect_assigned("");
        reply = manager(client, "Unassign", "asa{sv}", 1, BOUND, 0);
        expect_refusal(reply, "NotFound", BOUND);
}
END_TEST

START_TEST(another_card_at_the_address_shows_as_a_mismatch) {
        Client *client = client_new();

        assign(client, BOUND);
        fake_machine_set_attribute(BOUND, "udev-serial", "52-54-00-ff-ff-12-34-56");
        assign(client, "group/9"); /* vfiod looks again */
        expect_state(client, BOUND,
                     "\"mismatch: " BOUND " has the serial number 52-54-00-ff-ff-12-34-56");
        fake_machine_replace(BOUND, 0x8086, 0x1533);
        fake_machine_announce("change", BOUND);
        settle();
        expect_state(client, BOUND, "\"mismatch: " BOUND " is 8086:1533");
}
END_TEST

START_TEST(a_broken_file_is_refused_named_and_left_as_it_is) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *path = file_path();
        struct stat before, after;

        break_file();
        ck_assert_int_eq(stat(path, &before), 0);
        reply = manager(client, "Assign", "asa{sv}", 1, CARD, 0);
        expect_refusal(reply, "BadAssignments", "/assignments.json: at byte ");
        ck_assert_int_eq(stat(path, &after), 0);
        ck_assert_uint_eq(before.st_ino, after.st_ino);
        expect_state(client, CARD, "\"\"");
        /* Mended. */
        ck_assert_int_eq(unlink(path), 0);
        assign(client, CARD);
}
END_TEST

START_TEST(plan_says_what_it_would_do_and_does_nothing) {
        Client *client = client_new();
        _cleanup_message_ Message *reply =
                manager(client, "Plan", "sasa{sv}", "assign", 1, BOUND, 0);

        expect_done(reply);
        expect_text(reply, "\"assign " BOUND " from the next boot on\"");
        expect_assigned("");
}
END_TEST

START_TEST(what_the_host_is_using_is_refused_as_bind_would) {
        _cleanup_message_ Message *reply =
                manager(client_new(), "Assign", "asa{sv}", 1, "group/1", 0);

        expect_refusal(reply, "HostDevice", "chipset");
        expect_assigned("");
}
END_TEST

START_TEST(each_is_journaled_with_its_name) {
        Client *client = client_new();

        assign(client, BOUND);
        unassign(client, BOUND);
        ck_assert_uint_eq(fake_journal_count(), 2);
        expect_part(fake_journal_record(0), "VFIOD_OPERATION=assign\n");
        expect_part(fake_journal_record(1), "VFIOD_OPERATION=unassign\n");
        expect_part(fake_journal_record(1), "VFIOD_PLAN=unassign " BOUND);
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-assign");

        tcase_add_loop_test(tests, an_override_that_an_assignment_has_set_is_not_put_back, 0, 2);
        tcase_add_test(tests, assign_writes_the_whole_group_down_and_moves_nothing);
        tcase_add_test(tests, the_change_is_signalled);
        tcase_add_test(tests, what_was_changed_by_hand_is_signalled_when_it_is_read_again);
        tcase_add_test(tests, a_file_that_was_put_there_by_hand_is_signalled_when_it_is_read_again);
        tcase_add_test(tests, with_the_option_bind_the_group_is_bound_too);
        tcase_add_test(tests, where_binding_fails_nothing_is_assigned);
        tcase_add_test(tests, where_the_file_cannot_be_written_the_group_is_as_it_was);
        tcase_add_test(tests, unbind_leaves_the_assignment_and_unassign_the_driver);
        tcase_add_test(tests, a_leased_group_is_assigned_and_unassigned_under_its_lease);
        tcase_add_test(tests, a_device_that_is_not_there_any_more_can_be_unassigned_by_its_name);
        tcase_add_test(tests, another_card_at_the_address_shows_as_a_mismatch);
        tcase_add_test(tests, a_broken_file_is_refused_named_and_left_as_it_is);
        tcase_add_test(tests, plan_says_what_it_would_do_and_does_nothing);
        tcase_add_test(tests, what_the_host_is_using_is_refused_as_bind_would);
        tcase_add_test(tests, each_is_journaled_with_its_name);
        return bus_tests_run(tests);
}
