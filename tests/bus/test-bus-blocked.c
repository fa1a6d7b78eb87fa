/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What others see, and can do, while the kernel does not come back from an operation. */

#include <errno.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

/* Long enough for a worker to start on a busy machine, short enough to wait for. */
#define DEADLINE_MS 1500

#define DEVICE "0000:01:00.1"

static char *state_of(Client *client, const char *device) {
        return device_property(client, device, "State");
}

static void expect_state(Client *client, const char *device, const char *state) {
        _cleanup_free_ char *now = state_of(client, device);

        ck_assert_msg(strcmp(now, state) == 0, "%s is %s, not %s", device, now, state);
}

/* Two clients' messages are heard in no order. */
static void await_state(Client *client, const char *device, const char *state) {
        for (;;) {
                _cleanup_free_ char *now = state_of(client, device);

                if (strcmp(now, state) == 0)
                        return;
                turn();
        }
}

/* Bind of group 2, stopped in the last step. */
static void begin_blocked_bind(Client *client, Message **reply) {
        fake_machine_fault("bind", DEVICE, 0);
        begin(client, reply, "Bind", "asa{sv}", 1, "group/2", 0);
        for (;;) {
                _cleanup_free_ char *calls = fake_machine_calls();

                if (strstr(calls, "bind 0000:01:00.0 to vfio-pci"))
                        return;
                turn();
        }
}

static void unblock(void) {
        fake_machine_clear("bind", DEVICE);
}

START_TEST(while_a_bind_hangs_the_lists_answer) {
        static const char *const members[] = {"ListGroups", "ListDevices", "ListLeases",
                                              "Overview"};
        Client *client = client_new(), *other = client_new();
        _cleanup_message_ Message *bound = NULL, *explained = NULL;

        begin_blocked_bind(client, &bound);
        for (size_t i = 0; i < ELEMENTS(members); i++) {
                _cleanup_message_ Message *same = manager(client, members[i], NULL);
                _cleanup_message_ Message *another = manager(other, members[i], NULL);

                expect_done(same);
                expect_done(another);
        }
        explained = manager(other, "Explain", "as", 1, "group/2");
        expect_done(explained);
        ck_assert_ptr_null(bound);
        unblock();
        wait_until(bound);
        expect_done(bound);
}
END_TEST

START_TEST(while_a_bind_hangs_its_devices_are_busy_and_refused) {
        static const char *const members[] = {"Bind", "Unbind", "Acquire"};
        Client *client = client_new(), *other = client_new();
        _cleanup_message_ Message *bound = NULL;

        begin_blocked_bind(client, &bound);
        expect_state(other, "0000:01:00.0", "\"busy\"");
        expect_state(other, "0000:02:00.0", "\"idle\"");
        for (size_t i = 0; i < ELEMENTS(members); i++) {
                _cleanup_message_ Message *reply =
                        manager(other, members[i], "asa{sv}", 1, "group/2", 0);

                expect_refusal(reply, "Busy", "group 2 is busy: bind for uid 0");
        }
        unblock();
        wait_until(bound);
        expect_done(bound);
        expect_state(other, "0000:01:00.0", "\"idle\"");
}
END_TEST

/* On the real machine vfiod would wait for the lock that the bind has. */
START_TEST(while_a_bind_hangs_nothing_is_read_that_would_hang_too) {
        Client *client = client_new(), *other = client_new();
        _cleanup_message_ Message *bound = NULL, *explained = NULL;
        _cleanup_free_ char *meanwhile = NULL, *then = NULL;

        begin_blocked_bind(client, &bound);
        explained = manager(other, "Explain", "as", 1, "group/2");
        expect_done(explained);
        meanwhile = device_property(other, "0000:01:00.0", "DriverOverride");
        ck_assert_str_eq(meanwhile, "\"\"");
        unblock();
        wait_until(bound);
        expect_done(bound);
        then = device_property(other, "0000:01:00.0", "DriverOverride");
        ck_assert_str_eq(then, "\"vfio-pci\"");
}
END_TEST

START_TEST(while_a_bind_hangs_other_groups_are_bound_and_acquired) {
        Client *client = client_new();
        _cleanup_message_ Message *bound = NULL, *other = NULL;
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        begin_blocked_bind(client, &bound);
        other = manager(client, "Bind", "asa{sv}", 1, "group/3", 0);
        expect_done(other);
        grant = grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
        ck_assert_uint_eq(grant.n_files, 3);
        ck_assert_ptr_null(bound);
        unblock();
        wait_until(bound);
        expect_done(bound);
}
END_TEST

