/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Searches for holders when there is much to be found, or many ask: what is told is bounded and
 * says so, and a search is in nobody's way.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "daemon/broker/broker-private.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/reply-size.h"
#include "daemon/util/fd.h"
#include "daemon/util/hold.h"
#include "tests/bus/fixture-bus.h"
#include "tests/bus/fixture-holder.h"

#define DEVICE "0000:03:00.0"
#define GROUP "group/4"

/* In front of libsystemd's: that takes no NULL either, but tells nobody. */
int sd_bus_message_new_method_return(sd_bus_message *call, sd_bus_message **m) {
        int (*new_method_return)(sd_bus_message *call, sd_bus_message **m);

        *(void **)&new_method_return = dlsym(RTLD_NEXT, "sd_bus_message_new_method_return");
        ck_assert_ptr_nonnull(new_method_return);
        ck_assert_ptr_nonnull(call);
        return new_method_return(call, m);
}

static size_t count_parts(const char *text, const char *part) {
        size_t n = 0;

        for (const char *found = text; (found = strstr(found, part)); found += strlen(part))
                n++;
        return n;
}

/* --- what is told */

/* The device's file has the highest number of all. */
static pid_t hand_over_many(Grant *grant, size_t n) {
        int device = grant_file(grant, "device", DEVICE);
        int container = grant_file(grant, "container", "");

        for (size_t i = 0; i < grant->n_files; i++)
                if (grant->files[i].fd == device)
                        grant->files[i].fd = fcntl(device, F_DUPFD_CLOEXEC, 900);
        (void)close(device);
        for (size_t i = 0; i < n; i++) {
                grant->files[grant->n_files].kind = strdup("container");
                grant->files[grant->n_files].name = strdup("");
                grant->files[grant->n_files++].fd = fcntl(container, F_DUPFD_CLOEXEC, 3);
        }
        return hand_over(grant, 0);
}

START_TEST(of_a_process_with_many_files_some_are_told_and_the_others_are_a_number) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = grant_of(manager(client, "Acquire", "asa{sv}", 1, GROUP, 0));
        _cleanup_message_ Message *list = NULL, *by_device = NULL;
        _cleanup_free_ char *text = NULL;
        pid_t holder = hand_over_many(&grant, 100);

        /* A container, a group, a device and the pipe of the lease, and 100 more. */
        list = manager(client, "ListHolders", "as", 1, GROUP);
        text = render(list);
        ck_assert_uint_eq(count_parts(text, "(\"container\" "), HOLDS_FILES_MAX - 3);
        expect_part(text, "\"MoreFiles\" <40>");
        expect_part(text, "(\"device\" \"" DEVICE "\" ");
        ck_assert_ptr_null(strstr(text, "MoreHolders"));
        by_device = manager(client, "ListHolders", "as", 1, DEVICE);
        expect_text(by_device, "\"MoreFiles\" <40>");
        (void)kill(holder, SIGKILL);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path) == 1);
}
END_TEST

/* It may be of the device, or not. */
START_TEST(who_has_files_that_are_not_told_of_is_not_left_out_for_another_device) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/2", 1, "bind", "b", true));
        int device = grant_file(&grant, "device", "0000:01:00.0");
        _cleanup_message_ Message *one = NULL, *other = NULL;
        pid_t holder;

        for (size_t i = 0; i < grant.n_files; i++)
                if (grant.files[i].fd != device)
                        grant.files[i].fd = fd_close(grant.files[i].fd);
        grant.lease_fd = fd_close(grant.lease_fd);
        for (size_t i = 0; i < HOLDS_FILES_MAX; i++) {
                grant.files[grant.n_files].kind = strdup("device");
                grant.files[grant.n_files].name = strdup("0000:01:00.0");
                grant.files[grant.n_files++].fd = fcntl(device, F_DUPFD_CLOEXEC, 3);
        }
        holder = hand_over(&grant, 0);
        one = manager(client, "ListHolders", "as", 1, "0000:01:00.0");
        expect_text(one, "\"MoreFiles\" <1>");
        other = manager(client, "ListHolders", "as", 1, "0000:01:00.1");
        expect_text(other, "[[\"MoreHolders\" <1>]]");
        (void)kill(holder, SIGKILL);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path) == 1);
}
END_TEST

