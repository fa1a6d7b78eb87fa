/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/execute-holders.c and what taking a group does, over the stub kernel: who is
 * signalled, how often, how long is waited, and what is put back when it was in vain. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "daemon/broker/execute.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-shape.h"

#define GROUP 3
#define SHORT_MS 60
#define LONG_MS 50000

/* A plan of one or two steps about GROUP, and what has come of it. */
typedef struct Case {
        Plan plan;
        Handles files;
        Results results;
        Progress progress;
        size_t patience; /* how often it may be asked whether the plan is called off; 0: for ever */
        size_t asked;
} Case;

static void init_case(Case *c) {
        *c = (Case){.plan = PLAN_NULL, .files = HANDLES_NULL, .results = RESULTS_NULL};
        stub_init();
}

static void end_case(Case *c) {
        plan_done(&c->plan);
        handles_done(&c->files);
        results_done(&c->results);
        stub_done();
}

static Step *add_step(Case *c, StepKind kind) {
        Step *step = plan_append(&c->plan, kind, 0);

        ck_assert_ptr_nonnull(step);
        ck_assert_int_eq(step_add_group(step, GROUP), 0);
        return step;
}

static Step *add_evict(Case *c, int signal, uint64_t grace_ms) {
        Step *step = add_step(c, STEP_EVICT);

        step->signal = signal;
        step->grace_ms = grace_ms;
        return step;
}

static bool is_cancelled(void *userdata) {
        Case *c = userdata;

        return ++c->asked == c->patience;
}

static int run_case(Case *c) {
        const Roots roots = ROOTS_NULL;
        const ExecuteHost host = {.cancelled = is_cancelled, .userdata = c, .vfiod = STUB_VFIOD};

        execute_plan(&roots, &c->plan, &c->files, &c->results, &c->progress, &host);
        ck_assert(c->progress.finished);
        return c->progress.error;
}

