/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/kernel/memlock.h and process-stat.h, on processes that the tests start. Pidfds are those
 * of stub-process.c, so that a process can end at the worst moment.
 */

#include "daemon/kernel/memlock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/stub/stub-process.h"
#include "tests/unit/fixture-check.h"

/* What any environment has. */
#define SOFT 16384U
#define MORE 32768U
#define HARD 65536U

static Roots roots = ROOTS_NULL;

/* A process with known limits, that ends with the test. */
static ProcessPin start(uint64_t soft, uint64_t hard) {
        const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
        ProcessPin process = {.pid = fork(), .uid = geteuid()};

        if (process.pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        (void)pause();
        }
        ck_assert_int_gt(process.pid, 0);
        ck_assert_int_eq(prlimit(process.pid, RLIMIT_MEMLOCK, &limit, NULL), 0);
        ck_assert_int_eq(process_read_start_time(&roots, process.pid, &process.start_time), 0);
        return process;
}

static void end(pid_t pid) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
}

static void assert_limits(const ProcessPin *process, uint64_t soft, uint64_t hard) {
        struct rlimit limit;

        ck_assert_int_eq(prlimit(process->pid, RLIMIT_MEMLOCK, NULL, &limit), 0);
        ck_assert_uint_eq(limit.rlim_cur, soft);
        ck_assert_uint_eq(limit.rlim_max, hard);
}

