/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvfiod is asked for a lease, by signal and by byte, or the lease ends. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-lib.h"

typedef struct Heard {
        unsigned requests;
        unsigned ends;
        bool any;
        bool over;
        uint64_t deadline;
        char *reason;
        bool free_lease; /* in the callback */
        bool release;
} Heard;

static void heard_done(Heard *heard) {
        free(heard->reason);
}

static void on_event(vfiod_lease *lease, const vfiod_lease_event *event, void *userdata) {
        Heard *heard = userdata;

        heard->any = true;
        if (event->type == VFIOD_LEASE_ENDED) {
                heard->ends++;
                heard->over = true;
        } else {
                heard->requests++;
                heard->deadline = event->deadline;
                ck_assert_int_ge(string_set(&heard->reason, event->reason), 0);
        }
        if (heard->release)
                ck_assert_int_eq(vfiod_lease_release(lease), 0);
        if (heard->free_lease)
                vfiod_lease_free(lease);
}

static vfiod_lease *acquire(const Client *client, Heard *heard) {
        vfiod_lease *lease = NULL;

        ck_assert_int_eq(vfiod_acquire(client->c, TARGETS(SCRIPT_DEVICE), NULL, &lease), 0);
        vfiod_lease_set_callback(lease, on_event, heard);
        return lease;
}

#define _cleanup_heard_ _cleanup_(heard_done)

/* Nothing more comes for a while. */
static void assert_quiet(const Client *client) {
        struct pollfd fd = {.fd = vfiod_connection_get_fd(client->c), .events = POLLIN};

        ck_assert_int_eq(poll(&fd, 1, 100), 0);
}

START_TEST(who_asks_for_the_lease_is_told_once_with_the_reason) {
        _cleanup_client_ Client client =
                client_start(&(Script){.n_devices = 1, .ask_back_at = 50, .reason = "root asks"});
        _cleanup_heard_ Heard heard = {0};
        _cleanup_lease_ _unused_ vfiod_lease *lease = acquire(&client, &heard);

        client_process_until(&client, &heard.any);
        assert_quiet(&client);
        ck_assert_uint_eq(heard.requests, 1);
        ck_assert_str_eq(heard.reason, "root asks");
        ck_assert_uint_eq(heard.ends, 0);
}
END_TEST

START_TEST(the_byte_alone_is_a_request_with_the_deadline_of_the_lease) {
        _cleanup_client_ Client client =
                client_start(&(Script){.n_devices = 1, .ask_back_at = 50, .deadline_in = 60000});
        _cleanup_heard_ Heard heard = {0};
        _cleanup_lease_ vfiod_lease *lease = acquire(&client, &heard);
        char byte;

        client_process_until(&client, &heard.any);
        assert_quiet(&client);
        ck_assert_uint_eq(heard.requests, 1);
        ck_assert_str_eq(heard.reason, "");
        ck_assert_uint_gt(heard.deadline, clock_now(CLOCK_REALTIME));
        /* It is left for whoever else has the file. */
        ck_assert_int_eq(read(vfiod_lease_get_fd(lease, "lease", NULL), &byte, 1), 1);
        ck_assert_int_eq(byte, 'r');
}
END_TEST

START_TEST(a_request_of_somebody_else_is_not_believed) {
        _cleanup_client_ Client client =
                client_start(&(Script){.n_devices = 1, .ask_back_at = 50, .forged_first = true});
        _cleanup_heard_ Heard heard = {0};
        _cleanup_lease_ _unused_ vfiod_lease *lease = acquire(&client, &heard);

        /* What is told is the byte, which is the daemon's, and nothing that the other says. */
        client_process_until(&client, &heard.any);
        assert_quiet(&client);
        ck_assert_uint_eq(heard.requests, 1);
        ck_assert_str_eq(heard.reason, "");
}
END_TEST

