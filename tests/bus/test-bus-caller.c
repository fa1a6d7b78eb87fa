/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who a caller is, and what that allows, where there is no polkit to ask. */

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/bus/call.h"
#include "daemon/bus/journal-rate.h"
#include "daemon/bus/limit.h"
#include "daemon/bus/socket-options.h"
#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

#define NOBODY 65534U

/* Instead of the C library's: before Linux 6.5 there is no SO_PEERPIDFD. */
static bool is_old_kernel;

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size) {
        if (is_old_kernel && level == SOL_SOCKET && option == SO_PEERPIDFD) {
                errno = ENOPROTOOPT;
                return -1;
        }
        return (int)syscall(SYS_getsockopt, fd, level, option, value, size);
}

static const struct {
        const char *member, *operation, *types, *action;
} methods[] = {
        {"ListGroups", NULL, "", VFIOD_ACTION_LIST},
        {"ListDevices", NULL, "", VFIOD_ACTION_LIST},
        {"ListLeases", NULL, "", VFIOD_ACTION_LIST},
        {"Overview", NULL, "", VFIOD_ACTION_LIST},
        {"GetGroup", NULL, "u", VFIOD_ACTION_LIST},
        {"GetDevice", NULL, "s", VFIOD_ACTION_LIST},
        {"Explain", NULL, "as", VFIOD_ACTION_LIST},
        {"Plan", "bind", "sasa{sv}", VFIOD_ACTION_BIND},
        {"Plan", "unbind", "sasa{sv}", VFIOD_ACTION_UNBIND},
        {"Plan", "acquire", "sasa{sv}", VFIOD_ACTION_ACQUIRE},
        {"Bind", NULL, "asa{sv}", VFIOD_ACTION_BIND},
        {"Unbind", NULL, "asa{sv}", VFIOD_ACTION_UNBIND},
        {"Acquire", NULL, "asa{sv}", VFIOD_ACTION_ACQUIRE},
};

static Message *call(Client *client, size_t i) {
        const char *member = methods[i].member, *types = methods[i].types;

        switch (types[0]) {
        case '\0':
                return manager(client, member, NULL);
        case 'u':
                return manager(client, member, types, 4);
        case 's':
                return methods[i].operation ? manager(client, member, types, methods[i].operation,
                                                      1, "group/4", 0)
                                            : manager(client, member, types, "0000:03:00.0");
        default:
                return manager(client, member, types, 1, "group/4", 0);
        }
}

START_TEST(without_polkit_every_method_is_for_root_only_and_says_so) {
        Client *client = client_new_as(NOBODY);
        _cleanup_free_ char *calls = NULL;

        for (size_t i = 0; i < ELEMENTS(methods); i++) {
                _cleanup_message_ Message *reply = call(client, i);

                expect_error(reply, SD_BUS_ERROR_ACCESS_DENIED, methods[i].action);
                expect_error(reply, SD_BUS_ERROR_ACCESS_DENIED, "only root may do this");
        }
        calls = fake_machine_calls();
        ck_assert_str_eq(calls, "");
}
END_TEST

START_TEST(a_refused_operation_is_recorded_with_its_caller) {
        Client *client = client_new_as(NOBODY);
        _cleanup_message_ Message *reply = manager(client, "Bind", "asa{sv}", 1, "group/4", 0);

        expect_error(reply, SD_BUS_ERROR_ACCESS_DENIED, "");
        ck_assert_uint_eq(fake_journal_count(), 1);
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_CALLER_UID "=65534\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_OUTCOME "=refused\n");
        expect_part(fake_journal_record(0),
                    "\n" VFIOD_JOURNAL_ERROR "=" SD_BUS_ERROR_ACCESS_DENIED "\n");
}
END_TEST

START_TEST(looking_is_not_recorded) {
        Client *client = client_new_as(NOBODY), *root = client_new();

        for (size_t i = 0; i < ELEMENTS(methods) - 3; i++) {
                _cleanup_message_ Message *refused = call(client, i), *done = call(root, i);

                expect_error(refused, SD_BUS_ERROR_ACCESS_DENIED, "");
                ck_assert_uint_eq(fake_journal_count(), 0);
        }
}
END_TEST

START_TEST(a_sender_that_the_message_claims_is_not_believed) {
        Client *client = client_new_as(NOBODY);
        _cleanup_message_ Message *m = NULL;
        _cleanup_free_ char *calls = NULL;

        ck_assert_int_ge(sd_bus_message_new_method_call(client->bus, &m, NULL, VFIOD_PATH,
                                                        VFIOD_INTERFACE_MANAGER, "Bind"),
                         0);
        ck_assert_int_ge(sd_bus_message_set_sender(m, "org.freedesktop.DBus"), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "asa{sv}", 1, "group/2", 0), 0);
        ck_assert_int_ge(sd_bus_send(client->bus, m, NULL), 0);
        while (fake_journal_count() == 0)
                turn();
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_CALLER_UID "=65534\n");
        calls = fake_machine_calls();
        ck_assert_str_eq(calls, "");
}
END_TEST