START_TEST(of_more_processes_than_are_told_of_the_others_are_a_number) {
        Client *client = client_new();
        _cleanup_message_ Message *list = NULL, *few = NULL;
        _cleanup_free_ char *text = NULL, *count = NULL, *fewer = NULL;

        fake_machine_set_crowd(HOLDS_PROCESSES_MAX + 76);
        list = manager(client, "ListHolders", "as", 1, GROUP);
        text = render(list);
        ck_assert_uint_eq(count_parts(text, "\"Pid\" "), HOLDS_PROCESSES_MAX);
        ck_assert_uint_eq(count_parts(text, "\"MoreHolders\" <76>"), 1);
        count = group_property(client, 4, "RefCount");
        ck_assert_str_eq(count, "1100");
        fake_machine_set_crowd(HOLDS_PROCESSES_MAX);
        few = manager(client, "ListHolders", "as", 1, GROUP);
        fewer = render(few);
        ck_assert_uint_eq(count_parts(fewer, "\"Pid\" "), HOLDS_PROCESSES_MAX);
        ck_assert_uint_eq(count_parts(fewer, "MoreHolders"), 0);
}
END_TEST

START_TEST(a_reply_that_is_too_large_is_refused_in_words_and_the_connection_stays) {
        static const char *const members[] = {"ListDevices", "ListGroups", "Overview"};
        Client *client = client_new();
        _cleanup_message_ Message *objects = NULL, *holders = NULL;

        fixture_bus()->reply_bytes_max = 600;
        fake_machine_set_crowd(100);
        for (size_t i = 0; i < ELEMENTS(members); i++) {
                _cleanup_message_ Message *reply = manager(client, members[i], NULL);

                expect_refusal(reply, "LimitExceeded", "the answer has more than 600 bytes");
        }
        objects = ask(client, VFIOD_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                      NULL);
        expect_refusal(objects, "LimitExceeded", "the answer has more than 600 bytes");
        holders = manager(client, "ListHolders", "as", 1, GROUP);
        expect_refusal(holders, "LimitExceeded", "the answer has more than 600 bytes");
        fixture_bus()->reply_bytes_max = REPLY_BYTES_MAX;
        for (size_t i = 0; i < ELEMENTS(members); i++) {
                _cleanup_message_ Message *reply = manager(client, members[i], NULL);

                expect_done(reply);
        }
}
END_TEST

START_TEST(a_reply_that_was_measured_says_whose_it_is_like_others) {
        Client *client = client_new();
        _cleanup_message_ Message *plain = manager(client, "ListDevices", NULL), *measured = NULL;

        fixture_bus()->reply_bytes_max = 20 * 1024;
        measured = manager(client, "ListDevices", NULL);
        expect_done(measured);
        ck_assert_str_eq(sd_bus_message_get_sender(plain), VFIOD_BUS_NAME);
        ck_assert_str_eq(sd_bus_message_get_sender(measured), VFIOD_BUS_NAME);
}
END_TEST

/* Each row with the bytes that the D-Bus specification gives it. */
START_TEST(a_reply_is_measured_as_it_lies_in_the_message) {
        for (int i = 0; i < 2; i++) {
                _cleanup_message_ Message *text = NULL, *numbers = NULL, *dictionary = NULL,
                                          *mixed = NULL, *empty = NULL;
                Client *client = client_new();
                const struct {
                        Message **m;
                        uint64_t size;
                } rows[] = {
                        {&text, 8}, {&numbers, 16}, {&dictionary, 32}, {&mixed, 25}, {&empty, 8}};

                for (size_t j = 0; j < ELEMENTS(rows); j++)
                        ck_assert_int_ge(
                                sd_bus_message_new_signal(client->bus, rows[j].m, "/a", "b.c", "d"),
                                0);
                ck_assert_int_ge(sd_bus_message_append(text, "s", "abc"), 0);
                ck_assert_int_ge(sd_bus_message_append(numbers, "au", 3, 1, 2, 3), 0);
                ck_assert_int_ge(
                        sd_bus_message_append(dictionary, "a{sv}", 1, "k", "t", (uint64_t)5), 0);
                ck_assert_int_ge(
                        sd_bus_message_append(mixed, "yq(xo)g", 1, 2, (int64_t)3, "/a", ""), 0);
                ck_assert_int_ge(sd_bus_message_append(empty, "at", 0), 0);
                for (size_t j = 0; j < ELEMENTS(rows); j++)
                        ck_assert_msg(reply_fits(*rows[j].m, rows[j].size - (uint64_t)i) ==
                                              (i == 0),
                                      "row %zu", j);
        }
}
END_TEST

