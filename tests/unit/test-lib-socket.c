/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The private socket: when libvfiod takes it, what it says when it cannot, and that a connection
 * without a bus between is as good as one with.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-lib.h"

#define NO_SERVER "org.freedesktop.DBus.Error.NoServer"
#define NOBODY 65534
/* More than a message of the bus carries. */
#define MANY 40

/* The addresses that a client finds by itself; either may be NULL: none is set. */
static void set_addresses(const char *bus, const char *socket) {
        ck_assert_int_eq(bus ? setenv("DBUS_SYSTEM_BUS_ADDRESS", bus, 1)
                             : unsetenv("DBUS_SYSTEM_BUS_ADDRESS"),
                         0);
        ck_assert_int_eq(socket ? setenv(VFIOD_SOCKET_VARIABLE, socket, 1)
                                : unsetenv(VFIOD_SOCKET_VARIABLE),
                         0);
}

/* The scripted daemon, and a connection that is not open yet. */
static Client client_prepare(const Script *script) {
        static const int none[2] = {-1, -1};
        Client client = {0};

        client.daemon = daemon_start(script, none, &client.address, &client.log);
        ck_assert_int_eq(vfiod_connection_new(&client.c), 0);
        return client;
}

/* Opens, without an address, what must fail; *ret is the sentence, owned by the caller. */
static int fail_to_open(const char *socket, bool explicitly, char **ret) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        int r;

        ck_assert_int_eq(vfiod_connection_new(&c), 0);
        r = explicitly ? vfiod_connection_open_socket(c, socket) : vfiod_connection_open(c, NULL);
        ck_assert_int_lt(r, 0);
        ck_assert_int_eq(vfiod_connection_get_fd(c), -ENOTCONN);
        *ret = strdup(string_or_empty(vfiod_error_message(c)));
        return r;
}

START_TEST(the_socket_is_taken_where_there_is_no_bus) {
        _cleanup_client_ Client client = client_prepare(&(Script){.peer = true});

        set_addresses(NO_BUS, client.address);
        ck_assert_int_eq(vfiod_connection_open(client.c, NULL), 0);
        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), NULL), 0);
        ck_assert_str_eq(client_leave(&client), "Bind [\"a\"] {}\nleft\n");
}
END_TEST

START_TEST(a_bus_that_refuses_connections_is_none) {
        _cleanup_client_ Client client = client_prepare(&(Script){.peer = true});
        _cleanup_free_ char *stale = NULL, *bus = NULL;

        (void)fd_close(daemon_listen_at_path(&stale));
        bus = string_format("unix:path=%s", stale);
        set_addresses(bus, client.address);
        ck_assert_int_eq(vfiod_connection_open(client.c, NULL), 0);
        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), NULL), 0);
        daemon_remove_path(stale);
}
END_TEST

START_TEST(a_bus_is_taken_before_the_socket) {
        _cleanup_client_ Client client = client_prepare(&(Script){0});

        set_addresses(client.address, "/nonexistent/socket");
        ck_assert_int_eq(vfiod_connection_open(client.c, NULL), 0);
        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), NULL), 0);
}
END_TEST

START_TEST(no_other_failure_of_the_bus_leads_to_the_socket) {
        static const struct {
                const char *bus, *says;
        } rows[] = {
                {"unix:path=/dev/null/bus", "The system bus cannot be reached: Not a directory"},
                {"unix:nonsense=1", "The system bus cannot be reached: Invalid argument"},
                {"no address", "The system bus cannot be reached: Connection refused"},
        };
        _cleanup_free_ char *path = NULL;
        _unused_ _cleanup_close_ int listener = daemon_listen_at_path(&path);

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *sentence = NULL;

                set_addresses(rows[i].bus, path);
                ck_assert_int_eq(fail_to_open(NULL, false, &sentence), -EHOSTUNREACH);
                assert_row_str(rows[i].bus, sentence, rows[i].says);
        }
        daemon_remove_path(path);
}
END_TEST

