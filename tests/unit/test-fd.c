/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/util/fd.h: who owns a file, and files in messages. */

#include "daemon/util/fd.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/fixture-check.h"

static bool is_cloexec(int fd) {
        int flags = fcntl(fd, F_GETFD);

        ck_assert_int_ge(flags, 0);
        return flags & FD_CLOEXEC;
}

static bool is_same_file(int a, int b) {
        struct stat x, y;

        return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
               x.st_ino == y.st_ino;
}

static void make_pair(int *ends) {
        ck_assert_int_eq(
                socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
}

START_TEST(closing_keeps_errno_and_forgets_the_number) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        errno = EXDEV;
        ck_assert_int_eq(fd_close(fd), -EBADF);
        ck_assert_int_eq(fd_close(fd), -EBADF);
        ck_assert_int_eq(fd_close(-EBADF), -EBADF);
        ck_assert_int_eq(errno, EXDEV);
        ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(a_duplicate_is_close_on_exec_and_no_standard_stream) {
        _cleanup_close_ int fd = open("/dev/null", O_RDONLY), duplicate = -EBADF;

        ck_assert(!is_cloexec(fd));
        duplicate = fd_duplicate(fd);
        ck_assert_int_ge(duplicate, 3);
        ck_assert(is_cloexec(duplicate));
        ck_assert(is_same_file(fd, duplicate));
        ck_assert_int_eq(fd_duplicate(-EBADF), -EBADF);
}
END_TEST

START_TEST(taking_leaves_nothing_behind) {
        _cleanup_close_ int taken = -EBADF;
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), number = fd;

        taken = TAKE_FD(fd);
        ck_assert_int_eq(fd, -EBADF);
        ck_assert_int_eq(taken, number);
}
END_TEST

START_TEST(a_message_brings_its_file_close_on_exec) {
        _cleanup_close_ int file = open("/dev/null", O_RDONLY), received = -EBADF;
        int ends[2], n;
        char text[8];

        make_pair(ends);
        ck_assert_int_eq(fd_send(ends[0], "hello", 6, file), 0);
        n = fd_receive(ends[1], text, sizeof(text), &received);
        ck_assert_int_eq(n, 6);
        ck_assert_str_eq(text, "hello");
        ck_assert(received != file && is_same_file(received, file));
        ck_assert(is_cloexec(received));
        fd_close(ends[0]);
        fd_close(ends[1]);
}
END_TEST

START_TEST(a_message_without_a_file_brings_none) {
        int ends[2], received = 0;
        char text[8];

        make_pair(ends);
        ck_assert_int_eq(fd_send(ends[0], "x", 1, -EBADF), 0);
        ck_assert_int_eq(fd_receive(ends[1], text, sizeof(text), &received), 1);
        ck_assert_int_eq(received, -EBADF);
        fd_close(ends[0]);
        fd_close(ends[1]);
}
END_TEST

START_TEST(an_empty_socket_says_again_and_a_closed_one_zero) {
        int ends[2], received;
        char text[8];

        make_pair(ends);
        ck_assert_int_eq(fd_receive(ends[1], text, sizeof(text), &received), -EAGAIN);
        fd_close(ends[0]);
        ck_assert_int_eq(fd_receive(ends[1], text, sizeof(text), &received), 0);
        ck_assert_int_eq(received, -EBADF);
        ck_assert_int_eq(fd_send(ends[1], "x", 1, -EBADF), -EPIPE);
        fd_close(ends[1]);
}
END_TEST

START_TEST(a_closed_file_cannot_be_sent) {
        int ends[2];

        make_pair(ends);
        ck_assert_int_eq(fd_send(ends[0], "x", 1, 1023), -EBADF);
        fd_close(ends[0]);
        fd_close(ends[1]);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("fd");

        tcase_add_test(tests, closing_keeps_errno_and_forgets_the_number);
        tcase_add_test(tests, a_duplicate_is_close_on_exec_and_no_standard_stream);
        tcase_add_test(tests, taking_leaves_nothing_behind);
        tcase_add_test(tests, a_message_brings_its_file_close_on_exec);
        tcase_add_test(tests, a_message_without_a_file_brings_none);
        tcase_add_test(tests, an_empty_socket_says_again_and_a_closed_one_zero);
        tcase_add_test(tests, a_closed_file_cannot_be_sent);
        return tests_run(tests);
}
