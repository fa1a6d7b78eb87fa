/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files on their way to and from a worker (daemon/broker/worker.h), over the stub kernel. */

#include "daemon/broker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-shape.h"
#include "tests/unit/fixture-worker.h"

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

int main(void) {
        TCase *tests = tests_new("worker-files");

        tcase_add_test(tests, the_files_that_a_plan_opened_arrive_in_order);
        tcase_add_test(tests, a_worker_that_dies_with_files_left_to_send_has_not_succeeded);
        tcase_add_test(tests, given_files_are_the_workers_alone);
        tcase_add_test(tests, lent_files_stay_ours_and_are_not_sent_back);
        tcase_add_test(tests, a_device_that_undo_had_to_open_again_comes_back);
        tcase_add_test(tests, a_worker_keeps_no_other_file_of_ours);
        return tests_run(tests);
}
