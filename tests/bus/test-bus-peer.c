/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Clients at the socket that mean harm, or are only slow: what they send, what they do not send,
 * how many there are, and who they are. A bystander must be served all the while.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/bus/bus-private.h"
#include "daemon/bus/socket-options.h"
#include "daemon/util/fd.h"
#include "tests/bus/fixture-bus.h"
#include "tests/bus/raw-client.h"

#define NOBODY 65534U
#define DAEMON 1U
#define SOMEBODY 2U
/* So many are told that they are too many (SURPLUS_MAX, daemon/bus/bus.c). */
#define SURPLUS 16
#define PING "/", "org.freedesktop.DBus.Peer", "Ping"
#define LIST VFIOD_PATH, VFIOD_INTERFACE_MANAGER, "ListDevices"

/* A client of which only the bytes are ours. */
typedef struct Raw {
        int socket;
        uint8_t received[1 << 20];
        size_t size;
        bool ended;
} Raw;

static Raw raw;

/* The connection, with what was sent before vfiod has it. The other end is vfiod's. */
static int begin_raw(uid_t uid, const Bytes *first) {
        int ends[2];

        make_pair(uid, ends);
        raw = (Raw){.socket = ends[1]};
        if (first)
                ck_assert_int_eq(raw_send(ends[1], first->data, first->size, -1, 0), 0);
        ck_assert_int_ge(bus_add_peer(fixture_bus(), ends[0]), 0);
        return ends[0];
}

static void end_raw(void) {
        raw.socket = fd_close(raw.socket);
        settle();
}

static void receive(void) {
        ssize_t n;

        while ((n = recv(raw.socket, raw.received + raw.size, sizeof(raw.received) - raw.size,
                         MSG_DONTWAIT)) > 0)
                raw.size += (size_t)n;
        raw.ended = n == 0 || (n < 0 && errno == ECONNRESET);
}

/* Instead of the C library's. */
static unsigned trims;

int malloc_trim(size_t pad) {
        trims += pad == 0;
        return 0;
}

/* After the two lines of authentication. */
static size_t count_replies(void) {
        static const char last[] = "AGREE_UNIX_FD\r\n";
        const uint8_t *end;

        receive();
        end = memmem(raw.received, raw.size, last, strlen(last));
        if (!end)
                return 0;
        end += strlen(last);
        return raw_count_replies(end, raw.size - (size_t)(end - raw.received));
}

static bool has_ended(void) {
        receive();
        return raw.ended;
}

static void expect_served(Client *bystander) {
        _cleanup_message_ Message *reply = manager(bystander, "ListGroups", NULL);

        expect_done(reply);
}

/* As many as fit into what is read with the end of authentication, and more. */
START_TEST(calls_that_come_together_with_the_end_of_authentication_are_answered) {
        for (uint32_t calls = 1; calls <= 12; calls++) {
                Bytes bytes = {0};

                raw_begin(&bytes, 0);
                for (uint32_t serial = 1; serial <= calls; serial++)
                        raw_call(&bytes, serial, PING, NULL);
                (void)begin_raw(0, &bytes);
                wait_until(count_replies() == calls);
                end_raw();
        }
}
END_TEST

START_TEST(a_sender_in_the_header_changes_neither_who_it_is_nor_where_the_answer_goes) {
        static const char *const senders[] = {":1.0", "org.freedesktop.DBus", VFIOD_BUS_NAME,
                                              "org.example.Peer"};
        Client *root = client_new();
        Bytes bytes = {0};

        raw_begin(&bytes, NOBODY);
        for (uint32_t i = 0; i < ELEMENTS(senders); i++)
                raw_call(&bytes, i + 1, LIST, senders[i]);
        (void)begin_raw(NOBODY, &bytes);
        wait_until(count_replies() == ELEMENTS(senders));
        ck_assert_ptr_nonnull(memmem(raw.received, raw.size, "only root may do this",
                                     strlen("only root may do")));
        expect_served(root);
        end_raw();
}
END_TEST