static uint64_t now_ms(void) {
        struct timespec now;

        ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

START_TEST(with_nobody_there_nobody_is_signalled_and_nothing_is_waited_for) {
        Case c;

        init_case(&c);
        (void)add_evict(&c, SIGBUS, LONG_MS);
        stub_add_holder(812, HOLD_DEVICE, GROUP + 1, "other");
        ck_assert_int_eq(run_case(&c), 0);
        ck_assert_str_eq(stub->log, "look for holders\n");
        end_case(&c);
}
END_TEST

START_TEST(each_holder_is_signalled_once_and_waited_for_until_it_is_gone) {
        StubHolder *slow, *quick;
        Case c;

        init_case(&c);
        (void)add_evict(&c, SIGBUS, LONG_MS);
        slow = stub_add_holder(812, HOLD_DEVICE, GROUP, "a");
        slow->looks_left = 4;
        quick = stub_add_holder(813, HOLD_CDEV, GROUP, "b");
        quick->yields_to = SIGBUS;
        ck_assert_int_eq(run_case(&c), 0);
        ck_assert_uint_eq(slow->received, 1);
        ck_assert_int_eq(slow->last_signal, SIGBUS);
        ck_assert_uint_eq(quick->received, 1);
        ck_assert_uint_eq(stub->looks, 5);
        end_case(&c);
}
END_TEST

START_TEST(a_process_with_many_files_is_one_holder) {
        Case c;

        init_case(&c);
        (void)add_evict(&c, SIGBUS, LONG_MS);
        for (size_t i = 0; i < 3; i++) {
                StubHolder *holder = stub_add_holder(812, HOLD_DEVICE, GROUP, "a");

                holder->hold.fd = (int)i;
                holder->looks_left = 2;
        }
        ck_assert_int_eq(run_case(&c), 0);
        ck_assert_uint_eq(stub->holders[0].received, 1);
        end_case(&c);
}
END_TEST

/* And a process whose file that counts comes behind many that do not. */
START_TEST(more_holders_than_are_told_of_are_all_signalled) {
        StubHolder *last;
        Case c;

        init_case(&c);
        (void)add_evict(&c, SIGBUS, LONG_MS);
        for (pid_t pid = 1001; pid <= 1001 + HOLDS_PROCESSES_MAX; pid++)
                stub_add_holder(pid, HOLD_DEVICE, GROUP, "a")->yields_to = SIGBUS;
        for (int fd = 100; fd <= 100 + HOLDS_FILES_MAX; fd++) {
                StubHolder *pipe = stub_add_holder(9000, HOLD_LEASE, GROUP, NULL);

                pipe->hold.fd = fd;
                pipe->yields_to = SIGBUS;
        }
        last = stub_add_holder(9000, HOLD_DEVICE, GROUP, "a");
        last->yields_to = SIGBUS;
        ck_assert_int_eq(run_case(&c), 0);
        for (size_t i = 0; i < stub->n_holders; i++)
                ck_assert_msg(stub->holders[i].received == 1, "pid %d", stub->holders[i].hold.pid);
        end_case(&c);
}
END_TEST

START_TEST(more_holders_that_stay_than_are_told_of_are_a_number) {
        Case c;

        init_case(&c);
        (void)add_evict(&c, SIGKILL, 0);
        for (pid_t pid = 1001; pid <= 1001 + HOLDS_PROCESSES_MAX; pid++)
                stub_add_holder(pid, HOLD_DEVICE, GROUP, "a");
        ck_assert_int_eq(run_case(&c), -EBUSY);
        ck_assert_uint_eq(c.results.holds.n_processes, HOLDS_PROCESSES_MAX);
        ck_assert_uint_eq(c.results.holds.n_more, 1);
        end_case(&c);
}
END_TEST

/* The number may be another process's by now: that one has not been told. */
START_TEST(a_process_that_took_over_the_pid_is_another_holder) {
        StubHolder *first, *second;
        Case c;

        init_case(&c);
        (void)add_evict(&c, SIGBUS, LONG_MS);
        first = stub_add_holder(812, HOLD_DEVICE, GROUP, "a");
        first->yields_to = SIGBUS;
        second = stub_add_holder(812, HOLD_DEVICE, GROUP, "a");
        second->hold.start_time++;
        second->looks_before = 1;
        second->yields_to = SIGBUS;
        ck_assert_int_eq(run_case(&c), 0);
        ck_assert_uint_eq(first->received, 1);
        ck_assert_uint_eq(second->received, 1);
        end_case(&c);
}
END_TEST

START_TEST(a_holder_that_appears_meanwhile_is_signalled_too) {
        StubHolder *first, *child;
        Case c;

        init_case(&c);
        (void)add_evict(&c, SIGBUS, LONG_MS);
        first = stub_add_holder(812, HOLD_DEVICE, GROUP, "a");
        first->looks_left = 4;
        child = stub_add_holder(813, HOLD_MAPPING, GROUP, "a");
        child->looks_before = 2;
        child->yields_to = SIGBUS;
        ck_assert_int_eq(run_case(&c), 0);
        ck_assert_uint_eq(first->received, 1);
        ck_assert_uint_eq(child->received, 1);
        ck_assert(child->gone);
        end_case(&c);
}
END_TEST

START_TEST(whoever_could_not_be_signalled_is_tried_again) {
        StubHolder *holder;
        Case c;

        init_case(&c);
        (void)add_evict(&c, SIGBUS, LONG_MS);
        holder = stub_add_holder(812, HOLD_DEVICE, GROUP, "a");
        holder->yields_to = SIGBUS;
        stub->fail_call[0] = 2; /* send signal */
        stub->fail_error = -EMFILE;
        ck_assert_int_eq(run_case(&c), 0);
        ck_assert_uint_eq(holder->received, 1);
        ck_assert_str_eq(stub->log, "look for holders\n"
                                    "send signal 7 to 812\n"
                                    "look for holders\n"
                                    "send signal 7 to 812\n"
                                    "look for holders\n");
        end_case(&c);
}
END_TEST

/* Each row: a file, and whether who has it is signalled without and with group files. */
START_TEST(only_files_that_keep_the_device_or_the_claim_from_us_count) {
        static const struct {
                HoldKind kind;
                bool counts[2];
        } rows[_HOLD_KIND_MAX] = {
                {HOLD_CONTAINER, {false, false}}, {HOLD_GROUP, {false, true}},
                {HOLD_DEVICE, {true, true}},      {HOLD_CDEV, {true, true}},
                {HOLD_MAPPING, {true, true}},     {HOLD_LEASE, {false, false}},
        };

        for (size_t i = 0; i < 2 * ELEMENTS(rows); i++) {
                bool with_group_files = i % 2, counts = rows[i / 2].counts[with_group_files];
                StubHolder *holder;
                Case c;

                init_case(&c);
                add_evict(&c, SIGBUS, LONG_MS)->and_group_files = with_group_files;
                holder = stub_add_holder(812, rows[i / 2].kind, GROUP, "a");
                holder->yields_to = SIGBUS;
                ck_assert_int_eq(run_case(&c), 0);
                ck_assert_msg(holder->received == (counts ? 1 : 0), "row %zu: %u", i,
                              holder->received);
                end_case(&c);
        }
}
END_TEST

START_TEST(an_optional_step_goes_on_when_the_grace_is_over_and_no_sooner) {
        StubHolder *holder;
        uint64_t before;
        Case c;

        init_case(&c);
        add_evict(&c, SIGBUS, SHORT_MS)->optional = true;
        (void)add_evict(&c, SIGKILL, LONG_MS);
        holder = stub_add_holder(812, HOLD_DEVICE, GROUP, "a");
        holder->yields_to = SIGKILL;
        before = now_ms();
        ck_assert_int_eq(run_case(&c), 0);
        ck_assert_uint_ge(now_ms() - before, SHORT_MS);
        ck_assert_uint_lt(now_ms() - before, LONG_MS);
        ck_assert_uint_eq(holder->received, 2);
        ck_assert_int_eq(holder->last_signal, SIGKILL);
        ck_assert_uint_eq(c.results.holds.n_holds, 0);
        end_case(&c);
}
END_TEST

START_TEST(the_last_step_fails_and_reports_who_is_left) {
        StubHolder *killed;
        Case c;

        init_case(&c);
        (void)add_step(&c, STEP_FIND_HOLDERS);
        add_evict(&c, SIGBUS, 0)->optional = true;
        (void)add_evict(&c, SIGKILL, SHORT_MS);
        killed = stub_add_holder(811, HOLD_DEVICE, GROUP, "a");
        killed->yields_to = SIGBUS;
        stub_add_holder(812, HOLD_DEVICE, GROUP, "a");
        stub_add_holder(812, HOLD_MAPPING, GROUP, "a");
        ck_assert_int_eq(run_case(&c), -EBUSY);
        ck_assert_uint_eq(c.progress.step, 2);
        ck_assert_uint_eq(c.results.holds.n_holds, 2);
        ck_assert_int_eq(c.results.holds.holds[0].pid, 812);
        ck_assert_int_eq(c.results.holds.holds[1].pid, 812);
        ck_assert_uint_eq(killed->received, 1);
        ck_assert_uint_eq(stub->holders[1].received, 2);
        end_case(&c);
}
END_TEST

START_TEST(a_plan_that_is_called_off_while_it_waits_is_undone) {
        StubHolder *holder;
        Case c;

        init_case(&c);
        (void)add_evict(&c, SIGBUS, LONG_MS);
        holder = stub_add_holder(812, HOLD_DEVICE, GROUP, "a");
        c.patience = 3; /* before the step, and twice in it */
        ck_assert_int_eq(run_case(&c), -ECANCELED);
        ck_assert_uint_eq(c.progress.step, 0);
        ck_assert_uint_eq(holder->received, 1);
        ck_assert_uint_eq(stub->looks, 2);
        end_case(&c);
}
END_TEST

START_TEST(a_look_that_takes_long_can_be_called_off) {
        static const StepKind kinds[] = {STEP_FIND_HOLDERS, STEP_EXPECT_NOBODY, STEP_EVICT};

        for (size_t i = 0; i < ELEMENTS(kinds); i++) {
                Case c;

                init_case(&c);
                (void)add_step(&c, kinds[i]);
                stub->look_is_long = true;
                c.patience = 3; /* before the step, and twice in the look */
                ck_assert_int_eq(run_case(&c), -ECANCELED);
                ck_assert_uint_eq(stub->looks, 1);
                end_case(&c);
        }
}
END_TEST

START_TEST(who_was_found_is_reported_whatever_becomes_of_them) {
        Case c;

        init_case(&c);
        (void)add_step(&c, STEP_FIND_HOLDERS);
        (void)add_evict(&c, SIGBUS, LONG_MS);
        stub_add_holder(813, HOLD_LEASE, GROUP, NULL);
        stub_add_holder(812, HOLD_DEVICE, GROUP, "a")->yields_to = SIGBUS;
        stub_add_holder(814, HOLD_DEVICE, GROUP + 1, "other");
        ck_assert_int_eq(run_case(&c), 0);
        ck_assert_uint_eq(c.results.holds.n_holds, 2);
        ck_assert_int_eq(c.results.holds.holds[0].pid, 812);
        ck_assert_int_eq(c.results.holds.holds[1].kind, HOLD_LEASE);
        end_case(&c);
}
END_TEST

/* Each row: a file, and whether nobody was to have it. */
START_TEST(to_expect_nobody_fails_on_any_file_of_the_group_and_reports_it) {
        static const struct {
                HoldKind kind;
                uint32_t group;
                int error;
        } rows[] = {
                {HOLD_CONTAINER, GROUP, 0},  {HOLD_LEASE, GROUP, 0},
                {HOLD_GROUP, GROUP, -EBUSY}, {HOLD_DEVICE, GROUP, -EBUSY},
                {HOLD_CDEV, GROUP, -EBUSY},  {HOLD_MAPPING, GROUP, -EBUSY},
                {HOLD_DEVICE, GROUP + 1, 0},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                StubHolder *holder;
                Case c;

                init_case(&c);
                (void)add_step(&c, STEP_EXPECT_NOBODY);
                holder = stub_add_holder(812, rows[i].kind, rows[i].group, "a");
                ck_assert_int_eq(run_case(&c), rows[i].error);
                ck_assert_uint_eq(c.results.holds.n_holds, rows[i].group == GROUP);
                ck_assert_uint_eq(holder->received, 0);
                end_case(&c);
        }
}
END_TEST

START_TEST(a_look_that_fails_fails_its_step) {
        static const StepKind kinds[] = {STEP_FIND_HOLDERS, STEP_EXPECT_NOBODY, STEP_EVICT};

        for (size_t i = 0; i < ELEMENTS(kinds); i++) {
                Case c;

                init_case(&c);
                add_step(&c, kinds[i])->optional = true;
                stub->fail_call[0] = 1;
                stub->fail_error = -EACCES;
                ck_assert_int_eq(run_case(&c), -EACCES);
                ck_assert_uint_eq(c.results.holds.n_holds, 0);
                end_case(&c);
        }
}
END_TEST

/* Taking a group as core/ plans it. */

/* Nobody here is still closing anything. */
static void set_closing(Scene *scene, uint64_t grace_ms) {
        for (size_t i = 0; i < scene->plan.n_steps; i++)
                if (scene->plan.steps[i].kind == STEP_UNSET_CONTAINER)
                        scene->plan.steps[i].grace_ms = grace_ms;
}

static void assert_put_back(Scene *scene, int error, StepKind kind) {
        _cleanup_free_ char *before = stub_state(), *after = NULL;
        Progress progress = scene_run(scene, NEVER);

        after = stub_state();
        ck_assert_int_eq(progress.error, error);
        ck_assert_int_eq(scene->plan.steps[progress.step].kind, kind);
        ck_assert_int_eq(progress.undo_error, 0);
        ck_assert_str_eq(after, before);
}

START_TEST(a_revocation_ends_with_the_device_at_home_and_no_file_of_it_open) {
        Scene scene;

        scene_init(&scene, shape_find("revoke by force"));
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        ck_assert_str_eq(stub->log, "look for holders\n"
                                    "quiesce device a\n"
                                    "look for holders\n"
                                    "send signal 7 to 812\n"
                                    "look for holders\n"
                                    "send signal 9 to 812\n"
                                    "look for holders\n"
                                    "take group 1 out of container\n"
                                    "reset a\n"
                                    "load module e1000\n"
                                    "unbind a from vfio-pci\n"
                                    "override a ''\n"
                                    "bind a to e1000\n");
        ck_assert_ptr_null(stub_find_open("device a"));
        ck_assert_str_eq(stub_find_device("a")->driver, "e1000");
        scene_done(&scene);
}
END_TEST

START_TEST(a_device_is_as_it_was_when_its_holder_cannot_be_evicted) {
        Scene scene;

        scene_init(&scene, shape_find("revoke by force"));
        stub->holders[0].yields_to = 0;
        scene.plan.steps[3].grace_ms = SHORT_MS; /* from SIGKILL on */
        assert_put_back(&scene, -EBUSY, STEP_EVICT);
        ck_assert_ptr_nonnull(strstr(stub->log, "restore device a to 6\n"));
        ck_assert_uint_eq(scene.results.holds.n_holds, 1);
        scene_done(&scene);
}
END_TEST

/* Its file is on its way through a socket: it keeps the device open, and so quiet. */
START_TEST(a_holder_that_is_not_found_is_found_out_and_its_device_is_as_it_was) {
        Scene scene;

        scene_init(&scene, shape_find("revoke from a lease"));
        set_closing(&scene, SHORT_MS);
        stub->holders[0].hidden = true;
        assert_put_back(&scene, -EBUSY, STEP_UNSET_CONTAINER);
        ck_assert_ptr_nonnull(stub_find_open("device a"));
        ck_assert_ptr_nonnull(stub_find_open("device b"));
        ck_assert_ptr_nonnull(strstr(stub->log, "take group 1 out of container\n"
                                                "open device b\n"
                                                "open device a\n"
                                                "restore device b to 6\n"
                                                "restore device a to 6\n"));
        scene_done(&scene);
}
END_TEST

/* A process that has ended is gone before its files are closed. */
START_TEST(a_group_that_is_busy_for_a_moment_is_waited_for) {
        Scene scene;

        scene_init(&scene, shape_find("revoke by force"));
        stub->fail_call[0] = 8; /* take group 1 out of container */
        stub->fail_error = -EBUSY;
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        ck_assert_ptr_nonnull(strstr(stub->log, "take group 1 out of container\n"
                                                "take group 1 out of container\n"
                                                "reset a\n"));
        scene_done(&scene);
}
END_TEST

START_TEST(a_device_that_was_never_quieted_is_not_restored) {
        Scene scene;

        scene_init(&scene, shape_find("revoke from a lease"));
        set_closing(&scene, SHORT_MS);
        stub->holders[0].hidden = true;
        stub->fail_call[0] = 2; /* quiesce device a */
        stub->fail_error = -EIO;
        assert_put_back(&scene, -EBUSY, STEP_UNSET_CONTAINER);
        ck_assert_ptr_nonnull(strstr(stub->log, "restore device b"));
        ck_assert_ptr_null(strstr(stub->log, "restore device a"));
        scene_done(&scene);
}
END_TEST

START_TEST(a_group_that_its_holder_has_taken_out_itself_is_not_put_back_in) {
        Scene scene;

        scene_init(&scene, shape_find("revoke what was never used"));
        stub_find_device("a")->native[0] = '\0';
        (void)snprintf(stub->missing_driver, STUB_NAME, "e1000");
        assert_put_back(&scene, -ENOENT, STEP_BIND_HOST);
        ck_assert_ptr_nonnull(strstr(stub->log, "take group 1 out of container\n"));
        ck_assert_ptr_null(strstr(stub->log, "put group"));
        scene_done(&scene);
}
END_TEST

START_TEST(a_group_that_we_took_out_is_put_back_in_with_its_iommu) {
        Scene scene;

        scene_init(&scene, shape_find("take what was let go of"));
        stub_find_device("a")->native[0] = '\0';
        (void)snprintf(stub->missing_driver, STUB_NAME, "e1000");
        assert_put_back(&scene, -ENOENT, STEP_BIND_HOST);
        ck_assert_ptr_nonnull(strstr(stub->log, "put group 1 into container\n"
                                                "set iommu 3\n"
                                                "open device b\n"
                                                "open device a\n"));
        scene_done(&scene);
}
END_TEST

START_TEST(a_group_without_an_iommu_is_put_back_in_as_one) {
        Scene scene;

        scene_init(&scene, shape_find("take what has no IOMMU"));
        stub_find_device("a")->native[0] = '\0';
        (void)snprintf(stub->missing_driver, STUB_NAME, "e1000");
        assert_put_back(&scene, -ENOENT, STEP_BIND_HOST);
        ck_assert_ptr_nonnull(strstr(stub->log, "put group 1 into container\n"
                                                "set iommu 8\n"
                                                "open device a\n"));
        scene_done(&scene);
}
END_TEST

START_TEST(a_group_beside_others_in_the_container_needs_no_iommu_of_its_own) {
        Scene scene;

        scene_init(&scene, shape_find("revoke one of the groups in a container"));
        stub_find_device("a")->native[0] = '\0';
        (void)snprintf(stub->missing_driver, STUB_NAME, "e1000");
        assert_put_back(&scene, -ENOENT, STEP_BIND_HOST);
        scene_done(&scene);
}
END_TEST

START_TEST(holders_that_are_asked_get_an_interrupt_and_nothing_is_kept) {
        Plan plan = PLAN_NULL;
        uint32_t group = 1;
        size_t before;
        Scene scene;

        scene_init(&scene, shape_find("revoke what the holder has opened by itself"));
        before = scene.files.n_handles;
        ck_assert_int_eq(plan_ask(&scene.world, &group, 1, &plan), 0);
        plan_done(&scene.plan);
        scene.plan = plan;
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        ck_assert_str_eq(stub->log, "open device a\nrequest device a\n");
        ck_assert_uint_eq(scene.files.n_handles, before);
        ck_assert_uint_eq(stub->holders[0].received, 0);
        scene_done(&scene);
}
END_TEST

START_TEST(that_no_interrupt_can_be_sent_is_no_failure) {
        for (size_t call = 1; call <= 2; call++) {
                Plan plan = PLAN_NULL;
                uint32_t group = 1;
                Scene scene;

                scene_init(&scene, shape_find("revoke what the holder has opened by itself"));
                ck_assert_int_eq(plan_ask(&scene.world, &group, 1, &plan), 0);
                plan_done(&scene.plan);
                scene.plan = plan;
                stub->fail_call[0] = call;
                stub->fail_error = -EIO;
                ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
                scene_done(&scene);
        }
}
END_TEST

static void add_holder_tests(TCase *tests) {
        tcase_add_test(tests, with_nobody_there_nobody_is_signalled_and_nothing_is_waited_for);
        tcase_add_test(tests, each_holder_is_signalled_once_and_waited_for_until_it_is_gone);
        tcase_add_test(tests, a_process_with_many_files_is_one_holder);
        tcase_add_test(tests, more_holders_than_are_told_of_are_all_signalled);
        tcase_add_test(tests, more_holders_that_stay_than_are_told_of_are_a_number);
        tcase_add_test(tests, a_process_that_took_over_the_pid_is_another_holder);
        tcase_add_test(tests, a_holder_that_appears_meanwhile_is_signalled_too);
        tcase_add_test(tests, whoever_could_not_be_signalled_is_tried_again);
        tcase_add_test(tests, only_files_that_keep_the_device_or_the_claim_from_us_count);
        tcase_add_test(tests, an_optional_step_goes_on_when_the_grace_is_over_and_no_sooner);
        tcase_add_test(tests, the_last_step_fails_and_reports_who_is_left);
        tcase_add_test(tests, a_plan_that_is_called_off_while_it_waits_is_undone);
        tcase_add_test(tests, a_look_that_takes_long_can_be_called_off);
        tcase_add_test(tests, who_was_found_is_reported_whatever_becomes_of_them);
        tcase_add_test(tests, to_expect_nobody_fails_on_any_file_of_the_group_and_reports_it);
        tcase_add_test(tests, a_look_that_fails_fails_its_step);
}

int main(void) {
        TCase *tests = tests_new("evict");

        add_holder_tests(tests);
        tcase_add_test(tests, a_revocation_ends_with_the_device_at_home_and_no_file_of_it_open);
        tcase_add_test(tests, a_device_is_as_it_was_when_its_holder_cannot_be_evicted);
        tcase_add_test(tests, a_holder_that_is_not_found_is_found_out_and_its_device_is_as_it_was);
        tcase_add_test(tests, a_group_that_is_busy_for_a_moment_is_waited_for);
        tcase_add_test(tests, a_device_that_was_never_quieted_is_not_restored);
        tcase_add_test(tests, a_group_that_its_holder_has_taken_out_itself_is_not_put_back_in);
        tcase_add_test(tests, a_group_that_we_took_out_is_put_back_in_with_its_iommu);
        tcase_add_test(tests, a_group_without_an_iommu_is_put_back_in_as_one);
        tcase_add_test(tests, a_group_beside_others_in_the_container_needs_no_iommu_of_its_own);
        tcase_add_test(tests, holders_that_are_asked_get_an_interrupt_and_nothing_is_kept);
        tcase_add_test(tests, that_no_interrupt_can_be_sent_is_no_failure);
        return tests_run(tests);
}
