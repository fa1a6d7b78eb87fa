/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Getting a group back: Unbind with its three policies, ListHolders and RefCount. A holder is a
 * process that has files of the fake machine, and is no child of the test, which is vfiod here.
 * What the test itself has open is what cannot be found.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"
#include "tests/bus/fixture-holder.h"

#define DEVICE "0000:03:00.0"
#define GROUP "group/4"

static Grant acquire(Client *client) {
        return grant_of(manager(client, "Acquire", "asa{sv}", 1, GROUP, 0));
}

static void begin_unbind(Client *client, Message **reply, const char *policy, uint64_t timeout_ms) {
        begin(client, reply, "Unbind", "asa{sv}", 1, GROUP, 2, "policy", "s", policy, "timeout",
              "t", timeout_ms);
}

/* For ever. */
static void begin_wait(Client *client, Message **reply) {
        begin(client, reply, "Unbind", "asa{sv}", 1, GROUP, 1, "policy", "s", "wait");
}

static char *lease_state(Client *client, const Grant *grant) {
        return property(client, grant->path, VFIOD_INTERFACE_LEASE, "State");
}

static bool lease_is(Client *client, const Grant *grant, const char *state) {
        _cleanup_free_ char *now = lease_state(client, grant);

        return strcmp(now, state) == 0;
}

static bool device_is(Client *client, const char *state) {
        _cleanup_free_ char *now = device_property(client, DEVICE, "State");

        return strcmp(now, state) == 0;
}

static void wait_for_asking(Client *client, const Grant *grant) {
        wait_until(count_signals(client, "ReleaseRequested", grant->path, NULL) > 0);
}

START_TEST(an_option_that_makes_no_sense_is_refused) {
        Client *client = client_new();
        _cleanup_message_ Message *nicely =
                manager(client, "Unbind", "asa{sv}", 1, GROUP, 1, "policy", "s", "nicely");
        _cleanup_message_ Message *timed_fail =
                manager(client, "Unbind", "asa{sv}", 1, GROUP, 1, "timeout", "t", (uint64_t)1);
        _cleanup_message_ Message *ages =
                manager(client, "Unbind", "asa{sv}", 1, GROUP, 2, "policy", "s", "wait", "timeout",
                        "t", (uint64_t)UINT64_MAX);
        _cleanup_message_ Message *text = manager(client, "Unbind", "asa{sv}", 1, GROUP, 2,
                                                  "policy", "s", "wait", "timeout", "s", "1");

        expect_refusal(nicely, "InvalidOptionValue", "'nicely' is not 'fail', 'wait' or 'revoke'");
        expect_refusal(timed_fail, "InvalidOptionValue", "only with policy 'wait' or 'revoke'");
        expect_refusal(ages, "InvalidOptionValue", "at most 31536000000 ms");
        expect_refusal(text, "InvalidOptionValue", "must be of type 't', not 's'");
}
END_TEST

START_TEST(each_policy_unbinds_a_group_that_nobody_holds_at_once) {
        static const char *const policies[] = {"fail", "wait", "revoke"};
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(policies); i++) {
                _cleanup_message_ Message *bound =
                        manager(client, "Bind", "asa{sv}", 1, "group/2", 0);
                _cleanup_message_ Message *done = manager(client, "Unbind", "asa{sv}", 1, "group/2",
                                                          1, "policy", "s", policies[i]);

                expect_done(bound);
                expect_done(done);
                expect_driver("0000:01:00.0", "e1000e");
        }
}
END_TEST

START_TEST(fail_names_the_lease_and_its_holders) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        pid_t holder = hand_over(&grant, 0);
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *words = string_format("held by pid %d (client, uid 0): ", holder);

        begin(client, &reply, "Unbind", "asa{sv}", 1, GROUP, 0);
        wait_until(reply);
        expect_refusal(reply, "Leased", "group 4 is leased to uid 0 (lease 1)");
        expect_refusal(reply, "Leased", words);
        expect_refusal(reply, "Leased", "device " DEVICE);
        ck_assert_uint_eq(count_signals(client, "ReleaseRequested", NULL, NULL), 0);
        (void)kill(holder, SIGKILL);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path) == 1);
}
END_TEST

