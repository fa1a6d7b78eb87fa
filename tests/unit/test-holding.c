/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/holding.h: the pipe that a lease lives as long as. */

#include "daemon/broker/holding.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/unit/fixture-check.h"

#define LEASE 7
/* Long enough for an event that is due, short enough for one that must not come. */
#define SETTLE_USEC 100000
#define WAIT_USEC 10000000

static sd_event *event;
static unsigned abandoned;
static Roots roots = ROOTS_NULL;

static void on_abandoned(void *userdata, uint32_t lease) {
        ck_assert_ptr_eq(userdata, &abandoned);
        ck_assert_uint_eq(lease, LEASE);
        abandoned++;
}

static Holding *begin(int *read_end) {
        Holding *holding;

        abandoned = 0;
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(roots_open(&roots), 0);
        ck_assert_int_eq(holding_new(event, LEASE, on_abandoned, &abandoned, read_end, &holding),
                         0);
        return holding;
}

static void end(Holding *holding) {
        ck_assert_ptr_null(holding_free(holding));
        roots_done(&roots);
        sd_event_unref(event);
}

static void assert_not_abandoned(void) {
        ck_assert_int_eq(sd_event_run(event, SETTLE_USEC), 0);
        ck_assert_uint_eq(abandoned, 0);
}

static void assert_abandoned(void) {
        ck_assert_int_gt(sd_event_run(event, WAIT_USEC), 0);
        ck_assert_uint_eq(abandoned, 1);
}

START_TEST(closing_the_only_read_end_abandons_the_lease_once) {
        int read_end;
        Holding *holding = begin(&read_end);

        assert_not_abandoned();
        ck_assert(fcntl(read_end, F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(holding->pipe, F_GETFD) & FD_CLOEXEC);
        fd_close(read_end);
        assert_abandoned();
        ck_assert_int_eq(holding->pipe, -EBADF);
        ck_assert_int_eq(sd_event_run(event, SETTLE_USEC), 0);
        ck_assert_uint_eq(abandoned, 1);
        end(holding);
}
END_TEST

START_TEST(a_duplicate_keeps_the_lease) {
        int read_end, copy;
        Holding *holding = begin(&read_end);

        copy = fd_duplicate(read_end);
        fd_close(read_end);
        assert_not_abandoned();
        fd_close(copy);
        assert_abandoned();
        end(holding);
}
END_TEST

/* A child with nothing but the read end, until its standard input ends. */
static pid_t start_child(int read_end, int *ret_leash) {
        int leash[2];
        pid_t pid;

        ck_assert_int_eq(pipe2(leash, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                char byte;

                (void)dup2(read_end, 3);
                (void)dup2(leash[0], 0);
                (void)close_range(4, ~0U, 0);
                _exit(read(0, &byte, 1) == 0 ? 0 : 1);
        }
        fd_close(leash[0]);
        *ret_leash = leash[1];
        return pid;
}

START_TEST(whoever_has_the_last_copy_keeps_the_lease_until_it_exits) {
        int read_end, leash;
        Holding *holding = begin(&read_end);
        pid_t pid = start_child(read_end, &leash);

        fd_close(read_end);
        assert_not_abandoned();
        fd_close(leash);
        assert_abandoned();
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        end(holding);
}
END_TEST

START_TEST(a_killed_holder_lets_go_too) {
        int read_end, leash;
        Holding *holding = begin(&read_end);
        pid_t pid = start_child(read_end, &leash);

        fd_close(read_end);
        assert_not_abandoned();
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        assert_abandoned();
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        fd_close(leash);
        end(holding);
}
END_TEST

START_TEST(a_read_end_opened_anew_is_as_good_as_the_first) {
        int read_end, again;
        Holding *holding = begin(&read_end);

        again = holding_open_read_end(holding, &roots);
        ck_assert_int_ge(again, 0);
        ck_assert(fcntl(again, F_GETFD) & FD_CLOEXEC);
        ck_assert_int_eq(fcntl(again, F_GETFL) & O_ACCMODE, O_RDONLY);
        fd_close(read_end);
        assert_not_abandoned();
        fd_close(again);
        assert_abandoned();
        ck_assert_int_eq(holding_open_read_end(holding, &roots), -EPIPE);
        end(holding);
}
END_TEST

START_TEST(the_holder_reads_end_of_file_when_the_lease_is_over) {
        int read_end;
        Holding *holding = begin(&read_end);
        char byte;

        ck_assert_int_eq(read(read_end, &byte, 1), -1);
        ck_assert_int_eq(errno, EAGAIN);
        holding_close_pipe(holding);
        ck_assert_int_eq(read(read_end, &byte, 1), 0);
        fd_close(read_end);
        assert_not_abandoned();
        end(holding);
}
END_TEST

START_TEST(freeing_closes_the_files_of_the_lease) {
        int read_end;
        Holding *holding = begin(&read_end);

        ck_assert_int_eq(handles_add_consume(&holding->files, HANDLE_GROUP, 3, NULL,
                                             open("/dev/null", O_RDONLY | O_CLOEXEC)),
                         0);
        end(holding);
        fd_close(read_end);
        ck_assert_ptr_null(holding_free(NULL));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("holding");

        tcase_add_test(tests, closing_the_only_read_end_abandons_the_lease_once);
        tcase_add_test(tests, a_duplicate_keeps_the_lease);
        tcase_add_test(tests, whoever_has_the_last_copy_keeps_the_lease_until_it_exits);
        tcase_add_test(tests, a_killed_holder_lets_go_too);
        tcase_add_test(tests, a_read_end_opened_anew_is_as_good_as_the_first);
        tcase_add_test(tests, the_holder_reads_end_of_file_when_the_lease_is_over);
        tcase_add_test(tests, freeing_closes_the_files_of_the_lease);
        return tests_run(tests);
}