START_TEST(a_lease_of_another_uid_is_not_released_without_polkit) {
        Client *owner = client_new(), *other = client_new_as(NOBODY);
        _cleanup_grant_ Grant grant =
                grant_of(manager(owner, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_message_ Message *reply = lease(other, grant.path, "Release", NULL);
        _cleanup_free_ char *state = property(owner, grant.path, VFIOD_INTERFACE_LEASE, "State");

        expect_error(reply, SD_BUS_ERROR_ACCESS_DENIED, VFIOD_ACTION_RELEASE_OTHER);
        ck_assert_str_eq(state, "\"held\"");
}
END_TEST

START_TEST(add_to_a_lease_of_another_uid_is_refused) {
        Client *owner = client_new(), *other = client_new_as(NOBODY);
        _cleanup_grant_ Grant grant =
                grant_of(manager(owner, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_message_ Message *reply =
                lease(other, grant.path, "Add", "asa{sv}", 1, "group/9", 0);
        _cleanup_free_ char *groups = property(owner, grant.path, VFIOD_INTERFACE_LEASE, "Groups");

        ck_assert(sd_bus_message_is_method_error(reply, NULL));
        ck_assert_str_eq(groups, "[4]");
}
END_TEST

START_TEST(a_client_that_leaves_takes_nothing_with_it) {
        Client *root = client_new();
        _cleanup_message_ Message *before_reply = manager(root, "ListLeases", NULL), *reply = NULL;
        size_t before = count_open_fds();

        for (unsigned i = 0; i < 8; i++) {
                Client *client = client_new();
                _cleanup_message_ Message *list = manager(client, "ListDevices", NULL);

                client_close(client);
                settle();
        }
        expect_open_fds(before);
        reply = manager(root, "ListGroups", NULL);
        expect_done(reply);
}
END_TEST

START_TEST(calls_sent_together_are_all_answered) {
        Client *client = client_new();
        Message *replies[64] = {NULL};

        for (size_t i = 0; i < ELEMENTS(replies); i++)
                begin(client, &replies[i], i % 2 ? "ListGroups" : "Explain", i % 2 ? NULL : "as", 1,
                      "group/2");
        for (size_t i = 0; i < ELEMENTS(replies); i++) {
                wait_until(replies[i]);
                expect_done(replies[i]);
                sd_bus_message_unref(replies[i]);
        }
}
END_TEST

static const Peer *last_peer(void) {
        const Bus *bus = fixture_bus();

        return &container_of(bus->connections.previous, Connection, link)->peer;
}

/* By what the kernel says of the file (proc(5), fdinfo); 0 for one that is no pidfd. */
static pid_t process_of(int pidfd) {
        _cleanup_free_ char *path = string_format("/proc/self/fdinfo/%d", pidfd);
        FILE *file = fopen(path, "re");
        char line[128];
        int pid = 0;

        while (file && fgets(line, sizeof(line), file))
                (void)sscanf(line, "Pid: %d", &pid);
        if (file)
                (void)fclose(file);
        return pid;
}

/* As it is, and as on an older kernel. */
START_TEST(the_process_of_a_connection_is_pinned_with_and_without_the_kernels_help) {
        is_old_kernel = _i;
        (void)client_new();
        ck_assert_int_eq(last_peer()->caller.pid, getpid());
        ck_assert_int_eq(process_of(last_peer()->pidfd), getpid());
        ck_assert_uint_gt(last_peer()->caller.start_time, 0);
}
END_TEST

START_TEST(a_process_that_has_ended_is_not_pinned_with_or_without_the_kernels_help) {
        is_old_kernel = _i;
        (void)client_new_of_ended_process(NOBODY);
        ck_assert_int_eq(last_peer()->pidfd, -EBADF);
        ck_assert_uint_eq(last_peer()->caller.start_time, 0);
        ck_assert_uint_eq(last_peer()->caller.uid, NOBODY);
}
END_TEST

static sd_bus_message *message_of(Client *client, const char *sender) {
        sd_bus_message *m = NULL;

        ck_assert_int_ge(sd_bus_message_new_method_call(client->bus, &m, NULL, VFIOD_PATH,
                                                        VFIOD_INTERFACE_MANAGER, "ListGroups"),
                         0);
        ck_assert_int_ge(sd_bus_message_set_sender(m, sender), 0);
        return m;
}

START_TEST(so_many_calls_of_a_sender_may_wait_until_it_is_known_who_he_is) {
        _cleanup_message_ Message *m = message_of(client_new(), ":1.7"),
                                  *of_other = message_of(client_new(), ":1.8");
        Call calls[128], next = {.bus = fixture_bus(), .message = m}, other = next;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        other.message = of_other;
        for (size_t i = 0; i < ELEMENTS(calls); i++) {
                ck_assert_int_eq(limit_unknown(&next, &refusal), REFUSAL_NONE);
                calls[i] = (Call){.message = m, .request.caller.uid = (uid_t)-1};
                list_insert(&fixture_bus()->calls, &calls[i].link);
        }
        ck_assert_int_eq(limit_unknown(&other, &refusal), REFUSAL_NONE);
        ck_assert_int_eq(limit_unknown(&next, &refusal), REFUSAL_LIMIT_EXCEEDED);
        expect_part(refusal.sentence, "128 calls of this connection");
        for (size_t i = 0; i < ELEMENTS(calls); i++)
                list_remove(&calls[i].link);
}
END_TEST

/* Each of a sender of whom it is not known yet who he is. */
static void begin_unknown(Client *client, Call *calls, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *sender = string_format(":1.%zu", i);

                calls[i] = (Call){.bus = fixture_bus(),
                                  .message = message_of(client, sender),
                                  .request.caller.uid = (uid_t)-1};
                list_insert(&fixture_bus()->calls, &calls[i].link);
        }
}

static void end_unknown(Call *calls, size_t n) {
        for (size_t i = 0; i < n; i++) {
                list_remove(&calls[i].link);
                sd_bus_message_unref(calls[i].message);
        }
}

START_TEST(calls_of_senders_who_are_not_known_yet_are_in_the_way_of_no_known_one) {
        Client *client = client_new();
        Call calls[3], unknown, known;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        _cleanup_message_ Message *reply = NULL;

        fixture_config()->limit_requests = ELEMENTS(calls);
        begin_unknown(client, calls, ELEMENTS(calls));
        unknown = (Call){.bus = fixture_bus(), .message = calls[0].message};
        known = (Call){.bus = fixture_bus(), .request.caller.uid = NOBODY};
        ck_assert_int_eq(limit_request(&known, &refusal), REFUSAL_NONE);
        reply = manager(client, "ListGroups", NULL);
        expect_done(reply);
        ck_assert_int_eq(limit_unknown(&unknown, &refusal), REFUSAL_LIMIT_EXCEEDED);
        expect_part(refusal.sentence, "(limits.requests)");
        end_unknown(calls, ELEMENTS(calls));
}
END_TEST

START_TEST(a_sender_who_is_not_known_yet_is_not_shut_out_by_a_few_others) {
        _cleanup_message_ Message *m = message_of(client_new(), ":1.99");
        Call calls[6], next = {.bus = fixture_bus(), .message = m};
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        fixture_config()->limit_requests = ELEMENTS(calls) / 2;
        begin_unknown(client_new(), calls, ELEMENTS(calls) - 1);
        ck_assert_int_eq(limit_unknown(&next, &refusal), REFUSAL_NONE);
        end_unknown(calls, ELEMENTS(calls) - 1);
        begin_unknown(client_new(), calls, ELEMENTS(calls));
        ck_assert_int_eq(limit_unknown(&next, &refusal), REFUSAL_LIMIT_EXCEEDED);
        end_unknown(calls, ELEMENTS(calls));
}
END_TEST

static void ask_for_nothing(Client *client) {
        _cleanup_message_ Message *reply = manager(client, "Acquire", "asa{sv}", 1, "group/99", 0);

        expect_refusal(reply, "NotFound", "group 99");
}

START_TEST(who_is_refused_again_and_again_does_not_fill_the_journal) {
        Client *client = client_new_as(NOBODY), *root = client_new();

        for (size_t i = 0; i < 40; i++)
                ask_for_nothing(client);
        ck_assert_uint_eq(fake_journal_count(), 32);
        ask_for_nothing(root);
        ck_assert_uint_eq(fake_journal_count(), 33);
        journal_rate_done(fixture_bus());
        ck_assert_uint_eq(fake_journal_count(), 34);
        expect_part(fake_journal_record(33), "MESSAGE=8 more calls of uid 65534 were refused");
        ask_for_nothing(client);
        ck_assert_uint_eq(fake_journal_count(), 35);
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-caller");

        tcase_add_test(tests, without_polkit_every_method_is_for_root_only_and_says_so);
        tcase_add_test(tests, a_refused_operation_is_recorded_with_its_caller);
        tcase_add_test(tests, looking_is_not_recorded);
        tcase_add_test(tests, who_is_refused_again_and_again_does_not_fill_the_journal);
        tcase_add_test(tests,
                       calls_of_senders_who_are_not_known_yet_are_in_the_way_of_no_known_one);
        tcase_add_test(tests, a_sender_who_is_not_known_yet_is_not_shut_out_by_a_few_others);
        tcase_add_test(tests, a_sender_that_the_message_claims_is_not_believed);
        tcase_add_test(tests, a_lease_of_another_uid_is_not_released_without_polkit);
        tcase_add_test(tests, add_to_a_lease_of_another_uid_is_refused);
        tcase_add_test(tests, a_client_that_leaves_takes_nothing_with_it);
        tcase_add_test(tests, calls_sent_together_are_all_answered);
        tcase_add_loop_test(tests,
                            the_process_of_a_connection_is_pinned_with_and_without_the_kernels_help,
                            0, 2);
        tcase_add_loop_test(tests,
                            a_process_that_has_ended_is_not_pinned_with_or_without_the_kernels_help,
                            0, 2);
        tcase_add_test(tests, so_many_calls_of_a_sender_may_wait_until_it_is_known_who_he_is);
        return bus_tests_run(tests);
}
