/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Undoing in daemon/broker/execute.h, over the stub kernel: for every shape of plan, every call of
 * it failing in turn. Everything is as before, or that undoing failed is reported.
 */

#include "daemon/broker/execute.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-shape.h"

/* What no code under test makes anything of. */
#define INJECTED (-EXDEV)
#define MANY_CALLS 100

START_TEST(undo_goes_back_in_reverse_order) {
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find("bind two beside a bridge"));
        stub->fail_call[0] = 8; /* bind 0000:03:02.0 */
        stub->fail_error = -EINVAL;
        progress = scene_run(&scene, NEVER);
        ck_assert_int_eq(progress.error, -EINVAL);
        ck_assert_uint_eq(progress.step, 6);
        ck_assert(progress.finished && progress.undoing);
        ck_assert_int_eq(progress.undo_error, 0);
        ck_assert_str_eq(stub->log, "load module vfio_pci\n"
                                    "override 0000:03:01.0 'vfio-pci'\n"
                                    "override 0000:03:02.0 'vfio-pci'\n"
                                    "unbind 0000:03:01.0 from e1000\n"
                                    "bind 0000:03:01.0 to vfio-pci\n"
                                    "is 0000:03:01.0 on vfio\n"
                                    "unbind 0000:03:02.0 from e1000\n"
                                    "bind 0000:03:02.0 to vfio-pci\n"
                                    /* undone: */
                                    "override 0000:03:02.0 ''\n"
                                    "bind 0000:03:02.0 to e1000\n"
                                    "driver of 0000:03:01.0\n"
                                    "unbind 0000:03:01.0 from vfio-pci\n"
                                    "override 0000:03:01.0 ''\n"
                                    "bind 0000:03:01.0 to e1000\n"
                                    "override 0000:03:02.0 ''\n"
                                    "override 0000:03:01.0 ''\n");
        scene_done(&scene);
}
END_TEST

START_TEST(a_mediated_device_that_was_made_is_removed_again) {
        Step *failing;
        Scene scene;

        scene_init(&scene, shape_find("make a mediated device"));
        failing = plan_append(&scene.plan, STEP_RESET, 0);
        ck_assert_int_eq(step_set_device(failing, "a", "pci", NULL), 0);
        stub->fail_call[0] = 2;
        stub->fail_error = INJECTED;
        ck_assert_int_eq(scene_run(&scene, NEVER).error, INJECTED);
        ck_assert_str_eq(stub->log, "create u of t on a\nreset a\nremove u\n");
        ck_assert_ptr_null(stub_find_device("u"));
        scene_done(&scene);
}
END_TEST

START_TEST(the_limit_of_locked_memory_is_put_back_to_what_it_was) {
        Scene scene;

        scene_init(&scene, shape_find("add with memlock"));
        ck_assert_uint_eq(stub->memlock, 1 << 20);
        stub->fail_call[0] = 2; /* open group 2 */
        stub->fail_error = INJECTED;
        ck_assert_int_eq(scene_run(&scene, NEVER).error, INJECTED);
        ck_assert_uint_eq(stub->memlock, 1 << 20);
        ck_assert_str_eq(stub->log, "raise memlock of 812 to 2097152\n"
                                    "open group 2\n"
                                    "restore memlock of 812 to 1048576\n");
        scene_done(&scene);
}
END_TEST

START_TEST(a_step_that_cannot_be_undone_is_reported_and_undo_goes_on) {
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find("bind two beside a bridge"));
        stub->fail_call[0] = 8;
        stub->fail_call[1] = 12; /* unbind 0000:03:01.0 from vfio-pci, in undo */
        stub->fail_error = INJECTED;
        progress = scene_run(&scene, NEVER);
        ck_assert_uint_eq(progress.step, 6);
        ck_assert_int_eq(progress.error, INJECTED);
        ck_assert_int_eq(progress.undo_error, INJECTED);
        ck_assert_uint_eq(progress.undo_step, 4);
        /* The other device is back, and no override is left. */
        ck_assert_str_eq(stub_find_device("0000:03:01.0")->driver, "vfio-pci");
        ck_assert_str_eq(stub_find_device("0000:03:02.0")->driver, "e1000");
        ck_assert_str_eq(stub_find_device("0000:03:01.0")->override, "");
        ck_assert_str_eq(stub_find_device("0000:03:02.0")->override, "");
        scene_done(&scene);
}
END_TEST

