/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/execute-iommufd.c over the stub kernel: the order of calls, what is found out, and
 * who keeps what. Undoing is in test-undo.c. */

#include <errno.h>
#include <signal.h>

#include "daemon/broker/execute.h"
#include "daemon/kernel/iommufd.h"
#include "daemon/util/fd.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-shape.h"

static const struct {
        const char *shape;
        const char *log;
} logs[] = {
        {"acquire cdevs", "open iommufd\n"
                          "allocate ioas\n"
                          "open group 3\n"
                          "open cdev 0000:03:01.0\n"
                          "bind cdev 0000:03:01.0\n"
                          "attach cdev 0000:03:01.0 to ioas 1\n"
                          "open cdev 0000:03:02.0\n"
                          "bind cdev 0000:03:02.0\n"
                          "attach cdev 0000:03:02.0 to ioas 1\n"
                          "read iovas of ioas 1\n"},
        {"acquire cdevs, bound only", "open iommufd\n"
                                      "open group 1\n"
                                      "open group 2\n"
                                      "open cdev a\n"
                                      "bind cdev a\n"
                                      "open cdev b\n"
                                      "bind cdev b\n"},
        {"acquire cdevs, open only", "open iommufd\n"
                                     "open group 1\n"
                                     "open cdev a\n"
                                     "open cdev b\n"},
        {"add cdevs", "open group 2\n"
                      "open cdev b\n"
                      "bind cdev b\n"
                      "attach cdev b to ioas 1\n"
                      "open cdev c\n"
                      "bind cdev c\n"
                      "attach cdev c to ioas 1\n"
                      "read iovas of ioas 1\n"},
        {"add cdevs, open only", "open group 2\n"
                                 "open cdev b\n"},
        {"remove cdevs", "look for holders\n"
                         "open group 2\n"
                         "read iovas of ioas 1\n"},
        {"remove cdevs that were only opened", "look for holders\n"
                                               "open iommufd\n"
                                               "bind cdev b\n"
                                               "bind cdev c\n"
                                               "open group 2\n"},
        {"take cdevs that were let go of", "look for holders\n"
                                           "open group 1\n"
                                           "reset a\n"
                                           "reset b\n"
                                           "load module e1000\n"
                                           "unbind a from vfio-pci\n"
                                           "override a ''\n"
                                           "bind a to e1000\n"
                                           "load module e1000\n"
                                           "unbind b from vfio-pci\n"
                                           "override b ''\n"
                                           "bind b to e1000\n"},
        {"revoke one of the groups of an iommufd", "look for holders\n"
                                                   "quiesce cdev a\n"
                                                   "detach cdev a\n"
                                                   "look for holders\n"
                                                   "send signal 7 to 812\n"
                                                   "look for holders\n"
                                                   "look for holders\n"
                                                   "open group 1\n"
                                                   "reset a\n"
                                                   "load module e1000\n"
                                                   "unbind a from vfio-pci\n"
                                                   "override a ''\n"
                                                   "bind a to e1000\n"},
        {"unbind what has a cdev", "look for holders\n"
                                   "open group 1\n"
                                   "load module e1000\n"
                                   "unbind a from vfio-pci\n"
                                   "override a ''\n"
                                   "bind a to e1000\n"},
};

START_TEST(each_plan_makes_its_calls_in_order) {
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find(logs[_i].shape));
        progress = scene_run(&scene, NEVER);
        ck_assert_int_eq(progress.error, 0);
        assert_row_str(logs[_i].shape, stub->log, logs[_i].log);
        scene_done(&scene);
}
END_TEST

/* What is busy stays so. */
static void wait_for_nobody(Scene *scene) {
        for (size_t i = 0; i < scene->plan.n_steps; i++)
                scene->plan.steps[i].grace_ms = 0;
}

static void assert_findings(const Results *results, const char *expected) {
        static const char *const names[_FINDING_KIND_MAX] = {
                [FINDING_IOAS] = "ioas",
                [FINDING_IOVA_ALIGNMENT] = "alignment",
                [FINDING_IOVA_RANGE] = "range",
                [FINDING_DEVICE_ID] = "id",
        };
        _cleanup_free_ char *text = strdup("");

        for (size_t i = 0; i < results->findings.n_findings; i++) {
                const Finding *finding = &results->findings.findings[i];

                ck_assert_int_eq(string_append(&text, "%s%s %lx %lx\n", names[finding->kind],
                                               finding->device, (unsigned long)finding->values[0],
                                               (unsigned long)finding->values[1]),
                                 0);
        }
        ck_assert_str_eq(text, expected);
}

static void assert_finds(const char *shape, const char *expected) {
        Scene scene;

        scene_init(&scene, shape_find(shape));
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        assert_findings(&scene.results, expected);
        scene_done(&scene);
}

