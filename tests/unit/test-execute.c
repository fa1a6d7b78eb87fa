/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/execute.h over the stub kernel: the order of calls, and what others did meanwhile.
 * Undoing is in test-undo.c. */

#include "daemon/broker/execute.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-shape.h"

static void assert_log(const char *shape, const char *log) {
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find(shape));
        progress = scene_run(&scene, NEVER);
        ck_assert_int_eq(progress.error, 0);
        ck_assert(progress.finished && !progress.undoing);
        ck_assert_str_eq(stub->log, log);
        scene_done(&scene);
}

START_TEST(bind_sets_all_overrides_before_the_first_device_loses_its_driver) {
        assert_log("bind two beside a bridge", "load module vfio_pci\n"
                                               "override 0000:03:01.0 'vfio-pci'\n"
                                               "override 0000:03:02.0 'vfio-pci'\n"
                                               "unbind 0000:03:01.0 from e1000\n"
                                               "bind 0000:03:01.0 to vfio-pci\n"
                                               "is 0000:03:01.0 on vfio\n"
                                               "unbind 0000:03:02.0 from e1000\n"
                                               "bind 0000:03:02.0 to vfio-pci\n"
                                               "is 0000:03:02.0 on vfio\n");
}
END_TEST

START_TEST(a_variant_that_refuses_gives_way_to_the_plain_driver) {
        assert_log("bind to a variant that refuses", "load module mlx5_vfio_pci\n"
                                                     "load module vfio_pci\n"
                                                     "override a 'mlx5_vfio_pci'\n"
                                                     "override b 'vfio-pci'\n"
                                                     "unbind a from mlx5_core\n"
                                                     "bind a to mlx5_vfio_pci\n"
                                                     "override a 'vfio-pci'\n"
                                                     "bind a to vfio-pci\n"
                                                     "is a on vfio\n"
                                                     "unbind b from e1000\n"
                                                     "bind b to vfio-pci\n"
                                                     "is b on vfio\n");
}
END_TEST

START_TEST(unbind_claims_the_group_and_leaves_each_device_as_it_was_found) {
        assert_log("unbind two", "open group 3\n"
                                 "load module e1000\n"
                                 "unbind 0000:03:01.0 from vfio-pci\n"
                                 "override 0000:03:01.0 ''\n"
                                 "bind 0000:03:01.0 to e1000\n"
                                 "load module e1000\n"
                                 "unbind 0000:03:02.0 from vfio-pci\n"
                                 "override 0000:03:02.0 ''\n"
                                 "bind 0000:03:02.0 to e1000\n");
}
END_TEST

START_TEST(acquire_sets_the_iommu_when_the_first_group_is_in) {
        assert_log("acquire three groups", "open container\n"
                                           "open group 1\n"
                                           "is group 1 viable\n"
                                           "open group 2\n"
                                           "is group 2 viable\n"
                                           "open group 3\n"
                                           "is group 3 viable\n"
                                           "put group 1 into container\n"
                                           "set iommu 3\n"
                                           "put group 2 into container\n"
                                           "put group 3 into container\n"
                                           "open device a\n"
                                           "open device b\n"
                                           "open device c\n");
}
END_TEST

START_TEST(a_group_without_an_iommu_has_another_node_and_its_container_another_type) {
        assert_log("acquire without an IOMMU", "open container\n"
                                               "open no-IOMMU group 1\n"
                                               "is group 1 viable\n"
                                               "open no-IOMMU group 2\n"
                                               "is group 2 viable\n"
                                               "put group 1 into container\n"
                                               "set iommu 8\n"
                                               "put group 2 into container\n"
                                               "open device a\n"
                                               "open device b\n");
        assert_log("unbind what has no IOMMU", "open no-IOMMU group 1\n"
                                               "load module e1000\n"
                                               "unbind a from vfio-pci\n"
                                               "override a ''\n"
                                               "bind a to e1000\n");
}
END_TEST

START_TEST(the_limit_of_locked_memory_is_raised_before_anything_else_is_done) {
        assert_log("acquire with bind and memlock", "raise memlock of 812 to 1048576\n"
                                                    "load module vfio_pci\n"
                                                    "override a 'vfio-pci'\n"
                                                    "unbind a from e1000\n"
                                                    "bind a to vfio-pci\n"
                                                    "is a on vfio\n"
                                                    "open container\n"
                                                    "open group 1\n"
                                                    "is group 1 viable\n"
                                                    "put group 1 into container\n"
                                                    "set iommu 3\n"
                                                    "open device a\n");
}
END_TEST