/* What a kernel that lets files in would do (before Linux 6.16, all do). */
static void let_files_in(int server) {
        static const int yes = 1;

        (void)setsockopt(server, SOL_SOCKET, SO_PASSRIGHTS, &yes, sizeof(yes));
}

START_TEST(files_end_the_connection_whatever_they_come_with) {
        Client *bystander = client_new();
        _cleanup_close_ int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        Bytes bytes = {0}, half = {0};
        size_t before;

        expect_served(bystander);
        before = count_open_fds();
        raw_begin(&bytes, NOBODY);
        let_files_in(begin_raw(NOBODY, &bytes));
        settle();
        raw_call_of_size(&half, 1, 1000);
        ck_assert_int_eq(raw_send(raw.socket, half.data, half.size, -1, 0), 0);
        settle();
        for (unsigned i = 0; i < 8; i++)
                (void)raw_send(raw.socket, "x", 1, file, 250);
        for (unsigned i = 0; i < 20 && !has_ended(); i++) {
                turn();
                /* Not one of them is let in. */
                ck_assert_uint_le(count_open_fds(), before + 4);
        }
        ck_assert(has_ended());
        expect_served(bystander);
        end_raw();
        expect_open_fds(before);
}
END_TEST

static bool keeps_files_out(int socket) {
        socklen_t size = sizeof(int);
        int value;

        return getsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &value, &size) == 0;
}

START_TEST(files_are_not_let_in_where_the_kernel_can_keep_them_out) {
        _cleanup_close_ int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        Bytes bytes = {0};
        int r;

        raw_begin(&bytes, NOBODY);
        (void)begin_raw(NOBODY, &bytes);
        settle();
        r = raw_send(raw.socket, "l", 1, file, 250);
        /* An older kernel takes them: then it ends as above. */
        if (keeps_files_out(raw.socket))
                ck_assert_int_eq(r, -EPERM);
        else
                wait_until(has_ended());
        end_raw();
}
END_TEST

/* A connection with data that nobody reads: the last close of what is returned waits for hours. */
static int make_lingering(int *ret_reader) {
        static const struct linger for_hours = {.l_onoff = 1, .l_linger = 10000};
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(address);
        _cleanup_close_ int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        static const char data[65536];
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_eq(listen(listener, 1), 0);
        ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, size), 0);
        *ret_reader = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ck_assert_int_ge(*ret_reader, 0);
        while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
                ;
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &for_hours, sizeof(for_hours)), 0);
        return fd;
}

START_TEST(a_file_whose_last_close_waits_holds_up_nobody) {
        Client *bystander = client_new();
        Bytes bytes = {0};
        int reader, lingering = make_lingering(&reader);

        raw_begin(&bytes, NOBODY);
        let_files_in(begin_raw(NOBODY, &bytes));
        settle();
        ck_assert_int_eq(raw_send(raw.socket, "l", 1, lingering, 1), 0);
        fd_close(lingering);
        wait_until(has_ended());
        expect_served(bystander);
        end_raw();
        fd_close(reader);
}
END_TEST

/* One client of NOBODY's, who may have one, and as many more as are told so. */
static void add_surplus(int surplus[static SURPLUS]) {
        int ends[2];

        fixture_config()->limit_connections_per_uid = 1;
        (void)client_new_as(NOBODY);
        for (size_t i = 0; i < SURPLUS; i++) {
                make_pair(NOBODY, ends);
                ck_assert_int_ge(bus_add_peer(fixture_bus(), ends[0]), 0);
                surplus[i] = ends[1];
        }
}

