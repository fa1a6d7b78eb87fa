/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/worker.h: the life of a real process over the stub kernel. */

#include "daemon/broker/worker.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-shape.h"
#include "tests/unit/fixture-worker.h"

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
        run_until_late(&run);
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
        run_until_late(&run);
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

        tcase_add_test(tests, a_step_that_fails_comes_back_with_its_errno_and_no_files);
        tcase_add_test(tests, past_the_deadline_the_client_is_told_once_and_the_plan_is_undone);
        tcase_add_test(tests, a_last_step_past_the_deadline_is_too_late_to_call_off);
        tcase_add_test(tests, a_plan_is_called_off_between_steps);
        tcase_add_test(tests, a_worker_that_dies_is_a_broken_pipe_at_its_step);
        tcase_add_test(tests, a_worker_that_dies_while_undoing_has_not_undone);
        tcase_add_test(tests, a_worker_can_be_forgotten_while_it_runs);
        return tests_run(tests);
}
