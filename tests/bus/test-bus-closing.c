/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Requests for a group whose lease ends at that moment: the holder's lease_fd is closed already,
 * and his device file not yet, as in a process that the kernel takes down.
 */

#include <signal.h>

#include "daemon/broker/broker-private.h"
#include "daemon/util/fd.h"
#include "tests/bus/fake-machine.h"
#include "tests/bus/fixture-bus.h"
#include "tests/bus/fixture-holder.h"

#define DEVICE "0000:03:00.0"
/* Long enough for a worker to start on a busy machine. */
#define DEADLINE_MS 1500

static Grant acquire(Client *client) {
        return grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
}

static void begin_to_end(Client *client, Grant *grant) {
        grant->lease_fd = fd_close(grant->lease_fd);
        wait_until(count_signals(client, "PropertiesChanged", grant->path, "draining") > 0);
}

/* The same, with another process that keeps the rest. */
static pid_t begin_to_end_held(Client *client, Grant *grant) {
        pid_t holder;

        grant->lease_fd = fd_close(grant->lease_fd);
        holder = hand_over(grant, 0);
        wait_until(count_signals(client, "PropertiesChanged", grant->path, "draining") > 0);
        return holder;
}

/* The reply comes only after the holder's last file is closed. */
static void expect_after(Grant *grant, Message **reply) {
        turn_for(100 * 1000);
        ck_assert_ptr_null(*reply);
        grant_done(grant);
        wait_until(*reply);
        expect_done(*reply);
}

START_TEST(an_unbind_waits_until_it_has_ended) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;

        begin_to_end(client, &grant);
        begin(client_new(), &reply, "Unbind", "asa{sv}", 1, "group/4", 0);
        expect_after(&grant, &reply);
        expect_driver(DEVICE, "");
}
END_TEST

START_TEST(an_acquire_waits_until_it_has_ended) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;

        begin_to_end(client, &grant);
        begin(client_new(), &reply, "Acquire", "asa{sv}", 1, "group/4", 1, "defer_fds", "b", true);
        expect_after(&grant, &reply);
}
END_TEST

START_TEST(who_lets_go_and_asks_in_one_breath_is_heard_in_that_order) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;

        grant_done(&grant);
        begin(client, &reply, "Unbind", "asa{sv}", 1, "group/4", 0);
        wait_until(reply);
        expect_done(reply);
        expect_driver(DEVICE, "");
}
END_TEST

START_TEST(as_long_as_nobody_is_seen_to_hold_it_it_is_ending) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;

        begin_to_end(client, &grant);
        begin(client, &reply, "Unbind", "asa{sv}", 1, "group/4", 0);
        turn_for(1000 * 1000);
        expect_after(&grant, &reply);
        expect_driver(DEVICE, "");
}
END_TEST

START_TEST(nobody_is_taken_to_keep_it_before_it_was_looked_for_him) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;

        fake_machine_fault("open-group", "4", 0);
        begin_to_end(client, &grant);
        begin(client, &reply, "Unbind", "asa{sv}", 1, "group/4", 0);
        turn_for(1000 * 1000);
        fake_machine_clear("open-group", "4");
        expect_after(&grant, &reply);
        expect_driver(DEVICE, "");
}
END_TEST

START_TEST(who_asks_when_the_last_who_was_seen_has_just_ended_waits) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *refused = NULL, *reply = NULL;
        pid_t holder = begin_to_end_held(client, &grant);

        refused = manager(client, "Unbind", "asa{sv}", 1, "group/4", 0);
        expect_refusal(refused, "Leased", "group 4");
        wait_until(list_is_empty(&fixture_broker()->jobs));
        fake_machine_fault("open-group", "4", 0);
        (void)kill(holder, SIGKILL);
        wait_until(!is_alive(holder));
        begin(client, &reply, "Unbind", "asa{sv}", 1, "group/4", 0);
        turn_for(1000 * 1000);
        ck_assert_ptr_null(reply);
        fake_machine_clear("open-group", "4");
        wait_until(reply);
        expect_done(reply);
}
END_TEST

START_TEST(one_that_never_ends_is_refused_when_it_is_stuck) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;

        begin_to_end(client, &grant);
        reply = manager(client, "Bind", "asa{sv}", 1, "group/4", 0);
        expect_refusal(reply, "Stuck", "a process that cannot be found still has it open");
        expect_driver(DEVICE, "vfio-pci");
}
END_TEST

START_TEST(one_that_somebody_is_seen_to_keep_is_soon_refused_as_leased) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL, *again = NULL;
        pid_t holder = begin_to_end_held(client, &grant);

        reply = manager(client, "Unbind", "asa{sv}", 1, "group/4", 0);
        expect_refusal(reply, "Leased", "group 4");
        again = manager(client, "Acquire", "asa{sv}", 1, "group/4", 0);
        expect_refusal(again, "Leased", "group 4");
        expect_driver(DEVICE, "vfio-pci");
        (void)kill(holder, SIGKILL);
}
END_TEST

