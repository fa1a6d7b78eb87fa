/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Operations that are broken off: the worker is killed at a step, or vfiod before it. Every device
 * ends as it was found or as was asked for, and nothing is left open. That this holds for each step
 * of each plan is tests/unit/test-decide-recover.c and, on a kernel, the lab's kill-* cases.
 */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/persist/state-file.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-restart.h"

#define NIC "0000:01:00.0"
#define SOUND "0000:01:00.1"

#define FOUND "e1000e '' snd_hda_intel ''"
#define ON_VFIO "vfio-pci 'vfio-pci' vfio-pci 'vfio-pci'"

typedef struct Break {
        const char *member;
        bool bind;        /* the option, of Acquire */
        const char *what; /* fake_machine_fault() */
        const char *subject;
        bool last; /* the last step: a worker that can do it has done all */
} Break;

static const Break breaks[] = {
        {"Bind", false, "override", NIC},       {"Bind", false, "override", SOUND},
        {"Bind", false, "unbind", NIC},         {"Bind", false, "bind", NIC},
        {"Bind", false, "unbind", SOUND},       {"Bind", false, "bind", SOUND, .last = true},
        {"Acquire", true, "override", SOUND},   {"Acquire", true, "bind", SOUND},
        {"Acquire", true, "open-group", "2"},   {"Acquire", true, "set-container", "2"},
        {"Acquire", true, "set-iommu", "any"},  {"Acquire", true, "get-device", NIC},
        {"Acquire", true, "get-device", SOUND}, {"Unbind", false, "open-group", "2"},
        {"Unbind", false, "unbind", NIC},       {"Unbind", false, "override", NIC},
        {"Unbind", false, "bind", NIC},         {"Unbind", false, "unbind", SOUND},
        {"Unbind", false, "override", SOUND},   {"Unbind", false, "bind", SOUND},
};

static char *drivers(void) {
        _cleanup_free_ char *nic = fake_machine_driver(NIC), *sound = fake_machine_driver(SOUND);
        _cleanup_free_ char *nic_override = fake_machine_override(NIC);
        _cleanup_free_ char *sound_override = fake_machine_override(SOUND);

        return string_format("%s '%s' %s '%s'", nic, nic_override, sound, sound_override);
}

static void expect_drivers(const char *expected) {
        _cleanup_free_ char *now = drivers();

        ck_assert_str_eq(now, expected);
}

static void do_member(const char *member) {
        _cleanup_message_ Message *reply =
                manager(client_new(), member, "asa{sv}", 1, "group/2", 0);

        expect_done(reply);
}

static void begin_break(const Break *it, Message **reply) {
        Client *client = client_new();

        if (strcmp(it->member, "Unbind") == 0)
                do_member("Bind");
        fake_journal_forget();
        fake_machine_fault(it->what, it->subject, 0);
        if (it->bind)
                begin(client, reply, it->member, "asa{sv}", 1, "group/2", 1, "bind", "b", 1);
        else
                begin(client, reply, it->member, "asa{sv}", 1, "group/2", 0);
        wait_until(fake_machine_is_waiting_for(NULL));
}

static bool was_said(const char *part) {
        for (size_t i = 0; i < fake_journal_count(); i++)
                if (strstr(fake_journal_record(i), part))
                        return true;
        return false;
}

static void expect_no_plan_written_down(void) {
        _cleanup_free_ char *text = NULL;

        settle();
        ck_assert_int_eq(state_file_read(restart_directory(), "state.json", geteuid(), &text), 0);
        expect_part(text, "\"plans\":[]");
}

/* As vfiod knows it: "" once the device is back. */
static void expect_original(const char *driver) {
        _cleanup_free_ char *known = device_property(client_new(), NIC, "OriginalDriver");
        _cleanup_free_ char *expected = string_format("\"%s\"", driver);

        ck_assert_str_eq(known, expected);
}

static void expect_recovered(const char *expected) {
        while (!was_said("was broken off"))
                turn();
        wait_until_over();
        ck_assert(!fake_machine_group_is_open(2));
        expect_drivers(expected);
        expect_original(string_equal(expected, FOUND) ? "" : "e1000e");
        expect_no_plan_written_down();
        /* As if nothing had been. */
        do_member("Bind");
        expect_drivers(ON_VFIO);
        do_member("Unbind");
        expect_drivers(FOUND);
}

