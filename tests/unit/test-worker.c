/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/worker.h: real processes over the stub kernel. */

#include "daemon/broker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-shape.h"

#define SECOND 1000000ULL
#define SOON (SECOND / 20)
#define LONG (60 * SECOND)

/* A worker and what it has told. */
typedef struct Run {
        sd_event *event;
        Roots roots;
        Worker *worker;
        Progress progress;
        Handles opened;
        bool done;
        unsigned late;
        size_t late_step;
} Run;

static void on_done(void *userdata, const Progress *progress, Handles *opened) {
        Run *run = userdata;

        ck_assert(!run->done);
        run->done = true;
        run->worker = NULL;
        run->progress = *progress;
        run->opened = *opened;
        *opened = (Handles)HANDLES_NULL;
}

static void on_late(void *userdata, size_t step) {
        Run *run = userdata;

        ck_assert(!run->done);
        run->late++;
        run->late_step = step;
}

static void run_begin(Run *run, const Plan *plan, const Handles *lent, Handles *given,
                      uint64_t deadline) {
        const WorkerClient client = {.done = on_done, .late = on_late, .userdata = run};
        sigset_t mask;

        *run = (Run){.roots = ROOTS_NULL, .opened = HANDLES_NULL};
        /* As vfiod does; sd-event wants it. */
        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &mask, NULL);
        ck_assert_int_ge(sd_event_new(&run->event), 0);
        ck_assert_int_eq(worker_start(run->event, &run->roots, plan, lent, given, deadline, &client,
                                      &run->worker),
                         0);
}

static void run_until_done(Run *run) {
        while (!run->done)
                ck_assert_int_gt(sd_event_run(run->event, LONG), 0);
}

static void run_end(Run *run) {
        handles_done(&run->opened);
        worker_free(run->worker);
        sd_event_unref(run->event);
}

static void wait_for_hang(void) {
        while (!stub->hanging)
                (void)usleep(1000);
}

START_TEST(the_files_that_a_plan_opened_arrive_in_order) {
        static const char *const kinds[] = {"container", "group", "device", "device"};
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("acquire a group of two"));
        run_begin(&run, &scene.plan, NULL, NULL, LONG);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, 0);
        ck_assert(run.progress.finished);
        ck_assert_uint_eq(run.late, 0);
        ck_assert_uint_eq(run.opened.n_handles, ELEMENTS(kinds));
        for (size_t i = 0; i < ELEMENTS(kinds); i++) {
                const Handle *handle = &run.opened.handles[i];

                ck_assert_str_eq(handle_kind_name(handle->kind), kinds[i]);
                ck_assert_ptr_nonnull(stub_file(handle->fd));
                ck_assert(fcntl(handle->fd, F_GETFD) & FD_CLOEXEC);
        }
        ck_assert_str_eq(stub_file(run.opened.handles[3].fd)->what, "device 0000:03:02.0");
        ck_assert_uint_eq(run.opened.handles[3].group, 3);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

START_TEST(a_step_that_fails_comes_back_with_its_errno_and_no_files) {
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("acquire a group of two"));
        stub->fail_call[0] = 7; /* the second device */
        stub->fail_error = -EAGAIN;
        run_begin(&run, &scene.plan, NULL, NULL, LONG);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, -EAGAIN);
        ck_assert_uint_eq(run.progress.step, 5);
        ck_assert_uint_eq(run.opened.n_handles, 0);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

START_TEST(past_the_deadline_the_client_is_told_once_and_the_plan_is_undone) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("bind two beside a bridge"));
        before = stub_state();
        stub->hang_call = 5; /* bind 0000:03:01.0 */
        run_begin(&run, &scene.plan, NULL, NULL, SOON);
        while (!run.late)
                ck_assert_int_gt(sd_event_run(run.event, LONG), 0);
        ck_assert(!run.done);
        ck_assert_uint_eq(run.late_step, 4);
        ck_assert_int_eq(sd_event_run(run.event, SOON), 0);
        stub->hang_call = 0;
        run_until_done(&run);
        after = stub_state();
        ck_assert_uint_eq(run.late, 1);
        ck_assert_int_eq(run.progress.error, -ECANCELED);
        ck_assert_uint_eq(run.progress.step, 5);
        ck_assert_str_eq(after, before);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