START_TEST(behind_an_unbind_that_waits_for_it_nobody_waits) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *unbound = NULL, *reply = NULL;

        begin_to_end(client, &grant);
        begin(client_new(), &unbound, "Unbind", "asa{sv}", 1, "group/4", 1, "policy", "s", "wait");
        turn_for(100 * 1000);
        begin(client_new(), &reply, "Acquire", "asa{sv}", 1, "group/4", 0);
        wait_until(reply);
        expect_refusal(reply, "Busy", "is about to be unbound");
        expect_after(&grant, &unbound);
        expect_driver(DEVICE, "");
}
END_TEST

START_TEST(of_two_groups_the_one_that_ends_is_not_what_the_other_is_refused_for) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client), kept = {.lease_fd = -1};
        _cleanup_message_ Message *unbound = NULL, *reply = NULL;

        kept = grant_of(manager(client_new(), "Acquire", "asa{sv}", 1, "group/9", 0));
        begin(client_new(), &unbound, "Unbind", "asa{sv}", 1, "group/9", 1, "policy", "s", "wait");
        turn_for(100 * 1000);
        begin_to_end(client, &grant);
        begin(client_new(), &reply, "Acquire", "asa{sv}", 2, "group/4", "group/9", 0);
        turn_for(100 * 1000);
        ck_assert_ptr_null(reply);
        grant_done(&grant);
        wait_until(reply);
        expect_refusal(reply, "Busy", "group 9");
}
END_TEST

/* Until then its worker is at work on the machine. */
static void await_unstuck(Client *client) {
        for (;;) {
                _cleanup_free_ char *reason = device_property(client, DEVICE, "StuckReason");

                if (strcmp(reason, "\"\"") == 0)
                        return;
                turn();
        }
}

START_TEST(behind_a_step_that_is_stuck_nobody_waits) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reset = NULL, *reply = NULL;
        _cleanup_free_ char *path = device_object(DEVICE);

        fixture_config()->step_deadline_ms = DEADLINE_MS;
        fake_machine_fault("reset", DEVICE, 0);
        reset = ask(client, path, VFIOD_INTERFACE_DEVICE, "Reset", "s", "");
        expect_refusal(reset, "TimedOut", DEVICE);
        begin_to_end(client, &grant);
        begin(client_new(), &reply, "Bind", "asa{sv}", 1, "group/4", 0);
        wait_until(reply);
        expect_refusal(reply, "Stuck", DEVICE " is stuck: '");
        fake_machine_clear("reset", DEVICE);
        await_unstuck(client);
}
END_TEST

START_TEST(for_who_leaves_meanwhile_nothing_is_done) {
        Client *client = client_new(), *other = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;

        begin_to_end(client, &grant);
        begin(other, &reply, "Unbind", "asa{sv}", 1, "group/4", 0);
        turn_for(20 * 1000);
        client_close(other);
        turn_for(20 * 1000);
        grant_done(&grant);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, NULL) > 0);
        settle();
        expect_driver(DEVICE, "vfio-pci");
}
END_TEST

START_TEST(a_vfiod_that_stops_leaves_it_to_the_next) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;

        begin_to_end(client, &grant);
        begin(client_new(), &reply, "Unbind", "asa{sv}", 1, "group/4", 0);
        turn_for(20 * 1000);
        broker_stop(fixture_broker(), 3600 * 1000 * 1000ULL);
        grant_done(&grant);
        turn_for(200 * 1000);
        ck_assert_ptr_null(reply);
        expect_driver(DEVICE, "vfio-pci");
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-closing");

        tcase_add_test(tests, an_unbind_waits_until_it_has_ended);
        tcase_add_test(tests, an_acquire_waits_until_it_has_ended);
        tcase_add_test(tests, who_lets_go_and_asks_in_one_breath_is_heard_in_that_order);
        tcase_add_test(tests, as_long_as_nobody_is_seen_to_hold_it_it_is_ending);
        tcase_add_test(tests, nobody_is_taken_to_keep_it_before_it_was_looked_for_him);
        tcase_add_test(tests, who_asks_when_the_last_who_was_seen_has_just_ended_waits);
        tcase_add_test(tests, one_that_never_ends_is_refused_when_it_is_stuck);
        tcase_add_test(tests, one_that_somebody_is_seen_to_keep_is_soon_refused_as_leased);
        tcase_add_test(tests, behind_an_unbind_that_waits_for_it_nobody_waits);
        tcase_add_test(tests, of_two_groups_the_one_that_ends_is_not_what_the_other_is_refused_for);
        tcase_add_test(tests, behind_a_step_that_is_stuck_nobody_waits);
        tcase_add_test(tests, for_who_leaves_meanwhile_nothing_is_done);
        tcase_add_test(tests, a_vfiod_that_stops_leaves_it_to_the_next);
        return bus_tests_run(tests);
}