START_TEST(what_a_killed_worker_had_begun_is_undone_or_finished) {
        const Break *it = &breaks[_i];
        _cleanup_message_ Message *reply = NULL;

        begin_break(it, &reply);
        fake_machine_fault(it->what, it->subject, FAKE_MACHINE_KILL);
        wait_until(reply);
        expect_error(reply, VFIOD_ERROR_PREFIX "Failed", "the worker process died");
        expect_recovered(FOUND);
}
END_TEST

/* What the worker has to send does not arrive, as if it were killed on the way. */
static void deafen(void) {
        int type;
        socklen_t size = sizeof(type);

        for (int fd = 3; fd < 1024; fd++)
                if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
                    type == SOCK_SEQPACKET)
                        ck_assert_int_eq(shutdown(fd, SHUT_RD), 0);
}

START_TEST(what_a_worker_has_done_that_cannot_say_so_is_undone) {
        static const Break it = {"Acquire", true, "get-device", SOUND};
        _cleanup_message_ Message *reply = NULL;

        begin_break(&it, &reply);
        deafen();
        fake_machine_clear(it.what, it.subject);
        wait_until(reply);
        expect_error(reply, VFIOD_ERROR_PREFIX "Failed", "the worker process died");
        expect_recovered(FOUND);
}
END_TEST

START_TEST(what_was_under_way_when_vfiod_and_its_worker_were_killed_is_undone_or_finished) {
        const Break *it = &breaks[_i];
        Message *reply = NULL;

        begin_break(it, &reply);
        go_down_now();
        fake_machine_fault(it->what, it->subject, FAKE_MACHINE_KILL);
        come_up();
        expect_recovered(FOUND);
}
END_TEST

START_TEST(a_worker_that_outlives_vfiod_is_waited_for_and_its_groups_are_nobody_elses) {
        const Break *it = &breaks[_i];
        Message *reply = NULL;
        _cleanup_message_ Message *refused = NULL, *other = NULL;
        Client *client;

        begin_break(it, &reply);
        go_down_now();
        come_up();
        client = client_new();
        refused = manager(client, "Bind", "asa{sv}", 1, "group/2", 0);
        expect_refusal(refused, "Busy", "group 2 is busy");
        other = manager(client, "Bind", "asa{sv}", 1, "group/3", 0);
        expect_done(other);
        ck_assert(!was_said("was broken off"));
        fake_machine_clear(it->what, it->subject);
        expect_recovered(it->last ? ON_VFIO : FOUND);
}
END_TEST

static void expect_lease_of_group_4(const char *path) {
        while (!was_said("was broken off"))
                turn();
        expect_lease(client_new(), path, "State", "\"held\"");
        expect_lease(client_new(), path, "Groups", "[4]");
        expect_store(LEASE_FILES);
}

START_TEST(an_add_that_was_broken_off_leaves_the_lease_with_what_it_had) {
        _cleanup_grant_ Grant grant = acquire(client_new(), "group/4");
        Message *reply = NULL;

        fake_machine_fault("bind", SOUND, 0);
        begin_at_object(client_new(), &reply, grant.path, VFIOD_INTERFACE_LEASE, "Add", "asa{sv}",
                        1, "group/2", 1, "bind", "b", 1);
        wait_until(fake_machine_is_waiting_for(NULL));
        go_down_now();
        fake_machine_fault("bind", SOUND, FAKE_MACHINE_KILL);
        come_up();
        expect_lease_of_group_4(grant.path);
        expect_drivers(FOUND);
}
END_TEST

START_TEST(a_remove_that_was_broken_off_is_done_and_the_lease_goes_on) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 2, "group/4", "group/9", 0));
        Message *reply = NULL;

        fake_machine_fault("unset-container", "9", 0);
        begin_at_object(client, &reply, grant.path, VFIOD_INTERFACE_LEASE, "Remove", "as", 1,
                        "group/9");
        wait_until(fake_machine_is_waiting_for(NULL));
        if (_i == 0)
                go_down_now();
        fake_machine_fault("unset-container", "9", FAKE_MACHINE_KILL);
        if (_i == 0)
                come_up();
        expect_lease_of_group_4(grant.path);
        sd_bus_message_unref(reply);
}
END_TEST