START_TEST(a_device_that_was_unplugged_meanwhile_needs_no_undoing) {
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find("bind two beside a bridge"));
        (void)snprintf(stub->vanishing, STUB_NAME, "0000:03:02.0");
        stub->vanish_call = 7; /* unbind 0000:03:02.0 */
        progress = scene_run(&scene, NEVER);
        ck_assert_int_eq(progress.error, -ENODEV);
        ck_assert_uint_eq(progress.step, 6);
        ck_assert_int_eq(progress.undo_error, 0);
        ck_assert_str_eq(stub_find_device("0000:03:01.0")->driver, "e1000");
        ck_assert_str_eq(stub_find_device("0000:03:01.0")->override, "");
        scene_done(&scene);
}
END_TEST

/* Whether a line of the log begins with one of the words. */
static bool is_spared(const char *line, const char *words) {
        for (const char *word = string_or_empty(words); *word;) {
                size_t n = strcspn(word, " ");

                if (strncmp(line, word, n) == 0 && line[n] == ' ')
                        return true;
                word += n + (word[n] == ' ');
        }
        return false;
}

/* The calls of a plan that runs through. */
static size_t count_calls(const Shape *shape) {
        size_t calls;
        Scene scene;

        scene_init(&scene, shape);
        ck_assert_msg(scene_run(&scene, NEVER).error == 0, "%s", shape->name);
        calls = stub->calls;
        scene_done(&scene);
        ck_assert_uint_gt(calls, 0);
        ck_assert_uint_lt(calls, MANY_CALLS);
        return calls;
}

typedef struct Result {
        Progress progress;
        char *before;
        char *after;
        size_t fds_before;
        size_t fds_after;
        size_t calls;
        size_t failed_step;
        bool failed_in_undo;
        char failed[128];
} Result;

static void result_done(Result *result) {
        free(result->before);
        free(result->after);
}

/* Takes the line that begins so out of a state. */
static void forget_line(char *state, const char *begin) {
        char *line = state, *end;

        while (!string_after(line, begin)) {
                line = strchr(line, '\n');
                if (!line)
                        return;
                line++;
        }
        end = strchr(line, '\n');
        if (end)
                memmove(line, end + 1, strlen(end + 1) + 1);
        else
                line[line > state ? -1 : 0] = '\0';
}

/* What is not undone: closing a cdev, sealing it, and detaching it from what only its receiver
 * knows. Neither is part of what is to be as before; the files that are gone are counted. */
static size_t forget_lost(const Plan *plan, size_t end, char *before, char *after) {
        size_t closed = 0;

        for (size_t i = 0; i < end; i++) {
                const Step *step = &plan->steps[i];
                _cleanup_free_ char *begin = string_format("cdev %s ", step->device);

                if (step->kind == STEP_CLOSE_CDEV) {
                        closed++;
                        forget_line(before, begin);
                } else if (step->kind == STEP_SEAL_CDEV ||
                           (step->kind == STEP_DETACH_CDEV && !step->ioas)) {
                        forget_line(before, begin);
                        forget_line(after, begin);
                }
        }
        return closed;
}

static Result run_failing(const Shape *shape, size_t first, size_t second) {
        Result result = {0};
        Scene scene;

        scene_init(&scene, shape);
        stub->fail_call[0] = first;
        stub->fail_call[1] = second;
        stub->fail_error = INJECTED;
        result.before = stub_state();
        result.fds_before = count_fds();
        result.progress = scene_run(&scene, NEVER);
        result.fds_after = count_fds();
        result.after = stub_state();
        result.fds_before -=
                forget_lost(&scene.plan, result.progress.step, result.before, result.after);
        result.calls = stub->calls;
        result.failed_step = stub->failed_step;
        result.failed_in_undo = stub->failed_in_undo;
        (void)snprintf(result.failed, sizeof(result.failed), "%s", stub->failed);
        scene_done(&scene);
        return result;
}

/* What the plan says when this call has failed: mostly its errno. */
static int expected_error(const Shape *shape, const char *call) {
        if (string_after(call, "is ") && !strstr(call, "viable"))
                return -ENODEV;
        /* It was asked only because the recorded driver is missing, and that is what is said. */
        return string_after(call, "probe ") && shape->missing ? -ENOENT : INJECTED;
}