START_TEST(a_request_of_the_vfiod_after_a_restart_is_believed) {
        _cleanup_client_ Client client = client_start(
                &(Script){.n_devices = 1, .ask_back_at = 50, .reason = "again", .restarted = true});
        _cleanup_heard_ Heard heard = {0};
        _cleanup_lease_ _unused_ vfiod_lease *lease = acquire(&client, &heard);

        client_process_until(&client, &heard.any);
        ck_assert_uint_eq(heard.requests, 1);
        ck_assert_str_eq(heard.reason, "again");
}
END_TEST

START_TEST(a_request_that_came_during_another_call_is_not_lost) {
        _cleanup_client_ Client client =
                client_start(&(Script){.n_devices = 1, .ask_back_at = 50, .reason = "meanwhile"});
        _cleanup_heard_ Heard heard = {0};
        _cleanup_lease_ vfiod_lease *lease = acquire(&client, &heard);

        /* The lease file does not tell: only the signal can. */
        (void)fd_close(vfiod_lease_take_fd(lease, "lease", NULL));
        (void)usleep(200000);
        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), NULL), 0);
        ck_assert(!heard.any);
        client_process_until(&client, &heard.any);
        ck_assert_str_eq(heard.reason, "meanwhile");
        assert_quiet(&client);
}
END_TEST

START_TEST(the_end_of_the_lease_is_told_once) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1, .end_at = 50});
        _cleanup_heard_ Heard heard = {0};
        _cleanup_lease_ _unused_ vfiod_lease *lease = acquire(&client, &heard);

        client_process_until(&client, &heard.over);
        assert_quiet(&client);
        ck_assert_int_eq(vfiod_connection_process(client.c), 0);
        ck_assert_uint_eq(heard.ends, 1);
        ck_assert_uint_eq(heard.requests, 0);
}
END_TEST

START_TEST(an_end_behind_a_request_is_not_mistaken_for_another) {
        _cleanup_client_ Client client = client_start(
                &(Script){.n_devices = 1, .ask_back_at = 20, .reason = "soon", .end_at = 300});
        _cleanup_heard_ Heard heard = {0};
        _cleanup_lease_ _unused_ vfiod_lease *lease = acquire(&client, &heard);

        client_process_until(&client, &heard.over);
        ck_assert_uint_eq(heard.requests, 1);
        ck_assert_uint_eq(heard.ends, 1);
}
END_TEST

START_TEST(a_daemon_that_dies_ends_its_leases) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1, .die_at = 50});
        _cleanup_heard_ Heard heard = {0};
        _cleanup_lease_ _unused_ vfiod_lease *lease = acquire(&client, &heard);
        int r = 0;

        while (r == 0 || !heard.over) {
                struct pollfd fd = {.fd = vfiod_connection_get_fd(client.c), .events = POLLIN};

                ck_assert_int_ge(poll(&fd, 1, 100), 0);
                r = vfiod_connection_process(client.c);
        }
        ck_assert_int_eq(r, -ECONNRESET);
        ck_assert_uint_eq(heard.ends, 1);
}
END_TEST

START_TEST(a_callback_may_release_and_free_the_lease) {
        _cleanup_client_ Client client =
                client_start(&(Script){.n_devices = 1, .ask_back_at = 50, .reason = "please"});
        _cleanup_heard_ Heard heard = {.free_lease = true, .release = true};
        size_t before = count_fds();

        (void)acquire(&client, &heard);
        client_process_until(&client, &heard.any);
        assert_quiet(&client);
        ck_assert_uint_eq(count_fds(), before);
        ck_assert_ptr_nonnull(strstr(client_leave(&client), "Release\nleft\n"));
}
END_TEST