START_TEST(wait_asks_the_owner_and_goes_on_when_the_lease_ends) {
        Client *client = client_new(), *other = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;
        char byte;

        begin_wait(other, &reply);
        wait_for_asking(client, &grant);
        ck_assert_uint_eq(count_signals(other, "ReleaseRequested", NULL, NULL), 0);
        ck_assert(lease_is(client, &grant, "\"releasing\""));
        ck_assert_int_eq(read(grant.lease_fd, &byte, 1), 1);
        ck_assert_int_eq(byte, 'r');
        settle();
        ck_assert_ptr_null(reply);
        grant_done(&grant);
        wait_until(reply);
        expect_done(reply);
        expect_driver(DEVICE, "");
}
END_TEST

START_TEST(the_device_request_interrupt_is_fired_when_asking) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;

        begin_wait(client, &reply);
        for (;;) {
                _cleanup_free_ char *calls = fake_machine_calls();

                if (strstr(calls, "request " DEVICE))
                        break;
                turn();
        }
        grant_done(&grant);
        wait_until(reply);
        expect_done(reply);
}
END_TEST

START_TEST(wait_that_expires_names_the_holders_and_leaves_the_lease_held) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        pid_t holder = hand_over(&grant, 0);
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *words = string_format("held by pid %d", holder);

        begin_unbind(client, &reply, "wait", 2000);
        wait_for_asking(client, &grant);
        ck_assert_uint_eq(
                count_signals(client, "PropertiesChanged", grant.path, "\"Deadline\" <0>"), 0);
        wait_until(reply);
        expect_refusal(reply, "StillHeld", "not given back in time: group 4 is leased to uid 0");
        expect_refusal(reply, "StillHeld", words);
        ck_assert(lease_is(client, &grant, "\"held\""));
        expect_driver(DEVICE, "vfio-pci");
        ck_assert(is_alive(holder));
        (void)kill(holder, SIGKILL);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path) == 1);
}
END_TEST

START_TEST(a_caller_that_leaves_calls_its_wait_off) {
        Client *client = client_new(), *waiting = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL, *again = NULL;

        begin_wait(waiting, &reply);
        wait_for_asking(client, &grant);
        client_close(waiting);
        wait_until(lease_is(client, &grant, "\"held\""));
        expect_part(fake_journal_record(fake_journal_count() - 1),
                    "\n" VFIOD_JOURNAL_ERROR "=" VFIOD_ERROR_PREFIX "CalledOff"
                    "\n");
        grant_done(&grant);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path) == 1);
        again = manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "defer_fds", "b", true);
        expect_done(again);
}
END_TEST

START_TEST(while_somebody_waits_nobody_new_is_given_the_group) {
        Client *client = client_new(), *other = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL, *acquired = NULL, *bound = NULL, *joined = NULL;

        begin_wait(other, &reply);
        wait_for_asking(client, &grant);
        acquired = manager(client, "Acquire", "asa{sv}", 1, GROUP, 0);
        bound = manager(client, "Bind", "asa{sv}", 1, GROUP, 0);
        joined = manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "join", "o", grant.path);
        expect_refusal(acquired, "Busy", "group 4 is about to be unbound: uid 0 waits");
        expect_refusal(bound, "Busy", "group 4 is about to be unbound");
        expect_refusal(joined, "Busy", "group 4 is about to be unbound");
        grant_done(&grant);
        wait_until(reply);
        expect_done(reply);
}
END_TEST

START_TEST(several_callers_wait_for_one_group_and_all_are_answered) {
        Client *client = client_new(), *one = client_new(), *two = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *first = NULL, *second = NULL, *third = NULL;

        begin_wait(one, &first);
        begin_unbind(two, &second, "wait", 60000);
        begin_unbind(one, &third, "revoke", 60000);
        wait_until(count_signals(client, "ReleaseRequested", grant.path, NULL) == 3);
        grant_done(&grant);
        wait_until(first && second && third);
        expect_done(first);
        expect_done(second);
        expect_done(third);
}
END_TEST

START_TEST(one_of_two_who_stop_waiting_leaves_the_lease_asked_for) {
        Client *client = client_new(), *one = client_new(), *two = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *first = NULL, *second = NULL;

        begin_wait(one, &first);
        begin_wait(two, &second);
        wait_until(count_signals(client, "ReleaseRequested", grant.path, NULL) == 2);
        client_close(one);
        settle();
        ck_assert(lease_is(client, &grant, "\"releasing\""));
        client_close(two);
        wait_until(lease_is(client, &grant, "\"held\""));
}
END_TEST

/* The device is busy in each. */
static size_t count_tries(Client *client) {
        return count_signals(client, "PropertiesChanged", NULL, "<\"busy\">");
}