static void assert_undone(const Shape *shape, const Result *result) {
        ck_assert_msg(strcmp(result->before, result->after) == 0, "%s, '%s': before: %s; after: %s",
                      shape->name, result->failed, result->before, result->after);
        ck_assert_msg(result->fds_before == result->fds_after, "%s, '%s': fds", shape->name,
                      result->failed);
        ck_assert_msg(result->progress.step == result->failed_step, "%s, '%s': step %zu of %zu",
                      shape->name, result->failed, result->progress.step, result->failed_step);
        ck_assert_msg(result->progress.error == expected_error(shape, result->failed),
                      "%s, '%s': %d", shape->name, result->failed, result->progress.error);
        ck_assert_msg(result->progress.undo_error == 0, "%s, '%s': undo %d", shape->name,
                      result->failed, result->progress.undo_error);
}

/* A driver link cannot be read only when its device is gone, and then there is nothing to undo: a
 * call that fails with nothing behind it would leave the device where the kernel put it. */
static bool cannot_fail_alone(const Shape *shape, const char *call) {
        return shape->native && string_after(call, "driver of ");
}

START_TEST(whatever_call_fails_everything_is_as_before) {
        const Shape *shape = &shapes[_i];
        size_t calls = count_calls(shape);

        for (size_t call = 1; call <= calls; call++) {
                _cleanup_(result_done) Result result = run_failing(shape, call, 0);

                ck_assert(result.progress.finished);
                ck_assert_msg(result.progress.error < 0 || is_spared(result.failed, shape->spared),
                              "%s, '%s': no error", shape->name, result.failed);
                if (result.progress.error < 0 && !cannot_fail_alone(shape, result.failed))
                        assert_undone(shape, &result);
        }
}
END_TEST

/* Nothing that went wrong twice is passed over: what is not as before is reported. */
START_TEST(whatever_fails_in_undo_is_reported_and_no_file_stays_open) {
        const Shape *shape = &shapes[_i];
        size_t calls = count_calls(shape);

        for (size_t first = 1; first <= calls; first++)
                for (size_t second = first + 1; second < MANY_CALLS; second++) {
                        _cleanup_(result_done) Result result = run_failing(shape, first, second);
                        const Progress *progress = &result.progress;

                        ck_assert(progress->finished);
                        if (result.calls < second)
                                break;
                        if (progress->error == 0 || !result.failed_in_undo)
                                continue;
                        ck_assert_msg(progress->undo_error < 0 ||
                                              strcmp(result.before, result.after) == 0,
                                      "%s, '%s' and call %zu: '%s'", shape->name, result.failed,
                                      second, result.after);
                        ck_assert_msg(result.fds_after <= result.fds_before,
                                      "%s, '%s' and call %zu: fds", shape->name, result.failed,
                                      second);
                        ck_assert(progress->undo_error == 0 ||
                                  progress->undo_step < progress->step);
                }
}
END_TEST

START_TEST(a_plan_called_off_between_any_two_steps_is_undone) {
        const Shape *shape = &shapes[_i];
        size_t steps = 1;

        for (size_t step = 0; step < steps; step++) {
                _cleanup_free_ char *before = NULL, *after = NULL;
                size_t fds;
                Progress progress;
                Scene scene;

                scene_init(&scene, shape);
                steps = scene.plan.n_steps;
                before = stub_state();
                fds = count_fds();
                progress = scene_run(&scene, step);
                after = stub_state();
                fds -= forget_lost(&scene.plan, step, before, after);
                ck_assert_uint_eq(count_fds(), fds);
                ck_assert_str_eq(after, before);
                ck_assert_int_eq(progress.error, -ECANCELED);
                ck_assert_uint_eq(progress.step, step);
                ck_assert(progress.finished);
                scene_done(&scene);
        }
}
END_TEST

int main(void) {
        TCase *tests = tests_new("undo");

        tcase_add_test(tests, undo_goes_back_in_reverse_order);
        tcase_add_test(tests, a_mediated_device_that_was_made_is_removed_again);
        tcase_add_test(tests, the_limit_of_locked_memory_is_put_back_to_what_it_was);
        tcase_add_test(tests, a_step_that_cannot_be_undone_is_reported_and_undo_goes_on);
        tcase_add_test(tests, a_device_that_was_unplugged_meanwhile_needs_no_undoing);
        tcase_add_loop_test(tests, whatever_call_fails_everything_is_as_before, 0, (int)n_shapes);
        tcase_add_loop_test(tests, whatever_fails_in_undo_is_reported_and_no_file_stays_open, 0,
                            (int)n_shapes);
        tcase_add_loop_test(tests, a_plan_called_off_between_any_two_steps_is_undone, 0,
                            (int)n_shapes);
        return tests_run(tests);
}