START_TEST(where_there_is_neither_both_are_named) {
        _cleanup_free_ char *sentence = NULL;

        set_addresses(NO_BUS, "/nonexistent/socket");
        ck_assert_int_eq(fail_to_open(NULL, false, &sentence), -EHOSTUNREACH);
        ck_assert_str_eq(sentence,
                         "The system bus cannot be reached: No such file or directory; nobody "
                         "listens at /nonexistent/socket: is vfiod.socket started?");
}
END_TEST

START_TEST(a_socket_that_nobody_listens_at_names_its_unit) {
        _cleanup_free_ char *missing = NULL, *refused = NULL, *stale = NULL, *expected = NULL;

        ck_assert_int_eq(fail_to_open("/nonexistent/socket", true, &missing), -EHOSTUNREACH);
        ck_assert_str_eq(missing,
                         "nobody listens at /nonexistent/socket: is vfiod.socket started?");
        (void)fd_close(daemon_listen_at_path(&stale));
        expected = string_format("nobody listens at %s: is vfiod.socket started?", stale);
        ck_assert_int_eq(fail_to_open(stale, true, &refused), -EHOSTUNREACH);
        ck_assert_str_eq(refused, expected);
        daemon_remove_path(stale);
}
END_TEST

START_TEST(whoever_may_not_connect_is_told_the_group) {
        _cleanup_free_ char *path = NULL, *sentence = NULL, *expected = NULL;
        _unused_ _cleanup_close_ int listener = daemon_listen_at_path(&path);

        expected = string_format("%s is for root and members of the group vfio", path);
        ck_assert_int_eq(chmod(path, 0), 0);
        if (geteuid() == 0)
                ck_assert_int_eq(seteuid(NOBODY), 0);
        ck_assert_int_eq(fail_to_open(path, true, &sentence), -EACCES);
        if (getuid() == 0)
                ck_assert_int_eq(seteuid(0), 0);
        ck_assert_str_eq(sentence, expected);
        daemon_remove_path(path);
}
END_TEST

START_TEST(a_path_that_no_socket_can_have_is_refused) {
        _cleanup_free_ char *sentence = NULL;
        char path[200];

        memset(path, 'x', sizeof(path) - 1);
        path[sizeof(path) - 1] = '\0';
        ck_assert_int_eq(fail_to_open(path, true, &sentence), -EHOSTUNREACH);
        ck_assert_ptr_nonnull(strstr(sentence, "xxx cannot be reached: File name too long"));
}
END_TEST

/* How many connections wait is up to the listener, and to who takes them. */
START_TEST(a_full_queue_is_waited_for_and_no_longer_than_for_an_answer) {
        _cleanup_free_ char *path = NULL;
        _unused_ _cleanup_close_ int listener = daemon_listen_at_path(&path);
        vfiod_connection *c[8] = {NULL};
        size_t n = 0;
        int r = 0;

        for (; r == 0; n++) {
                ck_assert_uint_lt(n, ELEMENTS(c));
                ck_assert_int_eq(vfiod_connection_new(&c[n]), 0);
                ck_assert_int_eq(vfiod_connection_set_timeout(c[n], 50), 0);
                r = vfiod_connection_open_socket(c[n], path);
        }
        ck_assert_int_eq(r, -ETIMEDOUT);
        ck_assert_ptr_nonnull(strstr(vfiod_error_message(c[n - 1]), "too many are waiting"));
        while (n > 0)
                vfiod_connection_free(c[--n]);
        daemon_remove_path(path);
}
END_TEST

START_TEST(an_open_connection_is_not_opened_again) {
        _cleanup_client_ Client client = client_start(&(Script){.peer = true});

        ck_assert_int_eq(vfiod_connection_open_socket(client.c, NULL), -EISCONN);
        ck_assert_int_eq(vfiod_connection_open(client.c, NULL), -EISCONN);
        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), NULL), 0);
}
END_TEST

START_TEST(a_connection_that_is_hung_up_says_why_that_may_be) {
        _cleanup_client_ Client client = client_prepare(&(Script){.peer = true, .hangs_up = true});
        int r;

        /* Which of the two finds out is up to who is faster. */
        r = vfiod_connection_open_socket(client.c, client.address);
        if (r == 0)
                r = vfiod_bind(client.c, TARGETS("a"), NULL);
        ck_assert_int_eq(r, -ECONNRESET);
        ck_assert_str_eq(vfiod_error_name(client.c), "org.freedesktop.DBus.Error.Disconnected");
        ck_assert_str_eq(vfiod_error_message(client.c),
                         "vfiod closed the connection: it was stopped, or its limits do not allow "
                         "this one");
}
END_TEST