/* The second one is refused as busy first, and is in the first one's way later. */
START_TEST(a_device_that_goes_during_the_first_try_is_not_waited_for) {
        static const char *const policies[] = {"fail", "wait", "revoke"};
        Client *client = client_new();
        _cleanup_message_ Message *bound = manager(client, "Bind", "asa{sv}", 1, "group/2", 0);
        _cleanup_message_ Message *reply = NULL;

        expect_done(bound);
        fake_machine_fault("open-group", "2", 0);
        begin(client, &reply, "Unbind", "asa{sv}", 1, "0000:01:00.0", 1, "policy", "s",
              policies[_i]);
        wait_until(fake_machine_is_waiting_for("open-group"));
        fake_machine_remove("0000:01:00.0");
        fake_machine_fault("open-group", "2", EBUSY);
        wait_until(reply);
        expect_refusal(reply, "NotFound", "there is no device 0000:01:00.0");
}
END_TEST

START_TEST(waiting_for_somebody_without_a_lease_is_no_work) {
        _cleanup_free_ char *path = fake_machine_path("dev/vfio/4");
        _cleanup_close_ int holder = -EBADF;
        Client *client = client_new(), *other = client_new();
        _cleanup_message_ Message *bound = manager(client, "Bind", "asa{sv}", 1, GROUP, 0);
        _cleanup_message_ Message *first = NULL, *second = NULL;

        holder = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_eq(flock(holder, LOCK_EX), 0);
        begin_wait(client, &first);
        begin_wait(other, &second);
        wait_until(count_tries(client) > 1);
        turn_for(300 * 1000);
        /* Looking shows nobody, so each look is followed by a try: as seldom as they are. */
        ck_assert_uint_lt(count_tries(client), 12);
        holder = fd_close(holder);
        wait_until(first && second);
        expect_done(first);
        expect_done(second);
}
END_TEST

START_TEST(more_unbinds_than_may_wait_are_refused) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *first = NULL, *second = NULL;

        fixture_config()->limit_waits = 1;
        begin_wait(client, &first);
        wait_for_asking(client, &grant);
        begin_wait(client, &second);
        wait_until(second);
        expect_refusal(second, "LimitExceeded", "limits.waits");
        grant_done(&grant);
        wait_until(first);
        expect_done(first);
}
END_TEST

/* It knows nothing of leases: lease_fd, container and group stay open in it. */
START_TEST(a_holder_that_closes_only_the_device_has_given_it_back) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client), rest = {.lease_fd = -EBADF};
        _cleanup_message_ Message *reply = NULL;
        pid_t device_holder, other;

        rest = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        rest.lease_fd = fd_duplicate(grant.lease_fd);
        device_holder = hand_over(&grant, 0);
        grant_close(&rest, "device");
        other = hand_over(&rest, 0);
        begin_wait(client, &reply);
        wait_for_asking(client, &grant);
        settle();
        ck_assert_ptr_null(reply);
        (void)kill(device_holder, SIGKILL);
        wait_until(reply);
        expect_done(reply);
        expect_driver(DEVICE, "");
        ck_assert(is_alive(other));
        (void)kill(other, SIGKILL);
}
END_TEST

START_TEST(revoke_sends_sigbus_and_unbinds) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *calls = NULL;
        pid_t holder = hand_over(&grant, 0);

        begin_unbind(client, &reply, "revoke", 50);
        wait_until(reply);
        expect_done(reply);
        calls = fake_machine_calls_but_requests();
        expect_part(calls, "quiesce " DEVICE "\nsend SIGBUS\n");
        ck_assert_ptr_null(strstr(calls, "SIGKILL"));
        expect_driver(DEVICE, "");
        wait_until(!is_alive(holder));
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path) == 1);
        expect_part(fake_journal_record(fake_journal_count() - 1),
                    "\n" VFIOD_JOURNAL_HOLDERS "=pid ");
}
END_TEST

/* They are with the worker. */
START_TEST(a_lease_that_is_being_taken_back_gives_no_files) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL, *files = NULL;

        fake_machine_fault("quiesce", DEVICE, 0);
        begin_unbind(client, &reply, "revoke", 0);
        wait_until(fake_machine_is_waiting_for("quiesce"));
        files = lease(client, grant.path, "GetFds", "uu", 0, 0);
        expect_refusal(files, "Busy", "lease 1 is being taken back");
        fake_machine_clear("quiesce", DEVICE);
        wait_until(reply);
}
END_TEST