/* --- who waits for whom */

static size_t count_running(void) {
        size_t n = 0;

        list_for_each(link, &fixture_broker()->jobs)
                n++;
        return n;
}

static size_t count_waiting(void) {
        size_t n = 0;

        list_for_each(link, &fixture_broker()->errands.waiting)
                n++;
        return n;
}

static void hold_up_searches(void) {
        fake_machine_fault("look", "any", 0);
}

static void let_searches_go_on(void) {
        fake_machine_clear("look", "any");
}

static void begin_searches(Client *client, Message **replies, size_t n) {
        for (size_t i = 0; i < n; i++)
                begin(client, &replies[i], "ListHolders", "as", 1, GROUP);
        wait_until(count_running() + count_waiting() == n);
}

static void expect_all_done(Message **replies, size_t n) {
        for (size_t i = 0; i < n; i++) {
                wait_until(replies[i]);
                expect_done(replies[i]);
                replies[i] = sd_bus_message_unref(replies[i]);
        }
}

START_TEST(an_operation_is_not_refused_beside_many_searches) {
        Client *client = client_new(), *other = client_new();
        _cleanup_message_ Message *bound = NULL;
        Message *replies[20];

        fixture_config()->limit_operations = 1;
        fixture_config()->limit_operations_per_uid = 1;
        hold_up_searches();
        begin_searches(client, replies, ELEMENTS(replies));
        bound = manager(other, "Bind", "asa{sv}", 1, "group/3", 0);
        expect_done(bound);
        let_searches_go_on();
        expect_all_done(replies, ELEMENTS(replies));
}
END_TEST

START_TEST(every_kind_of_search_stands_in_line) {
        Client *client = client_new();
        Message *replies[5];

        fake_machine_add_mdev_parent();
        hold_up_searches();
        begin_searches(client, replies, 2);
        begin_at_object(client, &replies[2], VFIOD_PATH "/group/4",
                        "org.freedesktop.DBus.Properties", "Get", "ss", VFIOD_INTERFACE_GROUP,
                        "RefCount");
        begin_at_object(client, &replies[3], VFIOD_PATH "/group/4", VFIOD_INTERFACE_GROUP,
                        "ListHolders", NULL);
        begin(client, &replies[4], "ListMdevTypes", "s", "");
        wait_until(count_waiting() == 3);
        ck_assert_uint_eq(count_running(), 2);
        let_searches_go_on();
        expect_all_done(replies, ELEMENTS(replies));
}
END_TEST

typedef struct Asked {
        uid_t uid;
        size_t *n_answered;
        size_t place; /* among those answered, from 1; 0: not yet */
        RefusalKind refusal;
} Asked;

static void on_found(void *userdata, Outcome *outcome) {
        Asked *asked = userdata;

        asked->place = ++*asked->n_answered;
        asked->refusal = outcome->refusal.kind;
}

static void search(Asked *asked, uid_t uid, size_t *n_answered) {
        Target target = {.kind = TARGET_GROUP, .group = 4};
        const Request request = {.operation = OPERATION_LOOK,
                                 .caller = {.uid = uid},
                                 .targets = &target,
                                 .n_targets = 1};

        *asked = (Asked){.uid = uid, .n_answered = n_answered};
        broker_find_holders(fixture_broker(), &request, on_found, asked);
}