START_TEST(the_numbers_that_the_kernel_gives_are_found_out) {
        assert_finds("acquire cdevs", "ioas 1 0\n"
                                      "id0000:03:01.0 2 0\n"
                                      "id0000:03:02.0 3 0\n"
                                      "alignment 1000 0\n"
                                      "range 0 fedfffff\n"
                                      "range fef00000 ffffffffffff\n");
        assert_finds("acquire cdevs, bound only", "ida 1 0\nidb 2 0\n");
        assert_finds("acquire cdevs, open only", "");
        assert_finds("add cdevs", "idb 3 0\n"
                                  "idc 4 0\n"
                                  "alignment 1000 0\n"
                                  "range 0 fedfffff\n"
                                  "range fef00000 ffffffffffff\n");
}
END_TEST

START_TEST(iommufd_and_cdevs_stay_open_in_the_order_of_the_plan) {
        static const HandleKind kinds[] = {HANDLE_IOMMUFD, HANDLE_CDEV, HANDLE_CDEV};
        _cleanup_free_ char *state = NULL;
        Scene scene;

        scene_init(&scene, shape_find("acquire cdevs"));
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        ck_assert_uint_eq(scene.files.n_handles, ELEMENTS(kinds));
        for (size_t i = 0; i < ELEMENTS(kinds); i++) {
                ck_assert_int_eq(scene.files.handles[i].kind, kinds[i]);
                ck_assert_uint_eq(scene.files.handles[i].group, i == 0 ? 0 : 3);
                ck_assert(scene.files.handles[i].fresh);
        }
        state = stub_state();
        ck_assert_ptr_nonnull(strstr(state, "cdev 0000:03:01.0 open, bound, attached\n"
                                            "cdev 0000:03:02.0 open, bound, attached\n"
                                            "iommufd open"));
        scene_done(&scene);
}
END_TEST

/* Each row: who has it, and what the plan says at which step. */
START_TEST(what_somebody_has_without_a_lease_is_not_bound) {
        static const struct {
                const char *shape;
                HoldKind holds;
                bool bound;
                int error;
                size_t step;
        } rows[] = {
                {"acquire cdevs, bound only", HOLD_GROUP, false, -EBUSY, 1},
                {"acquire cdevs, bound only", HOLD_CDEV, true, -EBUSY, 1},
                {"acquire cdevs, bound only", HOLD_CDEV, false, 0, 0},
                {"unbind what has a cdev", HOLD_CDEV, false, -EBUSY, 0},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Progress progress;
                Scene scene;

                scene_init(&scene, shape_find(rows[i].shape));
                stub_add_holder(812, rows[i].holds, 1, rows[i].holds == HOLD_GROUP ? NULL : "a")
                        ->bound = rows[i].bound;
                progress = scene_run(&scene, NEVER);
                ck_assert_int_eq(progress.error, rows[i].error);
                if (rows[i].error)
                        ck_assert_uint_eq(progress.step, rows[i].step);
                ck_assert_int_eq(progress.undo_error, 0);
                scene_done(&scene);
        }
}
END_TEST

START_TEST(a_group_with_a_cdev_that_is_anothers_is_left_alone_until_that_is_closed) {
        const Roots roots = ROOTS_NULL;
        int cdev, iommufd;
        uint32_t id;
        Scene scene;

        scene_init(&scene, shape_find("acquire cdevs"));
        cdev = cdev_open(&roots, "pci", "0000:03:02.0");
        iommufd = iommufd_open(&roots);
        ck_assert_int_eq(cdev_bind(cdev, iommufd, &id), 0);
        ck_assert_int_eq(scene_run(&scene, NEVER).error, -EBUSY);
        ck_assert_uint_eq(scene.files.n_handles, 0);
        fd_close(cdev);
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        fd_close(iommufd);
        scene_done(&scene);
}
END_TEST

/* Each row: a copy that looking does not find keeps the group from being claimed, be it of the
 * first device or of another. */