static void setup(void) {
        stub_process = (StubProcess){.n_files = 0};
        roots.proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void teardown(void) {
        roots.proc_fd = fd_close(roots.proc_fd);
}

START_TEST(the_soft_limit_is_raised_below_the_hard_one_and_put_back) {
        const ProcessPin process = start(SOFT, HARD);
        MemlockLimits old = {0};

        ck_assert_int_eq(memlock_raise(&roots, &process, MORE, &old), 0);
        assert_limits(&process, MORE, HARD);
        ck_assert_uint_eq(old.soft, SOFT);
        ck_assert_uint_eq(old.hard, HARD);
        ck_assert_int_eq(memlock_restore(&roots, &process, &old), 0);
        assert_limits(&process, SOFT, HARD);
        end(process.pid);
}
END_TEST

/* Containers have no CAP_SYS_RESOURCE; the lab case has. */
START_TEST(the_hard_limit_is_raised_too_or_nothing_is) {
        const ProcessPin process = start(SOFT, HARD);
        MemlockLimits old;
        int r = memlock_raise(&roots, &process, 2 * HARD, &old);

        if (r == -EPERM)
                assert_limits(&process, SOFT, HARD);
        else {
                ck_assert_int_eq(r, 0);
                assert_limits(&process, 2 * HARD, 2 * HARD);
        }
        end(process.pid);
}
END_TEST

START_TEST(a_limit_is_never_lowered) {
        const ProcessPin process = start(MORE, HARD);
        MemlockLimits old;

        ck_assert_int_eq(memlock_raise(&roots, &process, SOFT, &old), 0);
        assert_limits(&process, MORE, HARD);
        ck_assert_int_eq(memlock_restore(&roots, &process, &old), 0);
        assert_limits(&process, MORE, HARD);
        end(process.pid);
}
END_TEST

START_TEST(a_process_that_started_at_another_time_is_another_one) {
        const ProcessPin process = start(SOFT, HARD);
        const MemlockLimits old = {.soft = 1, .hard = 1};
        ProcessPin other = process;
        MemlockLimits limits;

        other.start_time--;
        ck_assert_int_eq(memlock_raise(&roots, &other, MORE, &limits), -ESRCH);
        ck_assert_int_eq(memlock_restore(&roots, &other, &old), 0);
        assert_limits(&process, SOFT, HARD);
        end(process.pid);
}
END_TEST

START_TEST(a_process_of_another_user_is_left_alone_but_gets_its_own_back) {
        const ProcessPin process = start(SOFT, HARD);
        ProcessPin other = process;
        MemlockLimits old;

        other.uid++;
        ck_assert_int_eq(memlock_raise(&roots, &other, MORE, &old), -EPERM);
        assert_limits(&process, SOFT, HARD);
        ck_assert_int_eq(memlock_raise(&roots, &process, MORE, &old), 0);
        ck_assert_int_eq(memlock_restore(&roots, &other, &old), 0);
        assert_limits(&process, SOFT, HARD);
        end(process.pid);
}
END_TEST

START_TEST(a_process_whose_uids_differ_is_not_its_users_alone) {
        ProcessPin process = {.uid = 65534};
        int ready[2];
        char byte;

        if (geteuid() != 0)
                return;
        ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
        process.pid = fork();
        if (process.pid == 0) {
                if (setresuid(65534, 65534, 0) == 0 && write(ready[1], "", 1) == 1)
                        (void)pause();
                _exit(1);
        }
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        ck_assert_int_eq(process_read_start_time(&roots, process.pid, &process.start_time), 0);
        ck_assert_int_eq(process_check(&roots, &process), -EPERM);
        end(process.pid);
        (void)close(ready[0]);
        (void)close(ready[1]);
}
END_TEST

START_TEST(of_a_process_that_is_gone_nothing_is_raised_or_put_back) {
        const ProcessPin process = start(SOFT, HARD);
        const MemlockLimits old = {.soft = 1, .hard = 1};
        MemlockLimits limits;
        uint64_t start_time;

        end(process.pid);
        ck_assert_int_eq(memlock_raise(&roots, &process, MORE, &limits), -ESRCH);
        ck_assert_int_eq(memlock_restore(&roots, &process, &old), 0);
        ck_assert_int_eq(process_read_start_time(&roots, process.pid, &start_time), -ESRCH);
        stub_process.open_error = -ESRCH;
        ck_assert_int_eq(memlock_raise(&roots, &process, MORE, &limits), -ESRCH);
        ck_assert_int_eq(memlock_restore(&roots, &process, &old), 0);
}
END_TEST

START_TEST(a_pidfd_that_cannot_be_had_fails_the_step_and_its_undoing) {
        const ProcessPin process = start(SOFT, HARD);
        const MemlockLimits old = {.soft = 1, .hard = 1};
        MemlockLimits limits;

        stub_process.open_error = -EMFILE;
        ck_assert_int_eq(memlock_raise(&roots, &process, MORE, &limits), -EMFILE);
        ck_assert_int_eq(memlock_restore(&roots, &process, &old), -EMFILE);
        assert_limits(&process, SOFT, HARD);
        end(process.pid);
}
END_TEST

static void end_process(void *userdata) {
        end(*(const pid_t *)userdata);
}

START_TEST(a_process_that_ends_once_its_pidfd_is_open_is_gone) {
        ProcessPin process = start(SOFT, HARD);
        MemlockLimits old;

        stub_process.opened = end_process;
        stub_process.userdata = &process.pid;
        ck_assert_int_eq(memlock_raise(&roots, &process, MORE, &old), -ESRCH);
}
END_TEST

START_TEST(whoever_has_the_number_of_a_process_that_ended_meanwhile_gets_its_limits_back) {
        const ProcessPin process = start(SOFT, HARD);
        MemlockLimits old;

        stub_process.signal_error = -ESRCH;
        ck_assert_int_eq(memlock_raise(&roots, &process, MORE, &old), -ESRCH);
        assert_limits(&process, SOFT, HARD);
        end(process.pid);
}
END_TEST

START_TEST(a_name_with_brackets_and_blanks_does_not_hide_the_start_time) {
        ProcessPin process = {.uid = geteuid()};
        uint64_t plain;

        ck_assert_int_eq(process_read_start_time(&roots, getpid(), &plain), 0);
        ck_assert_int_eq(prctl(PR_SET_NAME, ") S 1 (1 2"), 0);
        process.pid = getpid();
        ck_assert_int_eq(process_read_start_time(&roots, getpid(), &process.start_time), 0);
        ck_assert_uint_eq(process.start_time, plain);
        ck_assert_int_eq(process_check(&roots, &process), 0);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("memlock");

        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_test(tests, the_soft_limit_is_raised_below_the_hard_one_and_put_back);
        tcase_add_test(tests, the_hard_limit_is_raised_too_or_nothing_is);
        tcase_add_test(tests, a_limit_is_never_lowered);
        tcase_add_test(tests, a_process_that_started_at_another_time_is_another_one);
        tcase_add_test(tests, a_process_of_another_user_is_left_alone_but_gets_its_own_back);
        tcase_add_test(tests, a_process_whose_uids_differ_is_not_its_users_alone);
        tcase_add_test(tests, of_a_process_that_is_gone_nothing_is_raised_or_put_back);
        tcase_add_test(tests, a_pidfd_that_cannot_be_had_fails_the_step_and_its_undoing);
        tcase_add_test(tests, a_process_that_ends_once_its_pidfd_is_open_is_gone);
        tcase_add_test(
                tests,
                whoever_has_the_number_of_a_process_that_ended_meanwhile_gets_its_limits_back);
        tcase_add_test(tests, a_name_with_brackets_and_blanks_does_not_hide_the_start_time);
        return tests_run(tests);
}