START_TEST(revoke_sends_sigkill_to_whoever_ignores_sigbus) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *calls = NULL;
        pid_t holder = hand_over(&grant, SIGBUS);

        fixture_config()->sigbus_grace_ms = 100;
        begin_unbind(client, &reply, "revoke", 0);
        wait_until(reply);
        expect_done(reply);
        calls = fake_machine_calls_but_requests();
        expect_part(calls, "send SIGBUS\nsend SIGKILL\n");
        wait_until(!is_alive(holder));
}
END_TEST

START_TEST(without_sigkill_a_holder_that_survives_keeps_the_device_as_it_was) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client), again = {.lease_fd = -EBADF};
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *calls = NULL, *words = NULL;
        pid_t holder = hand_over(&grant, SIGBUS);

        words = string_format("held by pid %d", holder);
        fixture_config()->sigbus_grace_ms = 100;
        fixture_config()->sigkill = false;
        begin_unbind(client, &reply, "revoke", 0);
        wait_until(reply);
        expect_refusal(reply, "StillHeld", words);
        calls = fake_machine_calls_but_requests();
        expect_part(calls, "quiesce " DEVICE "\nsend SIGBUS\nrestore " DEVICE);
        ck_assert(lease_is(client, &grant, "\"held\""));
        again = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        ck_assert_uint_eq(again.n_files, 3);
        grant_done(&again);
        (void)kill(holder, SIGKILL);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path) == 1);
}
END_TEST

START_TEST(a_holder_that_cannot_be_found_makes_the_device_stuck_until_it_lets_go) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL, *others = NULL, *again = NULL;
        _cleanup_free_ char *reason = NULL;

        begin_unbind(client, &reply, "revoke", 50);
        wait_until(reply);
        expect_refusal(reply, "Stuck", "group 4 is held by a process that cannot be found");
        wait_until(count_signals(client, "PropertiesChanged", NULL, "<\"stuck\">") > 0);
        reason = device_property(client, DEVICE, "StuckReason");
        expect_part(reason, "a process that cannot be found still has it open");
        others = manager(client, "Bind", "asa{sv}", 1, "group/2", 0);
        expect_done(others);
        grant_done(&grant);
        wait_until(device_is(client, "\"idle\""));
        again = manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "defer_fds", "b", true);
        expect_done(again);
}
END_TEST

static bool stuck_because(Client *client, const char *reason) {
        _cleanup_free_ char *now = device_property(client, DEVICE, "StuckReason");

        return strstr(now, reason);
}

START_TEST(a_step_that_is_late_on_a_stuck_device_leaves_it_as_stuck_as_it_was) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL, *refused = NULL;

        begin_unbind(client, &reply, "revoke", 50);
        wait_until(reply);
        expect_refusal(reply, "Stuck", "a process that cannot be found");
        fixture_config()->step_deadline_ms = 100;
        fake_machine_fault("look", "any", 0);
        wait_until(stuck_because(client, "has not returned"));
        fake_machine_clear("look", "any");
        wait_until(!stuck_because(client, "has not returned"));
        ck_assert(stuck_because(client, "a process that cannot be found"));
        ck_assert(device_is(client, "\"stuck\""));
        refused = manager(client, "Bind", "asa{sv}", 1, GROUP, 0);
        expect_refusal(refused, "Stuck", "a process that cannot be found");
}
END_TEST

START_TEST(revoking_a_stuck_group_again_succeeds_once_its_holder_lets_go) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *stuck = NULL, *reply = NULL, *again = NULL;

        begin_unbind(client, &stuck, "revoke", 50);
        wait_until(stuck);
        expect_refusal(stuck, "Stuck", "a process that cannot be found");
        begin_unbind(client, &reply, "revoke", 50);
        turn_for(700 * 1000); /* the lease's own looking is seldom by now */
        ck_assert_ptr_null(reply);
        grant_done(&grant);
        wait_until(reply);
        expect_done(reply);
        ck_assert_int_eq(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path), 1);
        again = manager(client, "Bind", "asa{sv}", 1, GROUP, 0);
        expect_done(again);
        ck_assert(device_is(client, "\"idle\""));
}
END_TEST

START_TEST(a_dry_run_of_revoke_says_what_would_be_done) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *plan =
                manager(client, "Plan", "sasa{sv}", "unbind", 1, GROUP, 1, "policy", "s", "revoke");

        expect_text(plan, "send SIGBUS to the holders of group 4 and give them 2000 ms");
        expect_text(plan, "take group 4 out of the container");
        ck_assert(lease_is(client, &grant, "\"held\""));
}
END_TEST