START_TEST(nor_does_one_of_a_connection_that_is_turned_away) {
        int ends[2], surplus[SURPLUS], reader, lingering = make_lingering(&reader);

        add_surplus(surplus);
        make_pair(NOBODY, ends);
        ck_assert_int_eq(raw_send(ends[1], "", 1, lingering, 1), 0);
        fd_close(lingering);
        ck_assert_int_eq(bus_add_peer(fixture_bus(), ends[0]), -EUSERS);
        fd_close(ends[1]);
        expect_served(client_new());
        for (size_t i = 0; i < SURPLUS; i++)
                fd_close(surplus[i]);
        fd_close(reader);
        settle();
}
END_TEST

START_TEST(a_client_that_says_nothing_is_let_go_in_time) {
        fixture_config()->limit_authentication_ms = 20;
        (void)begin_raw(NOBODY, NULL);
        wait_until(has_ended());
        end_raw();
}
END_TEST

/* Signals for everybody must not stand in the way of what it says next. */
START_TEST(a_client_that_authenticates_while_something_happens_is_heard) {
        _cleanup_message_ Message *bound = NULL;
        Client *bystander = client_new();
        Bytes bytes = {0};
        size_t first;

        raw_begin(&bytes, 0);
        raw_call(&bytes, 1, PING, NULL);
        first = strlen("AUTH EXTERNAL");
        (void)begin_raw(0, NULL);
        ck_assert_int_eq(raw_send(raw.socket, bytes.data, first, -1, 0), 0);
        settle();
        bound = manager(bystander, "Bind", "asa{sv}", 1, "0000:04:00.0", 0);
        expect_done(bound);
        settle();
        ck_assert_int_eq(raw_send(raw.socket, bytes.data + first, bytes.size - first, -1, 0), 0);
        wait_until(count_replies() == 1);
        end_raw();
}
END_TEST

START_TEST(a_client_that_has_authenticated_may_be_silent_for_ever) {
        Client *client = client_new_as(NOBODY);
        _cleanup_message_ Message *reply = manager(client, "ListGroups", NULL), *later = NULL;

        fixture_config()->limit_authentication_ms = 20;
        (void)usleep(40000);
        settle();
        later = manager(client, "ListGroups", NULL);
        expect_error(later, SD_BUS_ERROR_ACCESS_DENIED, "");
        expect_error(reply, SD_BUS_ERROR_ACCESS_DENIED, "");
}
END_TEST

START_TEST(a_message_above_the_limit_ends_the_connection_before_it_is_whole) {
        Client *bystander = client_new();
        static const uint8_t rest[4096];
        Bytes bytes = {0};
        size_t sent = 0;

        fixture_config()->limit_message_bytes = 65536;
        raw_begin(&bytes, NOBODY);
        raw_call_of_size(&bytes, 1, 100 << 20);
        (void)begin_raw(NOBODY, &bytes);
        while (!has_ended()) {
                if (raw_send(raw.socket, rest, sizeof(rest), -1, 0) == 0)
                        sent += sizeof(rest);
                ck_assert_uint_lt(sent, 1 << 20);
                turn();
        }
        expect_served(bystander);
        end_raw();
}
END_TEST

START_TEST(many_small_messages_are_not_one_big_one) {
        Bytes bytes = {0};

        fixture_config()->limit_message_bytes = 4096;
        raw_begin(&bytes, NOBODY);
        (void)begin_raw(NOBODY, &bytes);
        for (uint32_t serial = 1; serial <= 200; serial++) {
                bytes.size = 0;
                raw_call(&bytes, serial, PING, NULL);
                ck_assert_int_eq(raw_send(raw.socket, bytes.data, bytes.size, -1, 0), 0);
                wait_until(count_replies() == serial);
        }
        end_raw();
}
END_TEST

START_TEST(half_a_message_and_a_call_under_way_leave_nothing_when_the_client_goes) {
        Client *bystander = client_new();
        Bytes bytes = {0};
        size_t before;

        expect_served(bystander);
        before = count_open_fds();
        raw_begin(&bytes, 0);
        raw_call(&bytes, 1, LIST, NULL);
        raw_call_of_size(&bytes, 2, 1000);
        (void)begin_raw(0, &bytes);
        wait_until(count_replies() == 1);
        end_raw();
        expect_served(bystander);
        expect_open_fds(before);
}
END_TEST