/* The next vfiod undoes what was broken off, and waits at a step of it. */
static void begin_recovery(void) {
        const Break *it = &breaks[5];
        Message *reply = NULL;

        begin_break(it, &reply);
        go_down_now();
        fake_machine_fault("override", SOUND, 0);
        fake_machine_fault(it->what, it->subject, FAKE_MACHINE_KILL);
        come_up();
        wait_until(fake_machine_is_waiting_for("override"));
}

START_TEST(a_recovery_that_is_called_off_by_a_stop_is_for_the_next_vfiod) {
        _cleanup_free_ char *text = NULL;

        begin_recovery();
        broker_stop(fixture_broker(), 1000);
        turn_for(100 * 1000);
        ck_assert(!broker_is_idle(fixture_broker()));
        fake_machine_clear("override", SOUND);
        wait_until(broker_is_idle(fixture_broker()));
        settle();
        ck_assert_int_eq(state_file_read(restart_directory(), "state.json", geteuid(), &text), 0);
        expect_part(text, "\"plans\":[{");
        ck_assert(!was_said("was broken off"));
        restart();
        expect_recovered(FOUND);
}
END_TEST

START_TEST(a_recovery_that_is_over_before_a_stop_calls_it_off_is_said) {
        begin_recovery();
        broker_stop(fixture_broker(), 60 * 1000 * 1000ULL);
        fake_machine_clear("override", SOUND);
        wait_until(broker_is_idle(fixture_broker()));
        ck_assert(was_said("was broken off, and was undone"));
        expect_no_plan_written_down();
        expect_drivers(FOUND);
}
END_TEST

START_TEST(what_cannot_be_recovered_is_said_and_given_up) {
        const Break *it = &breaks[5];
        _cleanup_message_ Message *reply = NULL, *bound = NULL;

        begin_break(it, &reply);
        fake_machine_fault("override", SOUND, EIO);
        fake_machine_fault(it->what, it->subject, FAKE_MACHINE_KILL);
        wait_until(reply);
        while (!was_said("could not be recovered"))
                turn();
        ck_assert(was_said("Input/output error"));
        expect_no_plan_written_down();
        fake_machine_clear("override", SOUND);
        bound = manager(client_new(), "Bind", "asa{sv}", 1, "group/2", 0);
        expect_done(bound);
        expect_drivers(ON_VFIO);
}
END_TEST

int main(void) {
        TCase *tests = tcase_create("recover");

        tcase_add_checked_fixture(tests, restart_setup, restart_teardown);
        tcase_set_timeout(tests, 180);
        tcase_add_loop_test(tests, what_a_killed_worker_had_begun_is_undone_or_finished, 0,
                            ELEMENTS(breaks));
        tcase_add_test(tests, what_a_worker_has_done_that_cannot_say_so_is_undone);
        tcase_add_loop_test(
                tests,
                what_was_under_way_when_vfiod_and_its_worker_were_killed_is_undone_or_finished, 0,
                ELEMENTS(breaks));
        tcase_add_loop_test(
                tests, a_worker_that_outlives_vfiod_is_waited_for_and_its_groups_are_nobody_elses,
                0, ELEMENTS(breaks));
        tcase_add_test(tests, an_add_that_was_broken_off_leaves_the_lease_with_what_it_had);
        tcase_add_loop_test(tests, a_remove_that_was_broken_off_is_done_and_the_lease_goes_on, 0,
                            2);
        tcase_add_test(tests, a_recovery_that_is_called_off_by_a_stop_is_for_the_next_vfiod);
        tcase_add_test(tests, a_recovery_that_is_over_before_a_stop_calls_it_off_is_said);
        tcase_add_test(tests, what_cannot_be_recovered_is_said_and_given_up);
        return bus_tests_run(tests);
}