START_TEST(a_copy_of_a_cdev_that_cannot_be_found_keeps_the_group) {
        static const struct {
                const char *shape;
                const char *device;
        } rows[] = {
                {"revoke cdevs that were never used", "a"},
                {"revoke cdevs that were never used", "b"},
                {"revoke cdevs that the holder has bound by itself", "b"},
                {"revoke cdevs from a lease", "b"},
                {"take cdevs that were let go of", "a"},
                {"remove cdevs that were only opened", "c"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Progress progress;
                Scene scene;

                scene_init(&scene, shape_find(rows[i].shape));
                stub_add_holder(813, HOLD_CDEV, stub_find_device(rows[i].device)->group,
                                rows[i].device)
                        ->hidden = true;
                wait_for_nobody(&scene);
                progress = scene_run(&scene, NEVER);
                ck_assert_msg(progress.error == -EBUSY, "row %zu: %d", i, progress.error);
                ck_assert(scene.plan.steps[progress.step].kind == STEP_CLAIM_GROUP ||
                          scene.plan.steps[progress.step].kind == STEP_TEST_GROUP);
                ck_assert_msg(progress.undo_error == 0, "row %zu: undo %d", i, progress.undo_error);
                scene_done(&scene);
        }
}
END_TEST

/* Its receiver has bound one device of the pair to the lease's iommufd, and not the other. */
START_TEST(a_cdev_whose_group_is_the_leases_iommufds_is_sealed_with_that) {
        Scene scene;
        uint32_t id;

        scene_init(&scene, shape_find("revoke cdevs that were never used"));
        ck_assert_int_eq(cdev_bind(handles_find(&scene.files, HANDLE_CDEV, 1, "a"),
                                   handles_find(&scene.files, HANDLE_IOMMUFD, 0, NULL), &id),
                         0);
        stub_add_holder(813, HOLD_CDEV, 1, "b")->hidden = true;
        wait_for_nobody(&scene);
        ck_assert_int_eq(scene_run(&scene, NEVER).error, -EBUSY);
        scene_done(&scene);
}
END_TEST

START_TEST(a_remove_that_finds_a_holder_loses_nothing) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find("remove cdevs"));
        stub_add_holder(812, HOLD_CDEV, 2, "c");
        before = stub_state();
        progress = scene_run(&scene, NEVER);
        after = stub_state();
        ck_assert_int_eq(progress.error, -EBUSY);
        ck_assert_uint_eq(progress.step, 0);
        ck_assert_str_eq(after, before);
        ck_assert_uint_eq(scene.results.holds.n_holds, 1);
        scene_done(&scene);
}
END_TEST

/* It was attached to the lease's IOAS again, and its command register is as before. */
START_TEST(a_holder_that_survives_keeps_its_dma) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find("revoke one of the groups of an iommufd"));
        stub->holders[0].yields_to = 0;
        wait_for_nobody(&scene);
        before = stub_state();
        progress = scene_run(&scene, NEVER);
        after = stub_state();
        ck_assert_int_eq(progress.error, -EBUSY);
        ck_assert_int_eq(scene.plan.steps[progress.step].kind, STEP_EVICT);
        ck_assert_ptr_nonnull(strstr(stub->log, "attach cdev a to ioas 1\nrestore cdev a to 6\n"));
        ck_assert_str_eq(after, before);
        scene_done(&scene);
}
END_TEST

/* Closing would do it too, but not while a copy is somewhere. */
START_TEST(undo_detaches_what_was_attached_in_reverse_order) {
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find("acquire cdevs"));
        stub->fail_call[0] = 10; /* read iovas of ioas 1 */
        stub->fail_error = -ENOENT;
        progress = scene_run(&scene, NEVER);
        ck_assert_int_eq(progress.error, -ENOENT);
        ck_assert_int_eq(progress.undo_error, 0);
        ck_assert_ptr_nonnull(strstr(stub->log, "read iovas of ioas 1\n"
                                                "detach cdev 0000:03:02.0\n"
                                                "detach cdev 0000:03:01.0\n"));
        ck_assert_uint_eq(scene.files.n_handles, 0);
        scene_done(&scene);
}
END_TEST

/* Nothing was attached that undoing could attach again. */
START_TEST(a_cdev_that_could_not_be_detached_is_not_attached_again) {
        Scene scene;

        scene_init(&scene, shape_find("revoke one of the groups of an iommufd"));
        stub->holders[0].yields_to = 0;
        wait_for_nobody(&scene);
        stub->fail_call[0] = 3; /* detach cdev a */
        stub->fail_error = -EINVAL;
        ck_assert_int_eq(scene_run(&scene, NEVER).error, -EBUSY);
        ck_assert_ptr_null(strstr(stub->log, "attach cdev a to"));
        scene_done(&scene);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("execute-iommufd");

        tcase_add_loop_test(tests, each_plan_makes_its_calls_in_order, 0, (int)ELEMENTS(logs));
        tcase_add_test(tests, the_numbers_that_the_kernel_gives_are_found_out);
        tcase_add_test(tests, iommufd_and_cdevs_stay_open_in_the_order_of_the_plan);
        tcase_add_test(tests, what_somebody_has_without_a_lease_is_not_bound);
        tcase_add_test(tests,
                       a_group_with_a_cdev_that_is_anothers_is_left_alone_until_that_is_closed);
        tcase_add_test(tests, a_copy_of_a_cdev_that_cannot_be_found_keeps_the_group);
        tcase_add_test(tests, a_cdev_whose_group_is_the_leases_iommufds_is_sealed_with_that);
        tcase_add_test(tests, a_remove_that_finds_a_holder_loses_nothing);
        tcase_add_test(tests, a_holder_that_survives_keeps_its_dma);
        tcase_add_test(tests, undo_detaches_what_was_attached_in_reverse_order);
        tcase_add_test(tests, a_cdev_that_could_not_be_detached_is_not_attached_again);
        return tests_run(tests);
}
