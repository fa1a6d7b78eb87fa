/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/decide-mode.c: which mode an acquisition is in, and what polkit is told of it. */

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OWNER 1000

static void init_world(World *world) {
        static const DeviceRow rows[] = {
                {"a", 1, "vfio-pci", .cdev = "vfio0"},
                {"b", 2, "vfio-pci"},
                {"c", 3, "e1000"},
                {"d", 4, "vfio-pci", .cdev = "vfio1"},
                {"0000:00:03.0", 4, "pcieport", .class_code = CLASS_PCI_BRIDGE,
                 .header_type = HEADER_BRIDGE},
        };

        world_init(world, rows, ELEMENTS(rows));
        world_set_iommufd(world);
}

/* What the plan opens first tells its mode. */
static Mode mode_of_plan(const World *world, const Ask *ask) {
        _cleanup_(answer_done) Answer answer;
        Mode mode = MODE_GROUP;

        ask_world(world, ask, &answer);
        ck_assert_msg(answer.refusal.kind == REFUSAL_NONE, "%s", answer.refusal.sentence);
        for (size_t i = 0; i < answer.plan.n_steps; i++)
                if (answer.plan.steps[i].kind == STEP_OPEN_IOMMUFD ||
                    answer.plan.steps[i].kind == STEP_OPEN_CDEV)
                        mode = MODE_IOMMUFD;
        return mode;
}

START_TEST(auto_is_iommufd_where_the_kernel_has_it_and_every_device_a_cdev) {
        static const struct {
                IommufdSupport support;
                const char *targets;
                bool bind;
                Mode mode;
        } rows[] = {
                {{true, true, true}, "a", false, MODE_IOMMUFD},
                {{true, true, true}, "group/4", false, MODE_IOMMUFD},
                {{true, true, true}, "a b", false, MODE_GROUP},
                {{true, true, true}, "b", false, MODE_GROUP},
                {{true, true, true}, "a c", true, MODE_IOMMUFD},
                {{true, true, true}, "b c", true, MODE_GROUP},
                {{true, false, true}, "a", false, MODE_GROUP},
                {{false, false, true}, "a", false, MODE_GROUP},
                {{false, true, true}, "a", false, MODE_GROUP},
                /* vfio is not loaded yet: nobody can tell. */
                {{true, false, false}, "c", true, MODE_IOMMUFD},
                {{false, false, false}, "c", true, MODE_GROUP},
        };
        World world;

        init_world(&world);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const Ask ask = {OPERATION_ACQUIRE, rows[i].targets, OWNER, .bind = rows[i].bind};
                Mode mode;

                world.iommufd = rows[i].support;
                mode = mode_of_plan(&world, &ask);
                ck_assert_msg(mode == rows[i].mode, "row %zu: %s", i, mode_name(mode));
        }
        world_done(&world);
}
END_TEST

START_TEST(what_is_asked_for_by_name_is_done_or_refused) {
        static const Ask group = {OPERATION_ACQUIRE, "a", OWNER, .mode = MODE_GROUP},
                         iommufd = {OPERATION_ACQUIRE, "a", OWNER, .mode = MODE_IOMMUFD},
                         bind = {OPERATION_ACQUIRE, "a", OWNER, .prepare = PREPARE_BIND};
        World world;

        init_world(&world);
        ck_assert_int_eq(mode_of_plan(&world, &group), MODE_GROUP);
        ck_assert_int_eq(mode_of_plan(&world, &iommufd), MODE_IOMMUFD);
        ck_assert_int_eq(mode_of_plan(&world, &bind), MODE_IOMMUFD);
        world.iommufd = (IommufdSupport){0};
        ck_assert_int_eq(mode_of_plan(&world, &group), MODE_GROUP);
        assert_refused(&world, &iommufd, REFUSAL_UNSUPPORTED, "this kernel has no iommufd");
        /* Only iommufd mode has it: there is no falling back. */
        assert_refused(&world, &bind, REFUSAL_UNSUPPORTED, "this kernel has no iommufd");
        world_done(&world);
}
END_TEST

START_TEST(a_lease_that_is_joined_sets_the_mode) {
        World world;
        Lease *lease;

        init_world(&world);
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){2, 0});
        ck_assert_int_eq(mode_of_plan(&world, &(Ask){OPERATION_ADD, "a", OWNER, .lease = 1}),
                         MODE_GROUP);
        ck_assert_int_eq(mode_of_plan(&world, &(Ask){OPERATION_ADD, "a", OWNER, .lease = 1,
                                                     .mode = MODE_GROUP}),
                         MODE_GROUP);
        lease->mode = MODE_IOMMUFD;
        ck_assert_int_eq(mode_of_plan(&world, &(Ask){OPERATION_ADD, "a", OWNER, .lease = 1}),
                         MODE_IOMMUFD);
        ck_assert_int_eq(mode_of_plan(&world, &(Ask){OPERATION_ADD, "a", OWNER, .lease = 1,
                                                     .mode = MODE_IOMMUFD}),
                         MODE_IOMMUFD);
        world_done(&world);
}
END_TEST

START_TEST(a_device_without_a_cdev_does_not_join_an_iommufd) {
        World world;

        init_world(&world);
        world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){1, 0})->mode = MODE_IOMMUFD;
        assert_refused(&world, &(Ask){OPERATION_ADD, "b", OWNER, .lease = 1}, REFUSAL_UNSUPPORTED,
                       "b has no node under /dev/vfio/devices");
        world_done(&world);
}
END_TEST

static Mode expected(const World *world, const char *target, Mode mode, uint32_t lease) {
        _cleanup_request_ Request request = {.operation = lease ? OPERATION_ADD : OPERATION_ACQUIRE,
                                             .mode = mode,
                                             .lease = lease};
        char *targets[] = {(char *)target, NULL};
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        ck_assert_int_eq(request_set_targets(&request, targets, 8, &refusal), REFUSAL_NONE);
        return decide_expected_mode(world, &request);
}

/* Whatever else is wrong with the request is said when it is decided. */
START_TEST(the_mode_is_known_before_anything_else_is_decided) {
        World world;

        init_world(&world);
        ck_assert_int_eq(expected(&world, "a", MODE_AUTO, 0), MODE_IOMMUFD);
        ck_assert_int_eq(expected(&world, "b", MODE_AUTO, 0), MODE_GROUP);
        ck_assert_int_eq(expected(&world, "a", MODE_GROUP, 0), MODE_GROUP);
        ck_assert_int_eq(expected(&world, "b", MODE_IOMMUFD, 0), MODE_IOMMUFD);
        ck_assert_int_eq(expected(&world, "nobody", MODE_AUTO, 0), MODE_GROUP);
        ck_assert_int_eq(expected(&world, "a", MODE_AUTO, 7), MODE_IOMMUFD);
        (void)world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){2, 0});
        ck_assert_int_eq(expected(&world, "a", MODE_AUTO, 1), MODE_GROUP);
        lease_table_find(&world.leases, 1)->mode = MODE_IOMMUFD;
        ck_assert_int_eq(expected(&world, "b", MODE_AUTO, 1), MODE_IOMMUFD);
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-mode");

        tcase_add_test(tests, auto_is_iommufd_where_the_kernel_has_it_and_every_device_a_cdev);
        tcase_add_test(tests, what_is_asked_for_by_name_is_done_or_refused);
        tcase_add_test(tests, a_lease_that_is_joined_sets_the_mode);
        tcase_add_test(tests, a_device_without_a_cdev_does_not_join_an_iommufd);
        tcase_add_test(tests, the_mode_is_known_before_anything_else_is_decided);
        return tests_run(tests);
}