START_TEST(a_look_for_holders_that_fails_says_so) {
        static const struct {
                int error;
                const char *sentence;
        } rows[] = {{FAKE_MACHINE_KILL, "the worker process died"}, {EIO, "Input/output error"}};
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        fake_machine_fault("look", "any", rows[_i].error);
        reply = manager(client, "ListHolders", "as", 1, GROUP);
        expect_error(reply, VFIOD_ERROR_FAILED, rows[_i].sentence);
}
END_TEST

START_TEST(holders_are_listed_with_what_they_have) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *none = manager(client, "ListHolders", "as", 1, "group/2");
        _cleanup_message_ Message *by_device = NULL, *of_group = NULL, *wrong = NULL;
        _cleanup_free_ char *pid = NULL, *count = NULL, *nobody = NULL;
        pid_t holder = hand_over(&grant, 0);

        pid = string_format("\"Pid\" <%d>", holder);
        by_device = manager(client, "ListHolders", "as", 1, DEVICE);
        of_group = ask(client, VFIOD_PATH "/group/4", VFIOD_INTERFACE_GROUP, "ListHolders", NULL);
        wrong = manager(client, "ListHolders", "as", 1, "group/99");
        expect_text(none, "[]");
        expect_text(by_device, pid);
        expect_text(by_device, "(\"device\" \"" DEVICE "\" ");
        expect_text(by_device, "(\"group\" \"4\" ");
        expect_text(by_device, "\"Lease\" <\"/org/vfiod1/lease/1\">");
        expect_text(of_group, pid);
        expect_refusal(wrong, "NotFound", "group 99");
        count = group_property(client, 4, "RefCount");
        nobody = group_property(client, 2, "RefCount");
        ck_assert_str_eq(count, "1");
        ck_assert_str_eq(nobody, "0");
        (void)kill(holder, SIGKILL);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path) == 1);
}
END_TEST

START_TEST(a_question_for_the_ref_count_has_nothing_behind_it) {
        _cleanup_message_ Message *reply =
                ask(client_new(), VFIOD_PATH "/group/4", "org.freedesktop.DBus.Properties", "Get",
                    "sss", VFIOD_INTERFACE_GROUP, "RefCount", "much");

        ck_assert(sd_bus_message_is_method_error(reply, NULL));
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-unbind");

        tcase_add_test(tests, an_option_that_makes_no_sense_is_refused);
        tcase_add_test(tests, each_policy_unbinds_a_group_that_nobody_holds_at_once);
        tcase_add_test(tests, fail_names_the_lease_and_its_holders);
        tcase_add_test(tests, wait_asks_the_owner_and_goes_on_when_the_lease_ends);
        tcase_add_test(tests, the_device_request_interrupt_is_fired_when_asking);
        tcase_add_test(tests, wait_that_expires_names_the_holders_and_leaves_the_lease_held);
        tcase_add_test(tests, a_caller_that_leaves_calls_its_wait_off);
        tcase_add_test(tests, while_somebody_waits_nobody_new_is_given_the_group);
        tcase_add_test(tests, several_callers_wait_for_one_group_and_all_are_answered);
        tcase_add_test(tests, one_of_two_who_stop_waiting_leaves_the_lease_asked_for);
        tcase_add_loop_test(tests, a_device_that_goes_during_the_first_try_is_not_waited_for, 0, 3);
        tcase_add_test(tests, waiting_for_somebody_without_a_lease_is_no_work);
        tcase_add_test(tests, more_unbinds_than_may_wait_are_refused);
        tcase_add_test(tests, a_holder_that_closes_only_the_device_has_given_it_back);
        tcase_add_test(tests, revoke_sends_sigbus_and_unbinds);
        tcase_add_test(tests, a_lease_that_is_being_taken_back_gives_no_files);
        tcase_add_test(tests, revoke_sends_sigkill_to_whoever_ignores_sigbus);
        tcase_add_test(tests, without_sigkill_a_holder_that_survives_keeps_the_device_as_it_was);
        tcase_add_test(tests,
                       a_holder_that_cannot_be_found_makes_the_device_stuck_until_it_lets_go);
        tcase_add_test(tests, a_step_that_is_late_on_a_stuck_device_leaves_it_as_stuck_as_it_was);
        tcase_add_test(tests, revoking_a_stuck_group_again_succeeds_once_its_holder_lets_go);
        tcase_add_test(tests, a_dry_run_of_revoke_says_what_would_be_done);
        tcase_add_loop_test(tests, a_look_for_holders_that_fails_says_so, 0, 2);
        tcase_add_test(tests, holders_are_listed_with_what_they_have);
        tcase_add_test(tests, a_question_for_the_ref_count_has_nothing_behind_it);
        return bus_tests_run(tests);
}