START_TEST(more_operations_at_once_than_the_limit_are_refused) {
        Client *client = client_new();
        _cleanup_message_ Message *bound = NULL, *reply = NULL;

        fixture_config()->limit_operations = 1;
        begin_blocked_bind(client, &bound);
        reply = manager(client, "Bind", "asa{sv}", 1, "group/3", 0);
        expect_refusal(reply, "LimitExceeded", "limits.operations");
        unblock();
        wait_until(bound);
        expect_done(bound);
}
END_TEST

START_TEST(past_the_deadline_the_caller_is_told_and_the_devices_are_stuck) {
        Client *client = client_new(), *other = client_new();
        _cleanup_message_ Message *bound = NULL, *refused = NULL;
        _cleanup_free_ char *reason = NULL;

        fixture_config()->step_deadline_ms = DEADLINE_MS;
        begin_blocked_bind(client, &bound);
        wait_until(bound);
        expect_refusal(bound, "TimedOut",
                       "bind " DEVICE " to vfio-pci: has not returned in 1500 ms");
        expect_state(other, DEVICE, "\"stuck\"");
        reason = device_property(other, DEVICE, "StuckReason");
        ck_assert_str_eq(reason, "\"'bind " DEVICE " to vfio-pci' has not returned\"");
        settle();
        ck_assert_uint_ge(count_signals(other, "PropertiesChanged", "_2e1", "<\"stuck\">"), 1);
        refused = manager(other, "Acquire", "asa{sv}", 1, "group/2", 1, "bind", "b", true);
        expect_refusal(refused, "Stuck", "is stuck: 'bind " DEVICE " to vfio-pci'");
        expect_part(fake_journal_record(0),
                    "\n" VFIOD_JOURNAL_ERROR "=" VFIOD_ERROR_PREFIX "TimedOut\n");
        unblock();
        wait_until(count_signals(other, "PropertiesChanged", "_2e1", "<\"idle\">") > 0);
}
END_TEST

START_TEST(when_the_kernel_lets_go_the_devices_are_usable_again) {
        Client *client = client_new();
        _cleanup_message_ Message *bound = NULL, *again = NULL;
        _cleanup_free_ char *reason = NULL;

        fixture_config()->step_deadline_ms = DEADLINE_MS;
        begin_blocked_bind(client, &bound);
        wait_until(bound);
        unblock();
        wait_until(count_signals(client, "PropertiesChanged", "_2e1", "<\"idle\">") > 0);
        reason = device_property(client, DEVICE, "StuckReason");
        ck_assert_str_eq(reason, "\"\"");
        again = manager(client, "Bind", "asa{sv}", 1, "group/2", 0);
        expect_done(again);
        /* One record of what was told, none of what came of it later. */
        ck_assert_uint_eq(fake_journal_count(), 2);
}
END_TEST

START_TEST(an_acquire_past_its_deadline_leaves_no_lease_and_no_file) {
        Client *client = client_new();
        _cleanup_message_ Message *warm_up = manager(client, "ListLeases", NULL);
        _cleanup_message_ Message *late = NULL, *leases = NULL;
        size_t before = count_open_fds();

        fixture_config()->step_deadline_ms = DEADLINE_MS;
        fake_machine_fault("get-device", "0000:03:00.0", 0);
        begin(client, &late, "Acquire", "asa{sv}", 1, "group/4", 0);
        wait_until(late);
        expect_refusal(late, "TimedOut", "open device 0000:03:00.0 of group 4");
        expect_state(client, "0000:03:00.0", "\"stuck\"");
        fake_machine_clear("get-device", "0000:03:00.0");
        wait_until(count_signals(client, "PropertiesChanged", "/device/_30000_3a03", "<\"idle\">") >
                   0);
        settle();
        leases = manager(client, "ListLeases", NULL);
        expect_text(leases, "[]");
        expect_open_fds(before);
        ck_assert(!fake_machine_device_is_open("0000:03:00.0"));
}
END_TEST

START_TEST(a_lease_being_granted_has_its_group_but_is_no_object_yet) {
        Client *client = client_new(), *other = client_new();
        _cleanup_message_ Message *reply = NULL, *refused = NULL, *object = NULL;
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        fake_machine_fault("get-device", "0000:03:00.0", 0);
        begin(client, &reply, "Acquire", "asa{sv}", 1, "group/4", 0);
        await_state(other, "0000:03:00.0", "\"busy\"");
        refused = manager(other, "Acquire", "asa{sv}", 1, "group/4", 0);
        expect_refusal(refused, "Busy", "group 4 is busy: acquire for uid 0");
        object = lease(other, "/org/vfiod1/lease/1", "Release", NULL);
        expect_error(object, SD_BUS_ERROR_UNKNOWN_OBJECT, "lease/1");
        fake_machine_clear("get-device", "0000:03:00.0");
        wait_until(reply);
        grant = grant_of(TAKE_PTR(reply));
        expect_state(other, "0000:03:00.0", "\"leased\"");
}
END_TEST

