/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * vfiod that was told to end: what becomes of what is under way, and of what still comes. That its
 * clients are disconnected then is the fixture's end; what the next vfiod finds is
 * test-bus-restart.c.
 */

#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

#define DEVICE "0000:01:00.0"
#define FOR_EVER (3600 * 1000 * 1000ULL)

/* Bind of group 2, in its last step. */
static void begin_blocked_bind(Client *client, Message **reply) {
        fake_machine_fault("bind", DEVICE, 0);
        begin(client, reply, "Bind", "asa{sv}", 1, "group/2", 0);
        wait_until(fake_machine_is_waiting_for(NULL));
}

static bool is_idle(void) {
        return broker_is_idle(fixture_broker());
}

START_TEST(what_is_under_way_is_done_and_answered) {
        _cleanup_message_ Message *bound = NULL;

        begin_blocked_bind(client_new(), &bound);
        broker_stop(fixture_broker(), FOR_EVER);
        settle();
        ck_assert(!is_idle());
        ck_assert_ptr_null(bound);
        fake_machine_clear("bind", DEVICE);
        wait_until(bound);
        expect_done(bound);
        expect_driver(DEVICE, "vfio-pci");
        ck_assert(is_idle());
}
END_TEST

START_TEST(what_takes_longer_than_the_grace_is_undone) {
        _cleanup_message_ Message *bound = NULL;

        begin_blocked_bind(client_new(), &bound);
        broker_stop(fixture_broker(), 1000);
        settle();
        fake_machine_clear("bind", DEVICE);
        wait_until(bound);
        expect_error(bound, VFIOD_ERROR_FAILED, "called off");
        expect_driver(DEVICE, "e1000e");
        ck_assert(is_idle());
}
END_TEST

START_TEST(what_comes_now_is_left_to_the_next_vfiod) {
        Client *client = client_new();
        _cleanup_message_ Message *bound = NULL, *listed = NULL;

        broker_stop(fixture_broker(), FOR_EVER);
        begin(client, &bound, "Bind", "asa{sv}", 1, "group/2", 0);
        begin(client, &listed, "ListDevices", NULL);
        settle();
        ck_assert_ptr_null(listed);
        ck_assert_ptr_null(bound);
        expect_driver(DEVICE, "e1000e");
        ck_assert(is_idle());
}
END_TEST

START_TEST(an_unbind_that_waits_is_left_to_the_next_vfiod) {
        Client *client = client_new(), *other = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_message_ Message *unbound = NULL;

        begin(other, &unbound, "Unbind", "asa{sv}", 1, "group/4", 1, "policy", "s", "wait");
        wait_until(count_signals(client, "ReleaseRequested", grant.path, NULL) > 0);
        settle();
        broker_stop(fixture_broker(), FOR_EVER);
        settle();
        ck_assert_ptr_null(unbound);
        expect_part(fake_journal_record(fake_journal_count() - 1), "vfiod is stopping");
        expect_lease(client, grant.path, "State", "\"held\"");
        wait_until(is_idle()); /* whoever was looking for holders has come to his end */
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-stop");

        tcase_add_test(tests, what_is_under_way_is_done_and_answered);
        tcase_add_test(tests, what_takes_longer_than_the_grace_is_undone);
        tcase_add_test(tests, what_comes_now_is_left_to_the_next_vfiod);
        tcase_add_test(tests, an_unbind_that_waits_is_left_to_the_next_vfiod);
        return bus_tests_run(tests);
}