START_TEST(a_search_of_another_uid_is_answered_beside_many_of_one) {
        size_t n_answered = 0;
        Asked many[30], other;

        hold_up_searches();
        for (size_t i = 0; i < ELEMENTS(many); i++)
                search(&many[i], 1000, &n_answered);
        ck_assert_uint_eq(count_running(), 2);
        search(&other, 1001, &n_answered);
        ck_assert_uint_eq(count_running(), 3);
        let_searches_go_on();
        wait_until(n_answered == ELEMENTS(many) + 1);
        ck_assert_uint_eq(other.refusal, REFUSAL_NONE);
        for (size_t i = 0; i < ELEMENTS(many); i++)
                ck_assert_uint_eq(many[i].refusal, REFUSAL_NONE);
}
END_TEST

START_TEST(uids_take_turns_when_as_many_searches_run_as_may) {
        size_t n_answered = 0;
        Asked first[4][10], late[4];

        hold_up_searches();
        for (uid_t uid = 0; uid < ELEMENTS(first); uid++)
                for (size_t i = 0; i < ELEMENTS(first[uid]); i++)
                        search(&first[uid][i], 1000 + uid, &n_answered);
        ck_assert_uint_eq(count_running(), 8);
        for (uid_t uid = 0; uid < ELEMENTS(late); uid++)
                search(&late[uid], 2000 + uid, &n_answered);
        ck_assert_uint_eq(count_running(), 8);
        let_searches_go_on();
        wait_until(n_answered == 44);
        /* In a line without turns each would begin when at least 40 - 8 are answered. */
        for (uid_t uid = 0; uid < ELEMENTS(late); uid++)
                ck_assert_uint_le(late[uid].place, 32);
}
END_TEST

START_TEST(who_leaves_while_his_search_waits_in_line_is_forgotten) {
        Client *client = client_new(), *other = client_new();
        Message *replies[6], *own[1];

        hold_up_searches();
        begin_searches(client, replies, ELEMENTS(replies));
        ck_assert_uint_eq(count_waiting(), 4);
        client_close(client);
        wait_until(count_waiting() == 0);
        begin(other, &own[0], "ListHolders", "as", 1, GROUP);
        wait_until(count_waiting() == 1);
        ck_assert_uint_eq(count_running(), 2);
        let_searches_go_on();
        expect_all_done(own, 1);
}
END_TEST

/* Its worker goes on. */
START_TEST(nobody_is_answered_who_left_while_his_search_ran) {
        static const char *const members[] = {"ListHolders", "ListMdevTypes"};
        Client *other = client_new();

        fake_machine_add_mdev_parent();
        for (size_t i = 0; i < ELEMENTS(members); i++) {
                Client *client = client_new();
                Message *own[1], *reply;

                hold_up_searches();
                if (i == 0)
                        begin(client, &reply, members[i], "as", 1, GROUP);
                else
                        begin(client, &reply, members[i], "s", "");
                wait_until(count_running() == 1);
                client_close(client);
                settle();
                let_searches_go_on();
                wait_until(count_running() == 0);
                ck_assert(list_is_empty(&fixture_bus()->calls));
                begin_searches(other, own, 1);
                expect_all_done(own, 1);
        }
}
END_TEST

START_TEST(vfiods_own_looks_do_not_wait_behind_clients_searches) {
        Client *client = client_new(), *other = client_new();
        _cleanup_grant_ Grant grant = grant_of(manager(client, "Acquire", "asa{sv}", 1, GROUP, 0));
        _cleanup_message_ Message *unbound = NULL;
        Message *replies[10];

        hold_up_searches();
        begin_searches(other, replies, ELEMENTS(replies));
        ck_assert_uint_eq(count_running(), 2);
        begin(client, &unbound, "Unbind", "asa{sv}", 1, GROUP, 0);
        wait_until(count_running() == 3);
        ck_assert_uint_eq(count_waiting(), 8);
        let_searches_go_on();
        wait_until(unbound);
        expect_refusal(unbound, "Leased", "group 4");
        expect_all_done(replies, ELEMENTS(replies));
}
END_TEST