/* Nothing is read from it either, so that its answers do not pile up. */
/* Two calls that wait for holders, and one behind them. */
static void begin_three(Client *client, Message *replies[3]) {
        static const char *const groups[] = {"group/4", "group/9"};

        for (size_t i = 0; i < ELEMENTS(groups); i++)
                begin(client, &replies[i], "Unbind", "asa{sv}", 1, groups[i], 2, "policy", "s",
                      "wait", "timeout", "t", (uint64_t)600000);
        begin(client, &replies[2], "ListGroups", NULL);
}

START_TEST(who_has_as_many_calls_waiting_as_it_may_is_read_from_again_when_one_is_answered) {
        Client *owner = client_new(), *client = client_new();
        Grant first = grant_of(manager(owner, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_grant_ Grant second =
                grant_of(manager(owner, "Acquire", "asa{sv}", 1, "group/9", 0));
        Message *replies[3];

        fixture_config()->limit_requests_per_uid = 2;
        begin_three(client, replies);
        settle();
        expect_served(owner);
        ck_assert_ptr_null(replies[2]);
        grant_done(&first);
        wait_until(replies[0] && replies[2]);
        expect_done(replies[2]);
        ck_assert_ptr_null(replies[1]);
        for (size_t i = 0; i < ELEMENTS(replies); i++)
                sd_bus_message_unref(replies[i]);
}
END_TEST

START_TEST(who_leaves_while_it_is_not_read_from_is_forgotten) {
        Client *owner = client_new(), *client;
        _cleanup_grant_ Grant first =
                grant_of(manager(owner, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_grant_ Grant second =
                grant_of(manager(owner, "Acquire", "asa{sv}", 1, "group/9", 0));
        Message *replies[3];
        size_t before;

        settle();
        before = count_open_fds();
        client = client_new();
        fixture_config()->limit_requests_per_uid = 2;
        begin_three(client, replies);
        settle();
        client_close(client);
        wait_until(count_open_fds() == before);
        expect_served(owner);
}
END_TEST

/* It is rendered for the first one, and copied for the others. */
START_TEST(everybody_is_told_the_same_in_full) {
        static const char *const members[] = {"InterfacesAdded", "PropertiesChanged",
                                              "InterfacesRemoved"};
        Client *clients[3];
        Grant grant;

        for (size_t i = 0; i < ELEMENTS(clients); i++)
                clients[i] = client_new();
        grant = grant_of(manager(clients[1], "Acquire", "asa{sv}", 1, "0000:03:00.0", 0));
        grant_done(&grant);
        for (size_t i = 0; i < ELEMENTS(clients); i++) {
                wait_until(count_signals(clients[i], "InterfacesRemoved", NULL, "lease/1") == 1);
                for (size_t j = 0; j < ELEMENTS(members); j++)
                        ck_assert_uint_ge(count_signals(clients[i], members[j], NULL, NULL), 1);
                ck_assert_uint_eq(
                        count_signals(clients[i], "InterfacesAdded", NULL, "\"Deadline\" <0>"), 1);
        }
        for (size_t i = 1; i < ELEMENTS(clients); i++) {
                _cleanup_free_ char *first = strv_join(clients[0]->signals, "\n"),
                                    *other = strv_join(clients[i]->signals, "\n");

                ck_assert_str_eq(first, other);
        }
}
END_TEST

START_TEST(after_many_have_left_memory_is_given_back_once_and_not_before) {
        Client *clients[8];

        for (size_t i = 0; i < ELEMENTS(clients); i++)
                clients[i] = client_new_as(NOBODY);
        expect_served(client_new());
        settle();
        ck_assert_uint_eq(trims, 0);
        for (size_t i = 0; i < ELEMENTS(clients); i++)
                client_close(clients[i]);
        settle();
        ck_assert_uint_eq(trims, 1);
}
END_TEST

START_TEST(who_does_not_read_is_not_read_from_and_gets_all_answers_later) {
        Client *bystander = client_new();
        Bytes bytes = {0};
        uint32_t sent = 0;

        raw_begin(&bytes, 0);
        (void)begin_raw(0, &bytes);
        for (unsigned full = 0; full < 20;) {
                bytes.size = 0;
                raw_call(&bytes, sent + 1, PING, NULL);
                if (raw_send(raw.socket, bytes.data, bytes.size, -1, 0) == 0)
                        sent++;
                else
                        full++;
                turn();
        }
        expect_served(bystander);
        ck_assert_uint_gt(sent, 100);
        wait_until(count_replies() == sent);
        end_raw();
}
END_TEST

/* Without reading: what is in the socket stays there. */
static bool is_hung_up(void) {
        struct pollfd end = {.fd = raw.socket};

        return poll(&end, 1, 0) == 1 && end.revents & POLLHUP;
}

static size_t memory_in_use(void) {
        struct mallinfo2 info = mallinfo2();

        return info.uordblks + info.hblkhd;
}

static void send_many(char byte, size_t n) {
        char bytes[4096];

        (void)memset(bytes, byte, sizeof(bytes));
        while (n > 0) {
                size_t size = n < sizeof(bytes) ? n : sizeof(bytes);
                int r = raw_send(raw.socket, bytes, size, -1, 0);

                ck_assert_msg(r == 0 || r == -EAGAIN, "%s", strerror(-r));
                if (r == 0)
                        n -= size;
                else
                        turn();
        }
}

START_TEST(what_is_kept_of_a_call_that_waits_is_little_whatever_came_with_it) {
        Bytes bytes = {0};
        const uint32_t waste = 900 << 10;
        size_t before, zeros;

        raw_begin(&bytes, 0);
        (void)begin_raw(0, &bytes);
        settle();
        fake_machine_fault("look", "any", 0);
        bytes.size = 0;
        zeros = raw_call_with_waste(&bytes, 1, VFIOD_PATH "/group/4", VFIOD_INTERFACE_GROUP,
                                    "ListHolders", waste);
        before = memory_in_use();
        ck_assert_int_eq(raw_send(raw.socket, bytes.data, bytes.size, -1, 0), 0);
        send_many('a', waste);
        send_many('\0', zeros);
        wait_until(!list_is_empty(&fixture_bus()->calls));
        settle();
        ck_assert_uint_lt(memory_in_use(), before + (64 << 10));
        ck_assert_uint_eq(count_replies(), 0);
        fake_machine_clear("look", "any");
        wait_until(count_replies() == 1);
        end_raw();
}
END_TEST

/* More than the socket holds, and sixteen behind it. */
START_TEST(who_reads_no_signals_is_let_go_and_nobody_else) {
        Client *bystander = client_new();
        Bytes bytes = {0};
        unsigned rounds = 0;

        fixture_config()->limit_queued_messages = 16;
        raw_begin(&bytes, 0);
        (void)begin_raw(0, &bytes);
        settle();
        for (; !is_hung_up() && rounds < 1000; rounds++) {
                _cleanup_message_ Message *done = manager(bystander, rounds % 2 ? "Unbind" : "Bind",
                                                          "asa{sv}", 1, "0000:04:00.0", 0);

                expect_done(done);
                settle();
        }
        ck_assert_msg(rounds > 16 && rounds < 1000, "%u", rounds);
        expect_served(bystander);
        end_raw();
}
END_TEST

static void expect_refused_connection(uid_t uid, const char *key) {
        Client *surplus = client_new_as(uid);
        _cleanup_message_ Message *reply = manager(surplus, "ListGroups", NULL);

        expect_refusal(reply, "LimitExceeded", key);
        client_close(surplus);
        settle();
}

START_TEST(more_connections_of_a_uid_than_the_limit_are_refused_in_words) {
        Client *first, *other;

        fixture_config()->limit_connections_per_uid = 2;
        first = client_new_as(NOBODY);
        (void)client_new_as(NOBODY);
        expect_refused_connection(NOBODY, "limits.connections_per_uid");
        other = client_new_as(DAEMON);
        (void)client_new();
        (void)client_new();
        expect_served(client_new());
        {
                _cleanup_message_ Message *reply = manager(other, "ListGroups", NULL);

                expect_error(reply, SD_BUS_ERROR_ACCESS_DENIED, "");
        }
        /* A place that is given up is free. */
        client_close(first);
        settle();
        {
                _cleanup_message_ Message *reply =
                        manager(client_new_as(NOBODY), "ListGroups", NULL);

                expect_error(reply, SD_BUS_ERROR_ACCESS_DENIED, "");
        }
}
END_TEST

static void expect_admitted(uid_t uid) {
        _cleanup_message_ Message *reply = manager(client_new_as(uid), "ListGroups", NULL);

        expect_error(reply, SD_BUS_ERROR_ACCESS_DENIED, "");
}

START_TEST(more_connections_in_all_than_the_limit_are_refused_in_words_but_for_who_has_none) {
        fixture_config()->limit_connections = 2;
        expect_admitted(DAEMON);
        expect_admitted(DAEMON);
        expect_refused_connection(DAEMON, "limits.connections)");
        expect_admitted(NOBODY);
        expect_refused_connection(NOBODY, "limits.connections)");
}
END_TEST

START_TEST(those_who_have_no_other_connection_are_limited_to_twice_as_many_but_for_root) {
        fixture_config()->limit_connections = 1;
        expect_admitted(DAEMON);
        expect_admitted(NOBODY);
        expect_refused_connection(SOMEBODY, "limits.connections)");
        expect_served(client_new());
        expect_served(client_new());
}
END_TEST

START_TEST(only_a_few_are_told_that_they_are_too_many) {
        int ends[2], surplus[SURPLUS];

        add_surplus(surplus);
        make_pair(NOBODY, ends);
        ck_assert_int_eq(bus_add_peer(fixture_bus(), ends[0]), -EUSERS);
        fd_close(ends[1]);
        expect_served(client_new());
        for (size_t i = 0; i < SURPLUS; i++)
                fd_close(surplus[i]);
        settle();
}
END_TEST

START_TEST(a_connection_that_is_passed_on_is_still_that_of_who_made_it) {
        Client *passed = client_new_of_ended_process(NOBODY), *root = client_new();
        Client *of_root = client_new_of_ended_process(0);
        _cleanup_message_ Message *refused = manager(passed, "ListGroups", NULL);
        _cleanup_message_ Message *done = manager(of_root, "ListGroups", NULL);

        expect_error(refused, SD_BUS_ERROR_ACCESS_DENIED, "only root may do this");
        expect_done(done);
        expect_served(root);
}
END_TEST

START_TEST(a_release_is_asked_of_the_owners_connection_alone) {
        Client *owner = client_new_as(0), *other = client_new_as(0), *third = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(owner, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_message_ Message *reply = NULL;

        begin(third, &reply, "Unbind", "asa{sv}", 1, "group/4", 2, "policy", "s", "wait", "timeout",
              "t", (uint64_t)600000);
        wait_until(count_signals(owner, "ReleaseRequested", grant.path, NULL) == 1);
        settle();
        ck_assert_uint_eq(count_signals(other, "ReleaseRequested", NULL, NULL), 0);
        ck_assert_uint_gt(count_signals(other, "PropertiesChanged", grant.path, "releasing"), 0);
        client_close(third);
        settle();
}
END_TEST

static int keep_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        *(Message **)userdata = sd_bus_message_ref(reply);
        return 0;
}

static void send_get_fds(Client *client, Message **reply, const char *path) {
        ck_assert_int_ge(sd_bus_call_method_async(client->bus, NULL, NULL, path,
                                                  VFIOD_INTERFACE_LEASE, "GetFds", keep_reply,
                                                  reply, "uu", 0, 0),
                         0);
}

/* A client that does not read: its replies stay in the socket. */
START_TEST(files_that_are_not_read_are_limited_and_free_again_when_they_are) {
        Client *owner = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(owner, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_message_ Message *first = NULL, *second = NULL, *third = NULL;

        first = lease(owner, grant.path, "GetFds", "uu", 0, 0);
        expect_done(first);
        /* Three files each: one reply fits, and the next one only once that is read. */
        fixture_config()->limit_fds_in_flight = 5;
        ck_assert_int_ge(sd_bus_detach_event(owner->bus), 0);
        send_get_fds(owner, &second, grant.path);
        send_get_fds(owner, &third, grant.path);
        ck_assert_int_ge(sd_bus_flush(owner->bus), 0);
        settle();
        ck_assert_int_ge(sd_bus_attach_event(owner->bus, fixture_event(), SD_EVENT_PRIORITY_NORMAL),
                         0);
        wait_until(second && third);
        expect_done(second);
        expect_refusal(third, "LimitExceeded", "limits.fds_in_flight)");
        sd_bus_message_unref(third);
        third = lease(owner, grant.path, "GetFds", "uu", 0, 0);
        expect_done(third);
}
END_TEST

static bool kernel_keeps_enough;

/* In front of libsystemd's, since the kernel lets root have as many on their way as it likes. Here
 * the only replies without an error are those with files. */
int sd_bus_send(sd_bus *bus, sd_bus_message *m, uint64_t *ret_cookie) {
        int (*send_message)(sd_bus *bus, sd_bus_message *m, uint64_t *ret_cookie);
        uint8_t type;

        *(void **)&send_message = dlsym(RTLD_NEXT, "sd_bus_send");
        ck_assert_ptr_nonnull(send_message);
        ck_assert_int_ge(sd_bus_message_get_type(m, &type), 0);
        return kernel_keeps_enough && type == SD_BUS_MESSAGE_METHOD_RETURN
                       ? -ETOOMANYREFS
                       : send_message(bus, m, ret_cookie);
}

START_TEST(files_that_the_kernel_does_not_keep_are_refused_in_words) {
        Client *owner = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(owner, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_message_ Message *refused = NULL, *again = NULL;

        kernel_keeps_enough = true;
        refused = lease(owner, grant.path, "GetFds", "uu", 0, 0);
        expect_refusal(refused, "LimitExceeded", "as many unread files for vfiod as it may");
        kernel_keeps_enough = false;
        again = lease(owner, grant.path, "GetFds", "uu", 0, 0);
        expect_done(again);
}
END_TEST

/* A path for a socket of this test. */
static char *socket_path(void) {
        return fake_machine_path("socket");
}

static int connect_to(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                return fd;
        fd_close(fd);
        return -errno;
}

START_TEST(a_socket_that_a_dead_daemon_left_is_replaced_and_no_other_file) {
        _cleanup_free_ char *path = socket_path();
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct stat status;
        int fd;

        ck_assert_ptr_nonnull(path);
        fd_close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        ck_assert_int_eq(bus_listen_at(fixture_bus(), path), -EEXIST);
        ck_assert_int_eq(unlink(path), 0);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 1), 0);
        ck_assert_int_eq(bus_listen_at(fixture_bus(), path), -EADDRINUSE);
        fd_close(fd);
        ck_assert_int_eq(bus_listen_at(fixture_bus(), path), 0);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_uint_eq(status.st_mode & 07777, 0660);
}
END_TEST

START_TEST(who_connects_is_served_and_may_leave_at_once) {
        _cleanup_free_ char *path = socket_path();
        Client *bystander = client_new();
        Bytes bytes = {0};
        size_t before;

        ck_assert_int_eq(bus_listen_at(fixture_bus(), path), 0);
        expect_served(bystander);
        before = count_open_fds();
        for (unsigned i = 0; i < 20; i++)
                fd_close(connect_to(path));
        raw_begin(&bytes, 0);
        raw_call(&bytes, 1, LIST, NULL);
        raw = (Raw){.socket = connect_to(path)};
        ck_assert_int_eq(raw_send(raw.socket, bytes.data, bytes.size, -1, 0), 0);
        wait_until(count_replies() == 1);
        end_raw();
        expect_open_fds(before);
}
END_TEST

/*
 * Reads and closes that a signal disturbs every millisecond (daemon/bus/hurry.h). Valgrind closes
 * files with all signals blocked, which here would take hours; and it begins a read of much again
 * at each signal, which would be for ever.
 */
static void add_tests_of_hurry(TCase *tests) {
        tcase_add_test(tests, a_file_whose_last_close_waits_holds_up_nobody);
        tcase_add_test(tests, nor_does_one_of_a_connection_that_is_turned_away);
        tcase_add_test(tests, a_message_above_the_limit_ends_the_connection_before_it_is_whole);
        tcase_add_test(tests, what_is_kept_of_a_call_that_waits_is_little_whatever_came_with_it);
}

int main(void) {
        TCase *tests = bus_tests_new("bus-peer");

        tcase_add_test(tests, calls_that_come_together_with_the_end_of_authentication_are_answered);
        tcase_add_test(tests,
                       a_sender_in_the_header_changes_neither_who_it_is_nor_where_the_answer_goes);
        tcase_add_test(tests, files_end_the_connection_whatever_they_come_with);
        tcase_add_test(tests, files_are_not_let_in_where_the_kernel_can_keep_them_out);
        tcase_add_test(tests, a_client_that_says_nothing_is_let_go_in_time);
        tcase_add_test(tests, a_client_that_authenticates_while_something_happens_is_heard);
        tcase_add_test(tests, a_client_that_has_authenticated_may_be_silent_for_ever);
        tcase_add_test(tests, many_small_messages_are_not_one_big_one);
        tcase_add_test(tests,
                       half_a_message_and_a_call_under_way_leave_nothing_when_the_client_goes);
        tcase_add_test(
                tests,
                who_has_as_many_calls_waiting_as_it_may_is_read_from_again_when_one_is_answered);
        tcase_add_test(tests, who_leaves_while_it_is_not_read_from_is_forgotten);
        tcase_add_test(tests, everybody_is_told_the_same_in_full);
        tcase_add_test(tests, after_many_have_left_memory_is_given_back_once_and_not_before);
        tcase_add_test(tests, who_does_not_read_is_not_read_from_and_gets_all_answers_later);
        tcase_add_test(tests, who_reads_no_signals_is_let_go_and_nobody_else);
        tcase_add_test(tests, more_connections_of_a_uid_than_the_limit_are_refused_in_words);
        tcase_add_test(
                tests,
                more_connections_in_all_than_the_limit_are_refused_in_words_but_for_who_has_none);
        tcase_add_test(
                tests,
                those_who_have_no_other_connection_are_limited_to_twice_as_many_but_for_root);
        tcase_add_test(tests, only_a_few_are_told_that_they_are_too_many);
        tcase_add_test(tests, a_connection_that_is_passed_on_is_still_that_of_who_made_it);
        tcase_add_test(tests, a_release_is_asked_of_the_owners_connection_alone);
        tcase_add_test(tests, files_that_are_not_read_are_limited_and_free_again_when_they_are);
        tcase_add_test(tests, files_that_the_kernel_does_not_keep_are_refused_in_words);
        tcase_add_test(tests, a_socket_that_a_dead_daemon_left_is_replaced_and_no_other_file);
        tcase_add_test(tests, who_connects_is_served_and_may_leave_at_once);
        if (!getenv("VFIOD_TESTS_ON_VALGRIND"))
                add_tests_of_hurry(tests);
        return bus_tests_run(tests);
}