START_TEST(who_leaves_during_an_acquire_leaves_no_lease_behind) {
        Client *client = client_new(), *other = client_new();
        _cleanup_message_ Message *reply = NULL, *leases = NULL;
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        fake_machine_fault("get-device", "0000:03:00.0", 0);
        begin(client, &reply, "Acquire", "asa{sv}", 1, "group/4", 0);
        await_state(other, "0000:03:00.0", "\"busy\"");
        client_close(client);
        settle();
        fake_machine_clear("get-device", "0000:03:00.0");
        wait_until(count_signals(other, "InterfacesRemoved", VFIOD_PATH, "/lease/1") == 1);
        leases = manager(other, "ListLeases", NULL);
        expect_text(leases, "[]");
        ck_assert(!fake_machine_device_is_open("0000:03:00.0"));
        grant = grant_of(manager(other, "Acquire", "asa{sv}", 1, "group/4", 0));
        ck_assert_uint_eq(grant.n_files, 3);
}
END_TEST

START_TEST(who_leaves_during_a_bind_leaves_it_to_finish) {
        Client *client = client_new(), *other = client_new();
        Message *reply = NULL;
        _cleanup_free_ char *driver = NULL;

        begin_blocked_bind(client, &reply);
        client_close(client);
        settle();
        expect_state(other, DEVICE, "\"busy\"");
        unblock();
        wait_until(count_signals(other, "PropertiesChanged", "_2e1", "<\"idle\">") > 0);
        driver = fake_machine_driver(DEVICE);
        ck_assert_str_eq(driver, "vfio-pci");
        ck_assert_uint_eq(fake_journal_count(), 1);
}
END_TEST

START_TEST(a_device_unplugged_during_its_bind_is_gone) {
        Client *client = client_new();
        _cleanup_message_ Message *bound = NULL;
        _cleanup_free_ char *driver = NULL;

        begin_blocked_bind(client, &bound);
        fake_machine_remove(DEVICE);
        fake_machine_announce("remove", DEVICE);
        settle();
        unblock();
        wait_until(bound);
        expect_refusal(bound, "DeviceGone", DEVICE " was unplugged");
        driver = fake_machine_driver("0000:01:00.0");
        ck_assert_str_eq(driver, "e1000e");
}
END_TEST

START_TEST(a_lease_that_ends_during_its_add_keeps_no_file) {
        Client *client = client_new();
        _cleanup_message_ Message *warm_up = manager(client, "ListLeases", NULL);
        size_t before = count_open_fds();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_message_ Message *added = NULL;

        fake_machine_fault("get-device", "0000:07:00.0", 0);
        begin(client, &added, "Acquire", "asa{sv}", 1, "group/9", 1, "join", "o", grant.path);
        expect_state(client, "0000:07:00.0", "\"busy\"");
        grant_done(&grant);
        settle();
        fake_machine_clear("get-device", "0000:07:00.0");
        wait_until(added);
        expect_refusal(added, "LeaseEnded", "lease 1");
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "/lease/1") == 1);
        settle();
        expect_open_fds(before);
        expect_state(client, "0000:07:00.0", "\"idle\"");
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-blocked");

        tcase_add_test(tests, while_a_bind_hangs_the_lists_answer);
        tcase_add_test(tests, while_a_bind_hangs_its_devices_are_busy_and_refused);
        tcase_add_test(tests, while_a_bind_hangs_nothing_is_read_that_would_hang_too);
        tcase_add_test(tests, while_a_bind_hangs_other_groups_are_bound_and_acquired);
        tcase_add_test(tests, more_operations_at_once_than_the_limit_are_refused);
        tcase_add_test(tests, past_the_deadline_the_caller_is_told_and_the_devices_are_stuck);
        tcase_add_test(tests, when_the_kernel_lets_go_the_devices_are_usable_again);
        tcase_add_test(tests, an_acquire_past_its_deadline_leaves_no_lease_and_no_file);
        tcase_add_test(tests, a_lease_being_granted_has_its_group_but_is_no_object_yet);
        tcase_add_test(tests, who_leaves_during_an_acquire_leaves_no_lease_behind);
        tcase_add_test(tests, who_leaves_during_a_bind_leaves_it_to_finish);
        tcase_add_test(tests, a_device_unplugged_during_its_bind_is_gone);
        tcase_add_test(tests, a_lease_that_ends_during_its_add_keeps_no_file);
        return bus_tests_run(tests);
}