/* Its files come all the same: to be closed by whoever has answered already. */
START_TEST(a_last_step_past_the_deadline_is_too_late_to_call_off) {
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("acquire a group of two"));
        stub->hang_call = 7;
        run_begin(&run, &scene.plan, NULL, NULL, SOON);
        while (!run.late)
                ck_assert_int_gt(sd_event_run(run.event, LONG), 0);
        ck_assert_uint_eq(run.late_step, 5);
        stub->hang_call = 0;
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, 0);
        ck_assert_uint_eq(run.opened.n_handles, 4);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

START_TEST(a_plan_is_called_off_between_steps) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("bind two beside a bridge"));
        before = stub_state();
        stub->hang_call = 4;
        run_begin(&run, &scene.plan, NULL, NULL, LONG);
        wait_for_hang();
        worker_cancel(run.worker);
        stub->hang_call = 0;
        run_until_done(&run);
        after = stub_state();
        ck_assert_int_eq(run.progress.error, -ECANCELED);
        ck_assert_uint_eq(run.late, 0);
        ck_assert_str_eq(after, before);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

START_TEST(a_worker_that_dies_is_a_broken_pipe_at_its_step) {
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("acquire a group of two"));
        stub->die_call = 6;
        run_begin(&run, &scene.plan, NULL, NULL, LONG);
        run_until_done(&run);
        ck_assert(!run.progress.finished);
        ck_assert_int_eq(run.progress.error, -EPIPE);
        ck_assert_uint_eq(run.progress.step, 4);
        ck_assert_uint_eq(run.opened.n_handles, 0);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

/* Or the step's own errno would be taken for a refusal, which says that nothing was changed. */
START_TEST(a_worker_that_dies_while_undoing_has_not_undone) {
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("bind two beside a bridge"));
        stub->fail_call[0] = 8;
        stub->fail_error = -EINVAL;
        stub->die_call = 10;
        run_begin(&run, &scene.plan, NULL, NULL, LONG);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, -EINVAL);
        ck_assert_uint_eq(run.progress.step, 6);
        ck_assert_int_eq(run.progress.undo_error, -EPIPE);
        ck_assert_uint_eq(run.progress.undo_step, 5);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

/* Enough files for the socket to be full while nobody reads: the worker dies in the midst of them.
 */
START_TEST(a_worker_that_dies_with_files_left_to_send_has_not_succeeded) {
        const size_t n = 400;
        Plan plan = PLAN_NULL;
        Run run;

        stub_init();
        for (size_t i = 0; i < n; i++)
                ck_assert_ptr_nonnull(plan_append(&plan, STEP_OPEN_CONTAINER, 0));
        run_begin(&run, &plan, NULL, NULL, LONG);
        while (*(volatile size_t *)&stub->calls < n)
                (void)usleep(1000);
        (void)usleep(SOON);
        ck_assert_int_eq(kill(stub->pid, SIGKILL), 0);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, -EPIPE);
        ck_assert_uint_lt(run.opened.n_handles, n);
        run_end(&run);
        plan_done(&plan);
        stub_done();
}
END_TEST

static void open_pipe(int *ends) {
        ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
}

/* Whether all write ends of the pipe are closed, within a time. */
static bool is_hung_up(int read_end, int timeout_ms) {
        struct pollfd poll_fd = {.fd = read_end};

        return poll(&poll_fd, 1, timeout_ms) == 1 && (poll_fd.revents & POLLHUP);
}

START_TEST(given_files_are_the_workers_alone) {
        Handles given = HANDLES_NULL;
        Plan plan = PLAN_NULL;
        int ends[2];
        Run run;

        stub_init();
        open_pipe(ends);
        ck_assert_int_eq(handles_add_consume(&given, HANDLE_DEVICE, 3, "a", ends[1]), 0);
        ck_assert_ptr_nonnull(plan_append(&plan, STEP_TEST_GROUP, 3));
        ck_assert_ptr_nonnull(plan_append(&plan, STEP_CLOSE_FILES, 0));
        ck_assert_ptr_nonnull(plan_append(&plan, STEP_TEST_GROUP, 3));
        stub->hang_call = 1;
        run_begin(&run, &plan, NULL, &given, LONG);
        ck_assert_uint_eq(given.n_handles, 0);
        ck_assert_int_lt(fcntl(ends[1], F_GETFD), 0);
        wait_for_hang();
        ck_assert(!is_hung_up(ends[0], 0));
        stub->hang_call = 2;
        ck_assert(is_hung_up(ends[0], 10000));
        stub->hang_call = 0;
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, 0);
        ck_assert_uint_eq(run.opened.n_handles, 0);
        run_end(&run);
        plan_done(&plan);
        fd_close(ends[0]);
        stub_done();
}
END_TEST