/* As many as a uid may have at once. */
static void hang_two_searches(Client *client) {
        Message *replies[2];

        fixture_config()->step_deadline_ms = 1500;
        hold_up_searches();
        begin_searches(client, replies, ELEMENTS(replies));
        for (size_t i = 0; i < ELEMENTS(replies); i++) {
                wait_until(replies[i]);
                expect_error(replies[i], VFIOD_ERROR_TIMED_OUT, "has not returned");
                sd_bus_message_unref(replies[i]);
        }
}

START_TEST(a_search_that_hangs_keeps_its_turn_until_its_worker_has_ended) {
        Client *client = client_new();
        Message *late[2];

        hang_two_searches(client);
        fixture_config()->step_deadline_ms = 30000;
        begin_searches(client, late, ELEMENTS(late));
        wait_until(count_waiting() == 2);
        settle();
        ck_assert_uint_eq(count_running(), 2);
        let_searches_go_on();
        expect_all_done(late, ELEMENTS(late));
        wait_until(count_running() == 0);
}
END_TEST

START_TEST(and_who_waits_behind_it_is_told_so) {
        Client *client = client_new();
        _cleanup_message_ Message *late = NULL;

        hang_two_searches(client);
        begin(client, &late, "ListHolders", "as", 1, GROUP);
        wait_until(late);
        expect_refusal(late, "Busy", "searches that have begun before have not returned");
        ck_assert_uint_eq(count_waiting(), 0);
        let_searches_go_on();
        wait_until(count_running() == 0);
}
END_TEST

START_TEST(when_vfiod_stops_nobody_waits_in_line_any_more) {
        Client *client = client_new();
        Message *replies[5];

        hold_up_searches();
        begin_searches(client, replies, ELEMENTS(replies));
        broker_stop(fixture_broker(), 3600 * 1000 * 1000ULL);
        ck_assert_uint_eq(count_waiting(), 0);
        ck_assert(!broker_is_idle(fixture_broker()));
        let_searches_go_on();
        wait_until(broker_is_idle(fixture_broker()));
        settle();
        for (size_t i = 0; i < ELEMENTS(replies); i++) {
                ck_assert(!replies[i] == (i >= 2));
                sd_bus_message_unref(replies[i]);
        }
}
END_TEST

START_TEST(vfiod_ends_while_searches_run_and_wait) {
        size_t n_answered = 0;
        Asked asked[5];

        hold_up_searches();
        for (size_t i = 0; i < ELEMENTS(asked); i++)
                search(&asked[i], 1000, &n_answered);
        fixture_stop();
        let_searches_go_on();
        ck_assert_uint_eq(n_answered, 0);
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-holders");

        tcase_add_test(tests,
                       of_a_process_with_many_files_some_are_told_and_the_others_are_a_number);
        tcase_add_test(tests,
                       who_has_files_that_are_not_told_of_is_not_left_out_for_another_device);
        tcase_add_test(tests, of_more_processes_than_are_told_of_the_others_are_a_number);
        tcase_add_test(tests,
                       a_reply_that_is_too_large_is_refused_in_words_and_the_connection_stays);
        tcase_add_test(tests, a_reply_that_was_measured_says_whose_it_is_like_others);
        tcase_add_test(tests, a_reply_is_measured_as_it_lies_in_the_message);
        tcase_add_test(tests, an_operation_is_not_refused_beside_many_searches);
        tcase_add_test(tests, every_kind_of_search_stands_in_line);
        tcase_add_test(tests, a_search_of_another_uid_is_answered_beside_many_of_one);
        tcase_add_test(tests, uids_take_turns_when_as_many_searches_run_as_may);
        tcase_add_test(tests, who_leaves_while_his_search_waits_in_line_is_forgotten);
        tcase_add_test(tests, nobody_is_answered_who_left_while_his_search_ran);
        tcase_add_test(tests, vfiods_own_looks_do_not_wait_behind_clients_searches);
        tcase_add_test(tests, a_search_that_hangs_keeps_its_turn_until_its_worker_has_ended);
        tcase_add_test(tests, and_who_waits_behind_it_is_told_so);
        tcase_add_test(tests, when_vfiod_stops_nobody_waits_in_line_any_more);
        tcase_add_test(tests, vfiod_ends_while_searches_run_and_wait);
        return bus_tests_run(tests);
}
