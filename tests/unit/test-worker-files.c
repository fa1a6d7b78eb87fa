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

START_TEST(what_a_plan_has_found_arrives_in_order_and_whole) {
        const Finding *findings;
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("inspect what nobody has"));
        run_begin(&run, &scene.plan, NULL, NULL, LONG);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, 0);
        ck_assert_uint_eq(run.opened.n_handles, 0);
        ck_assert_uint_eq(run.results.findings.n_findings, 2);
        findings = run.results.findings.findings;
        ck_assert_int_eq(findings[0].kind, FINDING_DEVICE_FLAGS);
        ck_assert_uint_eq(findings[0].values[0], 2);
        ck_assert_str_eq(findings[0].device, "a");
        ck_assert_int_eq(findings[1].kind, FINDING_RESET);
        ck_assert_str_eq((const char *)findings[1].bytes, "flr");
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

/* As Unbind does: the container is lent, the group and its devices are given. */
static void take_group(Scene *scene, Handles *given) {
        ck_assert_int_eq(handles_move_group(&scene->files, 1, given), 0);
        ck_assert_uint_eq(scene->files.n_handles, 1);
        ck_assert_uint_eq(given->n_handles, 3);
}

/* Names of the files that came back, with blanks between them. */
static void assert_came_back(const Run *run, const char *expected) {
        _cleanup_free_ char *text = strdup("");

        for (size_t i = 0; i < run->opened.n_handles; i++) {
                const StubFile *file = stub_file(run->opened.handles[i].fd);

                ck_assert_ptr_nonnull(file);
                ck_assert_int_ge(string_append(&text, "%s%s", i > 0 ? ", " : "", file->what), 0);
        }
        ck_assert_str_eq(text, expected);
}

START_TEST(given_files_come_back_when_the_plan_fails) {
        /* By the call that fails: before our devices are closed, and after; undo opens them again.
         */
        static const struct {
                size_t call;
                const char *files;
        } rows[] = {
                {1, "group 1, device a, device b"},  /* look for holders */
                {7, "group 1, device b, device a"},  /* take group 1 out of container */
                {11, "group 1, device b, device a"}, /* unbind a from vfio-pci */
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Handles given = HANDLES_NULL;
                Scene scene;
                Run run;

                scene_init(&scene, shape_find("revoke from a lease"));
                take_group(&scene, &given);
                stub->fail_call[0] = rows[i].call;
                stub->fail_error = -EXDEV;
                run_begin(&run, &scene.plan, &scene.files, &given, LONG);
                ck_assert_uint_eq(given.n_handles, 0);
                run_until_done(&run);
                ck_assert_int_eq(run.progress.error, -EXDEV);
                ck_assert_int_eq(run.progress.undo_error, 0);
                assert_came_back(&run, rows[i].files);
                run_end(&run);
                scene_done(&scene);
        }
}
END_TEST

/* By the call that fails: the iommufd is lent, and a cdev that was closed cannot be opened again as
 * it was. */
START_TEST(given_cdevs_come_back_unless_they_were_closed) {
        static const struct {
                const char *shape;
                size_t call;
                const char *files;
        } rows[] = {
                {"revoke cdevs from a lease", 1, "cdev a, cdev b"}, /* look for holders */
                {"take cdevs that were let go of", 1, "cdev a, cdev b"},
                {"take cdevs that were let go of", 2, ""}, /* open group 1 */
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Handles given = HANDLES_NULL;
                Scene scene;
                Run run;

                scene_init(&scene, shape_find(rows[i].shape));
                ck_assert_int_eq(handles_move_group(&scene.files, 1, &given), 0);
                ck_assert_uint_eq(given.n_handles, 2);
                stub->fail_call[0] = rows[i].call;
                stub->fail_error = -EXDEV;
                run_begin(&run, &scene.plan, &scene.files, &given, LONG);
                run_until_done(&run);
                ck_assert_int_eq(run.progress.error, -EXDEV);
                ck_assert_int_eq(run.progress.undo_error, 0);
                assert_came_back(&run, rows[i].files);
                run_end(&run);
                scene_done(&scene);
        }
}
END_TEST

START_TEST(iommufd_cdevs_and_what_was_found_out_arrive) {
        static const HandleKind kinds[] = {HANDLE_IOMMUFD, HANDLE_CDEV, HANDLE_CDEV};
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("acquire cdevs"));
        run_begin(&run, &scene.plan, NULL, NULL, LONG);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, 0);
        assert_came_back(&run, "iommufd, cdev 0000:03:01.0, cdev 0000:03:02.0");
        for (size_t i = 0; i < ELEMENTS(kinds); i++)
                ck_assert_int_eq(run.opened.handles[i].kind, kinds[i]);
        ck_assert_uint_eq(run.results.findings.n_findings, 6);
        ck_assert_int_eq(run.results.findings.findings[1].kind, FINDING_DEVICE_ID);
        ck_assert_str_eq(run.results.findings.findings[1].device, "0000:03:01.0");
        ck_assert_uint_eq(run.results.findings.findings[5].values[1], 0xffffffffffff);
        run_end(&run);
        scene_done(&scene);
}
END_TEST