static size_t count_files(const vfiod_lease *lease) {
        size_t n = 0;

        while (vfiod_lease_get_file(lease, n))
                n++;
        return n;
}

START_TEST(one_reply_carries_more_files_than_on_the_bus) {
        _cleanup_client_ Client client = client_start(&(Script){.peer = true, .n_devices = MANY});
        vfiod_lease *lease = NULL;

        ck_assert_int_eq(vfiod_acquire(client.c, TARGETS("a"), NULL, &lease), 0);
        ck_assert_uint_eq(count_files(lease), MANY + 2);
        ck_assert_int_eq(vfiod_lease_fetch_files(lease), 0);
        ck_assert_uint_eq(count_files(lease), MANY + 2);
        vfiod_lease_free(lease);
        ck_assert_str_eq(client_leave(&client), "Acquire [\"a\"] {}\nGetFds 0 0\nleft\n");
}
END_TEST

START_TEST(more_files_than_one_reply_carries_come_in_pages) {
        _cleanup_client_ Client client = client_start(&(Script){.peer = true, .n_devices = 300});
        vfiod_lease *lease = NULL;

        ck_assert_int_eq(vfiod_acquire(client.c, TARGETS("a"), NULL, &lease), 0);
        ck_assert_uint_eq(count_files(lease), 302);
        ck_assert_str_eq(vfiod_lease_get_file(lease, 301)->name, "0000:01:00.299");
        vfiod_lease_free(lease);
        ck_assert_str_eq(client_leave(&client), "Acquire [\"a\"] {}\n"
                                                "Acquire [\"a\"] {\"defer_fds\":true}\n"
                                                "GetFds 0 0\nGetFds 253 0\nleft\n");
}
END_TEST

typedef struct Told {
        bool asked;
        char *reason;
} Told;

static void on_event(vfiod_lease *lease _unused_, const vfiod_lease_event *event, void *userdata) {
        Told *told = userdata;

        ck_assert_int_eq(event->type, VFIOD_LEASE_RELEASE_REQUESTED);
        told->asked = true;
        told->reason = strdup(event->reason);
}

START_TEST(being_asked_back_comes_with_its_reason) {
        _cleanup_client_ Client client = client_start(
                &(Script){.peer = true, .n_devices = 1, .ask_back_at = 1, .reason = "wanted"});
        _cleanup_lease_ vfiod_lease *lease = NULL;
        Told told = {0};

        ck_assert_int_eq(vfiod_acquire(client.c, TARGETS("a"), NULL, &lease), 0);
        vfiod_lease_set_callback(lease, on_event, &told);
        client_process_until(&client, &told.asked);
        ck_assert_str_eq(told.reason, "wanted");
        free(told.reason);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("lib-socket");

        tcase_add_test(tests, the_socket_is_taken_where_there_is_no_bus);
        tcase_add_test(tests, a_bus_that_refuses_connections_is_none);
        tcase_add_test(tests, a_bus_is_taken_before_the_socket);
        tcase_add_test(tests, no_other_failure_of_the_bus_leads_to_the_socket);
        tcase_add_test(tests, where_there_is_neither_both_are_named);
        tcase_add_test(tests, a_socket_that_nobody_listens_at_names_its_unit);
        tcase_add_test(tests, whoever_may_not_connect_is_told_the_group);
        tcase_add_test(tests, a_path_that_no_socket_can_have_is_refused);
        tcase_add_test(tests, a_full_queue_is_waited_for_and_no_longer_than_for_an_answer);
        tcase_add_test(tests, an_open_connection_is_not_opened_again);
        tcase_add_test(tests, a_connection_that_is_hung_up_says_why_that_may_be);
        tcase_add_test(tests, one_reply_carries_more_files_than_on_the_bus);
        tcase_add_test(tests, more_files_than_one_reply_carries_come_in_pages);
        tcase_add_test(tests, being_asked_back_comes_with_its_reason);
        return tests_run(tests);
}