START_TEST(a_lease_file_that_was_taken_tells_its_new_owner_alone) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1, .ask_back_at = 50});
        _cleanup_heard_ Heard heard = {0};
        vfiod_lease *lease = acquire(&client, &heard);
        _cleanup_close_ int lease_fd = vfiod_lease_take_fd(lease, "lease", NULL);
        struct pollfd fd = {.fd = lease_fd, .events = POLLIN};

        vfiod_lease_free(lease);
        ck_assert_int_eq(poll(&fd, 1, 30000), 1);
        assert_quiet(&client);
        ck_assert_int_eq(vfiod_connection_process(client.c), 0);
        ck_assert(!heard.any);
}
END_TEST

START_TEST(asking_for_the_deadline_asks_no_user) {
        _cleanup_client_ Client client =
                client_start(&(Script){.n_devices = 1, .ask_back_at = 50, .deadline_in = 60000});
        _cleanup_heard_ Heard heard = {0};
        _cleanup_lease_ vfiod_lease *lease = NULL, *other = NULL;

        ck_assert_int_eq(vfiod_connection_set_interactive(client.c, true), 0);
        lease = acquire(&client, &heard);
        ck_assert_int_eq(vfiod_lease_open(client.c, SCRIPT_LEASE, &other), 0);
        client_process_until(&client, &heard.any);
        ck_assert_uint_gt(heard.deadline, 0);
        /* Once by whoever opened the other, and not again. */
        ck_assert_str_eq(client_leave(&client), "Acquire [\"" SCRIPT_DEVICE "\"] {} interactive\n"
                                                "properties interactive\nleft\n");
}
END_TEST

START_TEST(without_a_callback_nothing_is_lost_but_the_news) {
        _cleanup_client_ Client client =
                client_start(&(Script){.n_devices = 1, .ask_back_at = 20, .reason = "unheard"});
        _cleanup_heard_ Heard heard = {0};
        _cleanup_lease_ vfiod_lease *lease = acquire(&client, &heard);

        vfiod_lease_set_callback(lease, NULL, NULL);
        (void)usleep(200000);
        ck_assert_int_eq(vfiod_connection_process(client.c), 0);
        ck_assert(!heard.any);
        assert_quiet(&client);
}
END_TEST

START_TEST(a_lease_that_is_opened_hears_of_requests_by_signal) {
        _cleanup_client_ Client client =
                client_start(&(Script){.n_devices = 1, .ask_back_at = 50, .reason = "by signal"});
        _cleanup_heard_ Heard unheard = {0}, heard = {0};
        vfiod_lease *first = acquire(&client, &unheard);
        _cleanup_lease_ vfiod_lease *lease = NULL;

        ck_assert_int_eq(vfiod_lease_open(client.c, SCRIPT_LEASE, &lease), 0);
        vfiod_lease_set_callback(lease, on_event, &heard);
        vfiod_lease_free(first);
        client_process_until(&client, &heard.any);
        ck_assert_str_eq(heard.reason, "by signal");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("lib-event");

        tcase_add_test(tests, who_asks_for_the_lease_is_told_once_with_the_reason);
        tcase_add_test(tests, the_byte_alone_is_a_request_with_the_deadline_of_the_lease);
        tcase_add_test(tests, a_request_of_somebody_else_is_not_believed);
        tcase_add_test(tests, a_request_of_the_vfiod_after_a_restart_is_believed);
        tcase_add_test(tests, a_request_that_came_during_another_call_is_not_lost);
        tcase_add_test(tests, the_end_of_the_lease_is_told_once);
        tcase_add_test(tests, an_end_behind_a_request_is_not_mistaken_for_another);
        tcase_add_test(tests, a_daemon_that_dies_ends_its_leases);
        tcase_add_test(tests, a_callback_may_release_and_free_the_lease);
        tcase_add_test(tests, a_lease_file_that_was_taken_tells_its_new_owner_alone);
        tcase_add_test(tests, asking_for_the_deadline_asks_no_user);
        tcase_add_test(tests, without_a_callback_nothing_is_lost_but_the_news);
        tcase_add_test(tests, a_lease_that_is_opened_hears_of_requests_by_signal);
        return tests_run(tests);
}