/* The group is not ours any more: a file of it that stayed open would keep it from everybody. */
START_TEST(given_files_do_not_come_back_when_the_plan_succeeds) {
        Handles given = HANDLES_NULL;
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("revoke from a lease"));
        take_group(&scene, &given);
        run_begin(&run, &scene.plan, &scene.files, &given, LONG);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, 0);
        assert_came_back(&run, "");
        ck_assert_uint_eq(scene.files.n_handles, 1);
        ck_assert_ptr_null(stub_find_open("group 1"));
        run_end(&run);
        scene_done(&scene);
}
END_TEST

START_TEST(a_worker_that_waits_for_holders_can_be_called_off) {
        Handles given = HANDLES_NULL;
        Scene scene;
        Run run;

        scene_init(&scene, shape_find("revoke from a lease"));
        stub->holders[0].yields_to = 0;
        scene.plan.steps[4].grace_ms = LONG / 1000; /* from SIGKILL on */
        take_group(&scene, &given);
        run_begin(&run, &scene.plan, &scene.files, &given, LONG);
        while (*(volatile int *)&stub->holders[0].last_signal != SIGKILL)
                (void)usleep(1000);
        worker_cancel(run.worker);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, -ECANCELED);
        ck_assert_int_eq(scene.plan.steps[run.progress.step].kind, STEP_EVICT);
        assert_came_back(&run, "group 1, device a, device b");
        run_end(&run);
        scene_done(&scene);
}
END_TEST

static void add_look(Plan *plan) {
        Step *step = plan_append(plan, STEP_FIND_HOLDERS, 0);

        ck_assert_ptr_nonnull(step);
        ck_assert_int_eq(step_add_group(step, 3), 0);
}

START_TEST(holders_that_were_found_arrive_whether_the_plan_fails_or_not) {
        for (size_t fails = 0; fails <= 1; fails++) {
                Plan plan = PLAN_NULL;
                const Hold *hold;
                Run run;

                stub_init();
                stub_add_holder(813, HOLD_GROUP, 3, NULL);
                stub_add_holder(812, HOLD_DEVICE, 3, "a")->hold.uid = 1001;
                add_look(&plan);
                ck_assert_ptr_nonnull(plan_append(&plan, STEP_OPEN_CONTAINER, 0));
                if (fails)
                        ck_assert_ptr_nonnull(plan_append(&plan, STEP_OPEN_GROUP, 3));
                run_begin(&run, &plan, NULL, NULL, LONG);
                run_until_done(&run);
                ck_assert_int_eq(run.progress.error, fails ? -EBUSY : 0);
                ck_assert_uint_eq(run.opened.n_handles, !fails);
                ck_assert_uint_eq(run.results.holds.n_holds, 2);
                hold = &run.results.holds.holds[0];
                ck_assert(hold->pid == 812 && hold->kind == HOLD_DEVICE && hold->uid == 1001);
                ck_assert(hold->group == 3 && hold->fd == 7 && hold->start_time == 81200);
                ck_assert_str_eq(hold->device, "a");
                ck_assert_str_eq(hold->command, "holder");
                ck_assert_int_eq(run.results.holds.holds[1].pid, 813);
                run_end(&run);
                plan_done(&plan);
                stub_done();
        }
}
END_TEST

/* More than the socket takes at once. */
START_TEST(a_thousand_holders_and_then_files_arrive) {
        const size_t n = 1000;
        Plan plan = PLAN_NULL;
        Run run;

        stub_init();
        for (size_t i = 0; i < n; i++)
                stub_add_holder((pid_t)(n - i), HOLD_DEVICE, 3, "a");
        add_look(&plan);
        for (size_t i = 0; i < 100; i++)
                ck_assert_ptr_nonnull(plan_append(&plan, STEP_OPEN_CONTAINER, 0));
        run_begin(&run, &plan, NULL, NULL, LONG);
        run_until_done(&run);
        ck_assert_int_eq(run.progress.error, 0);
        ck_assert_uint_eq(run.opened.n_handles, 100);
        ck_assert_uint_eq(run.results.holds.n_holds, n);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(run.results.holds.holds[i].pid, (pid_t)i + 1);
        run_end(&run);
        plan_done(&plan);
        stub_done();
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
        tcase_add_test(tests, what_a_plan_has_found_arrives_in_order_and_whole);
        tcase_add_test(tests, a_worker_that_dies_with_files_left_to_send_has_not_succeeded);
        tcase_add_test(tests, given_files_are_the_workers_alone);
        tcase_add_test(tests, lent_files_stay_ours_and_are_not_sent_back);
        tcase_add_test(tests, a_device_that_undo_had_to_open_again_comes_back);
        tcase_add_test(tests, given_files_come_back_when_the_plan_fails);
        tcase_add_test(tests, given_cdevs_come_back_unless_they_were_closed);
        tcase_add_test(tests, iommufd_cdevs_and_what_was_found_out_arrive);
        tcase_add_test(tests, given_files_do_not_come_back_when_the_plan_succeeds);
        tcase_add_test(tests, a_worker_that_waits_for_holders_can_be_called_off);
        tcase_add_test(tests, holders_that_were_found_arrive_whether_the_plan_fails_or_not);
        tcase_add_test(tests, a_thousand_holders_and_then_files_arrive);
        tcase_add_test(tests, a_worker_keeps_no_other_file_of_ours);
        return tests_run(tests);
}