START_TEST(the_files_of_a_plan_stay_open_and_a_claim_does_not) {
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find("acquire a group of two"));
        progress = scene_run(&scene, NEVER);
        ck_assert_int_eq(progress.error, 0);
        ck_assert_uint_eq(scene.files.n_handles, 4);
        ck_assert_int_eq(scene.files.handles[0].kind, HANDLE_CONTAINER);
        ck_assert_int_eq(scene.files.handles[1].kind, HANDLE_GROUP);
        ck_assert_str_eq(scene.files.handles[2].device, "0000:03:01.0");
        ck_assert_str_eq(scene.files.handles[3].device, "0000:03:02.0");
        ck_assert(scene.files.handles[3].fresh);
        scene_done(&scene);

        scene_init(&scene, shape_find("unbind two"));
        progress = scene_run(&scene, NEVER);
        ck_assert_int_eq(progress.error, 0);
        ck_assert_uint_eq(scene.files.n_handles, 0);
        scene_done(&scene);
}
END_TEST

/* Each row: the machine is changed behind the plan's back. */
START_TEST(a_group_that_is_held_or_not_viable_is_left_alone) {
        static const struct {
                const char *shape;
                bool held;
                int error;
                size_t step;
        } rows[] = {
                {"acquire three groups", true, -EBUSY, 1},
                {"acquire three groups", false, -EPERM, 1},
                {"unbind two", true, -EBUSY, 0},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Progress progress;
                Scene scene;

                scene_init(&scene, shape_find(rows[i].shape));
                stub->held_outside = rows[i].held;
                stub->not_viable = !rows[i].held;
                progress = scene_run(&scene, NEVER);
                ck_assert_int_eq(progress.error, rows[i].error);
                ck_assert_uint_eq(progress.step, rows[i].step);
                ck_assert_uint_eq(scene.files.n_handles, 0);
                scene_done(&scene);
        }
}
END_TEST

START_TEST(a_device_that_somebody_else_unbound_meanwhile_is_fine) {
        Scene scene;

        scene_init(&scene, shape_find("bind two beside a bridge"));
        stub_find_device("0000:03:01.0")->driver[0] = '\0';
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        ck_assert_str_eq(stub_find_device("0000:03:01.0")->driver, "vfio-pci");
        scene_done(&scene);
}
END_TEST

START_TEST(a_device_that_somebody_else_bound_meanwhile_is_busy) {
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find("bind two beside a bridge"));
        (void)snprintf(stub_find_device("0000:03:02.0")->driver, STUB_NAME, "uio_pci_generic");
        progress = scene_run(&scene, NEVER);
        ck_assert_int_eq(progress.error, -EBUSY);
        ck_assert_uint_eq(progress.step, 5);
        ck_assert_int_eq(progress.undo_error, 0);
        ck_assert_str_eq(stub_find_device("0000:03:01.0")->driver, "e1000");
        ck_assert_str_eq(stub_find_device("0000:03:02.0")->driver, "uio_pci_generic");
        scene_done(&scene);
}
END_TEST

static bool never(void *userdata _unused_) {
        return false;
}

static Progress run_plan(Plan *plan, Handles *files) {
        const Roots roots = ROOTS_NULL;
        const ExecuteHost host = {.cancelled = never, .vfiod = STUB_VFIOD};
        _cleanup_results_ Results results = RESULTS_NULL;
        Progress progress = {0};

        execute_plan(&roots, plan, files, &results, &progress, &host);
        plan_done(plan);
        return progress;
}

START_TEST(a_driver_that_is_gone_with_none_in_its_place_fails_and_stays_on_vfio) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find("unbind to a driver that is gone"));
        stub_find_device("a")->native[0] = '\0';
        before = stub_state();
        progress = scene_run(&scene, NEVER);
        after = stub_state();
        ck_assert_int_eq(progress.error, -ENOENT);
        ck_assert_uint_eq(progress.step, 4);
        ck_assert_str_eq(after, before);
        scene_done(&scene);
}
END_TEST

START_TEST(inspecting_what_nobody_has_opens_and_closes_it_and_nothing_is_left) {
        Progress progress;
        Scene scene;

        scene_init(&scene, shape_find("inspect what nobody has"));
        progress = scene_run(&scene, NEVER);
        ck_assert_int_eq(progress.error, 0);
        ck_assert_str_eq(stub->log, "open container\n"
                                    "open group 1\n"
                                    "is group 1 viable\n"
                                    "put group 1 into container\n"
                                    "set iommu 3\n"
                                    "open device a\n"
                                    "inspect a through device a\n"
                                    "resets of a\n");
        ck_assert_uint_eq(scene.files.n_handles, 0);
        ck_assert_ptr_null(stub_find_open("group 1"));
        ck_assert_uint_eq(scene.results.findings.n_findings, 2);
        ck_assert_int_eq(scene.results.findings.findings[1].kind, FINDING_RESET);
        scene_done(&scene);
}
END_TEST

START_TEST(inspecting_what_is_leased_opens_nothing) {
        assert_log("inspect what is leased", "inspect a through device a\n"
                                             "resets of a\n");
}
END_TEST