START_TEST(lent_files_stay_ours_and_are_not_sent_back) {
        Scene scene;
        size_t before;
        Run run;

        scene_init(&scene, shape_find("add"));
        before = scene.files.n_handles;
        run_begin(&run, &scene.plan, &scene.files, NULL, LONG);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, 0);
        ck_assert_uint_eq(scene.files.n_handles, before);
        for (size_t i = 0; i < before; i++)
                ck_assert_int_ge(fcntl(scene.files.handles[i].fd, F_GETFD), 0);
        ck_assert_uint_eq(run.opened.n_handles, 4);
        for (size_t i = 0; i < 4; i++)
                ck_assert_int_ne(run.opened.handles[i].kind, HANDLE_CONTAINER);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

/* Undo opened it again; the copy that was given away is closed. */
START_TEST(a_device_that_undo_had_to_open_again_comes_back) {
        Handles given = HANDLES_NULL;
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("remove"));
        ck_assert_int_eq(handles_move_device(&scene.files, "b", &given), 0);
        ck_assert_int_eq(handles_move_device(&scene.files, "c", &given), 0);
        stub->fail_call[0] = 1; /* take group 2 out of container */
        stub->fail_error = -EBUSY;
        run_begin(&run, &scene.plan, &scene.files, &given, LONG);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, -EBUSY);
        ck_assert_int_eq(run.progress.undo_error, 0);
        ck_assert_uint_eq(run.opened.n_handles, 2);
        ck_assert_str_eq(run.opened.handles[0].device, "c");
        ck_assert_str_eq(run.opened.handles[1].device, "b");
        run_end(&run);
        scene_done(&scene);
}
END_TEST

/* A lease pipe or a connection that a stuck worker kept would never be seen to close. */
START_TEST(a_worker_keeps_no_other_file_of_ours) {
        Scene scene;
        int ends[2];
        Run run;

        scene_init(&scene, shape_find("bind two beside a bridge"));
        open_pipe(ends);
        stub->hang_call = 1;
        run_begin(&run, &scene.plan, NULL, NULL, LONG);
        wait_for_hang();
        fd_close(ends[1]);
        ck_assert(is_hung_up(ends[0], 0));
        stub->hang_call = 0;
        run_until_done(&run);
        fd_close(ends[0]);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

START_TEST(a_worker_can_be_forgotten_while_it_runs) {
        Scene scene;
        pid_t pid;
        Run run;

        scene_init(&scene, shape_find("bind two beside a bridge"));
        stub->hang_call = 2;
        run_begin(&run, &scene.plan, NULL, NULL, LONG);
        wait_for_hang();
        run.worker = worker_free(run.worker);
        ck_assert_ptr_null(worker_free(NULL));
        stub->hang_call = 0;
        pid = waitpid(-1, NULL, 0);
        ck_assert_int_gt(pid, 0);
        ck_assert(!run.done);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("worker");

        tcase_add_test(tests, the_files_that_a_plan_opened_arrive_in_order);
        tcase_add_test(tests, a_step_that_fails_comes_back_with_its_errno_and_no_files);
        tcase_add_test(tests, past_the_deadline_the_client_is_told_once_and_the_plan_is_undone);
        tcase_add_test(tests, a_last_step_past_the_deadline_is_too_late_to_call_off);
        tcase_add_test(tests, a_plan_is_called_off_between_steps);
        tcase_add_test(tests, a_worker_that_dies_is_a_broken_pipe_at_its_step);
        tcase_add_test(tests, a_worker_that_dies_while_undoing_has_not_undone);
        tcase_add_test(tests, a_worker_that_dies_with_files_left_to_send_has_not_succeeded);
        tcase_add_test(tests, given_files_are_the_workers_alone);
        tcase_add_test(tests, lent_files_stay_ours_and_are_not_sent_back);
        tcase_add_test(tests, a_device_that_undo_had_to_open_again_comes_back);
        tcase_add_test(tests, a_worker_keeps_no_other_file_of_ours);
        tcase_add_test(tests, a_worker_can_be_forgotten_while_it_runs);
        return tests_run(tests);
}