START_TEST(inspecting_through_the_group_of_a_lease_closes_the_device_alone) {
        Scene scene;

        scene_init(&scene, shape_find("inspect what the holder has set up by itself"));
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        ck_assert_str_eq(stub->log, "open device a\n"
                                    "inspect a through device a\n"
                                    "resets of a\n");
        ck_assert_ptr_null(stub_find_open("device a"));
        ck_assert_ptr_nonnull(stub_find_open("group 1"));
        scene_done(&scene);
}
END_TEST

START_TEST(a_group_that_its_receiver_has_not_set_up_gives_no_device_to_inspect) {
        Shape shape = *shape_find("inspect what the holder has set up by itself");
        Progress progress;
        Scene scene;

        shape.attaches = false;
        scene_init(&scene, &shape);
        progress = scene_run(&scene, NEVER);
        ck_assert_int_eq(progress.error, -EINVAL);
        ck_assert_uint_eq(progress.step, 0);
        ck_assert_str_eq(stub->log, "open device a\n");
        scene_done(&scene);
}
END_TEST

START_TEST(only_pci_devices_are_asked_for_their_resets) {
        Shape shape = *shape_find("inspect what is leased");
        Scene scene;

        shape.devices[0].bus = "mdev";
        scene_init(&scene, &shape);
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        ck_assert_str_eq(stub->log, "inspect a through device a\n");
        scene_done(&scene);
}
END_TEST

START_TEST(closing_the_files_of_a_lease_leaves_none) {
        Plan plan = PLAN_NULL;
        Scene scene;

        scene_init(&scene, shape_find("acquire a group of two"));
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        ck_assert_ptr_nonnull(plan_append(&plan, STEP_CLOSE_FILES, 0));
        ck_assert_ptr_nonnull(plan_append(&plan, STEP_TEST_GROUP, 3));
        ck_assert_int_eq(run_plan(&plan, &scene.files).error, 0);
        ck_assert_uint_eq(scene.files.n_handles, 0);
        ck_assert_ptr_null(stub_find_open("group 3"));
        scene_done(&scene);
}
END_TEST

START_TEST(a_group_is_free_when_it_can_be_opened_or_has_no_node) {
        static const int errors[] = {0, -ENOENT, -ENODEV, -ENXIO, -EBUSY, -EPERM};

        for (size_t i = 0; i < ELEMENTS(errors); i++) {
                Handles files = HANDLES_NULL;
                Plan plan = PLAN_NULL;
                bool held = errors[i] == -EBUSY || errors[i] == -EPERM;

                stub_init();
                stub->fail_call[0] = 1;
                stub->fail_error = errors[i];
                ck_assert_ptr_nonnull(plan_append(&plan, STEP_TEST_GROUP, 3));
                ck_assert_int_eq(run_plan(&plan, &files).error, held ? errors[i] : 0);
                ck_assert_uint_eq(files.n_handles, 0);
                stub_done();
        }
}
END_TEST

int main(void) {
        TCase *tests = tests_new("execute");

        tcase_add_test(tests, bind_sets_all_overrides_before_the_first_device_loses_its_driver);
        tcase_add_test(tests, a_variant_that_refuses_gives_way_to_the_plain_driver);
        tcase_add_test(tests, unbind_claims_the_group_and_leaves_each_device_as_it_was_found);
        tcase_add_test(tests, acquire_sets_the_iommu_when_the_first_group_is_in);
        tcase_add_test(tests,
                       a_group_without_an_iommu_has_another_node_and_its_container_another_type);
        tcase_add_test(tests, the_limit_of_locked_memory_is_raised_before_anything_else_is_done);
        tcase_add_test(tests, the_files_of_a_plan_stay_open_and_a_claim_does_not);
        tcase_add_test(tests, a_group_that_is_held_or_not_viable_is_left_alone);
        tcase_add_test(tests, a_device_that_somebody_else_unbound_meanwhile_is_fine);
        tcase_add_test(tests, a_device_that_somebody_else_bound_meanwhile_is_busy);
        tcase_add_test(tests, a_driver_that_is_gone_with_none_in_its_place_fails_and_stays_on_vfio);
        tcase_add_test(tests, inspecting_what_nobody_has_opens_and_closes_it_and_nothing_is_left);
        tcase_add_test(tests, inspecting_what_is_leased_opens_nothing);
        tcase_add_test(tests, inspecting_through_the_group_of_a_lease_closes_the_device_alone);
        tcase_add_test(tests, a_group_that_its_receiver_has_not_set_up_gives_no_device_to_inspect);
        tcase_add_test(tests, only_pci_devices_are_asked_for_their_resets);
        tcase_add_test(tests, closing_the_files_of_a_lease_leaves_none);
        tcase_add_test(tests, a_group_is_free_when_it_can_be_opened_or_has_no_node);
        return tests_run(tests);
}
