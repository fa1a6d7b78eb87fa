/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations of libvfiod without a lease: bind, unbind, plans, inspecting. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-lib.h"

#define NOT_VIABLE VFIOD_ERROR_PREFIX "NotViable"

START_TEST(bind_names_a_driver_only_where_it_is_given) {
        _cleanup_client_ Client client = client_start(&(Script){0});

        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a", "group/3"), NULL), 0);
        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), "vfio-pci"), 0);
        ck_assert_str_eq(client_leave(&client), "Bind [\"a\",\"group/3\"] {}\n"
                                                "Bind [\"a\"] {\"driver\":\"vfio-pci\"}\nleft\n");
}
END_TEST

START_TEST(no_targets_are_sent_as_none_for_vfiod_to_refuse) {
        _cleanup_client_ Client client =
                client_start(&(Script){.failing = "Bind", .error = VFIOD_ERROR_PREFIX "NoTargets"});
        static const char *const none[] = {NULL};

        assert_failed(&client, vfiod_bind(client.c, none, NULL), EINVAL,
                      VFIOD_ERROR_PREFIX "NoTargets");
        assert_failed(&client, vfiod_bind(client.c, NULL, NULL), EINVAL,
                      VFIOD_ERROR_PREFIX "NoTargets");
}
END_TEST

START_TEST(unbind_sends_policy_and_time) {
        static const struct {
                const char *policy;
                uint64_t timeout_ms;
                const char *expected;
        } rows[] = {
                {NULL, VFIOD_TIMEOUT_NONE, "Unbind [\"a\"] {}\n"},
                {"fail", VFIOD_TIMEOUT_NONE, "Unbind [\"a\"] {\"policy\":\"fail\"}\n"},
                {"revoke", 0, "Unbind [\"a\"] {\"policy\":\"revoke\",\"timeout\":0}\n"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_client_ Client client = client_start(&(Script){.answer_at = 1});

                ck_assert_int_eq(
                        vfiod_unbind(client.c, TARGETS("a"), rows[i].policy, rows[i].timeout_ms),
                        0);
                ck_assert_ptr_nonnull(strstr(client_leave(&client), rows[i].expected));
        }
}
END_TEST

START_TEST(virtual_functions_are_set_with_what_the_flags_say) {
        static const struct {
                unsigned flags;
                const char *expected;
        } rows[] = {
                {0, "SetVfs 3 {}\n"},
                {VFIOD_VFS_RECREATE, "SetVfs 3 {\"recreate\":true}\n"},
                {VFIOD_VFS_AUTOPROBE_ON, "SetVfs 3 {\"autoprobe\":true}\n"},
                {VFIOD_VFS_RECREATE | VFIOD_VFS_AUTOPROBE_OFF,
                 "SetVfs 3 {\"recreate\":true,\"autoprobe\":false}\n"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_client_ Client client = client_start(&(Script){0});

                ck_assert_int_eq(vfiod_set_vfs(client.c, "01:00.0", 3, rows[i].flags), 0);
                ck_assert_ptr_nonnull(strstr(client_leave(&client), rows[i].expected));
        }
}
END_TEST

START_TEST(groups_are_assigned_with_what_the_flags_say_and_unassigned) {
        _cleanup_client_ Client client = client_start(&(Script){0});
        _cleanup_strv_ char **steps = NULL, **more = NULL;

        ck_assert_int_eq(vfiod_assign(client.c, TARGETS("a"), NULL, 0), 0);
        ck_assert_int_eq(vfiod_assign(client.c, TARGETS("a"), "x",
                                      VFIOD_ASSIGN_BIND | VFIOD_ASSIGN_OVERRIDE_SAFETY),
                         0);
        ck_assert_int_eq(vfiod_assign(client.c, TARGETS("a"), NULL, 4), -EINVAL);
        ck_assert_int_eq(vfiod_unassign(client.c, TARGETS("a")), 0);
        ck_assert_int_eq(vfiod_plan_assign(client.c, TARGETS("a"), NULL, VFIOD_ASSIGN_BIND, &steps),
                         0);
        ck_assert_int_eq(vfiod_plan_unassign(client.c, TARGETS("a"), &more), 0);
        ck_assert_uint_eq(strv_length(steps), 1);
        ck_assert_str_eq(client_leave(&client), "Assign [\"a\"] {}\n"
                                                "Assign [\"a\"] {\"driver\":\"x\",\"bind\":true,"
                                                "\"override_safety\":true}\n"
                                                "Unassign [\"a\"] {}\n"
                                                "Plan \"assign\" [\"a\"] {\"bind\":true}\n"
                                                "Plan \"unassign\" [\"a\"] {}\nleft\n");
}
END_TEST

START_TEST(virtual_functions_are_not_asked_for_with_flags_that_make_no_sense) {
        _cleanup_client_ Client client = client_start(&(Script){0});

        ck_assert_int_eq(vfiod_set_vfs(client.c, "a", 1, 8), -EINVAL);
        ck_assert_int_eq(
                vfiod_set_vfs(client.c, "a", 1, VFIOD_VFS_AUTOPROBE_ON | VFIOD_VFS_AUTOPROBE_OFF),
                -EINVAL);
        ck_assert_str_eq(client_leave(&client), "left\n");
}
END_TEST

START_TEST(what_there_is_already_or_no_more_of_has_an_errno_of_its_own) {
        static const struct {
                const char *name;
                int error;
        } rows[] = {
                {VFIOD_ERROR_PREFIX "AlreadyExists", EEXIST},
                {VFIOD_ERROR_PREFIX "Exhausted", ENOSPC},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_client_ Client client =
                        client_start(&(Script){.failing = "SetVfs", .error = rows[i].name});

                assert_failed(&client, vfiod_set_vfs(client.c, "01:00.0", 1, 0), rows[i].error,
                              rows[i].name);
        }
}
END_TEST

START_TEST(a_mediated_device_is_made_with_a_uuid_or_without_and_removed_by_its_name) {
        _cleanup_client_ Client client = client_start(&(Script){0});
        char *uuid = NULL;

        ck_assert_int_eq(vfiod_create_mdev(client.c, "mtty", "mtty-2", NULL, &uuid), 0);
        ck_assert_str_eq(uuid, SCRIPT_UUID);
        free(uuid);
        ck_assert_int_eq(vfiod_create_mdev(client.c, "mtty", "mtty-2", "u", NULL), 0);
        ck_assert_int_eq(vfiod_remove_mdev(client.c, SCRIPT_DEVICE), 0);
        ck_assert_str_eq(client_leave(&client), "CreateMdev \"mtty\" \"mtty-2\" \"\" {}\n"
                                                "CreateMdev \"mtty\" \"mtty-2\" \"u\" {}\n"
                                                "GetDevice \"" SCRIPT_DEVICE "\"\n"
                                                "RemoveMdev\nleft\n");
}
END_TEST

START_TEST(unbind_that_waits_has_no_other_limit_of_time) {
        _cleanup_client_ Client client = client_start(
                &(Script){.answer_at = 300, .answer_error = VFIOD_ERROR_PREFIX "StillHeld"});

        ck_assert_int_eq(vfiod_connection_set_timeout(client.c, 50), 0);
        assert_failed(&client, vfiod_unbind(client.c, TARGETS("a"), "wait", 250), EBUSY,
                      VFIOD_ERROR_PREFIX "StillHeld");
}
END_TEST

START_TEST(a_plan_is_sentences_of_the_operation_with_its_options) {
        _cleanup_client_ Client client = client_start(&(Script){0});
        vfiod_acquire_options options = VFIOD_ACQUIRE_OPTIONS_NULL;
        char **steps = NULL;

        options.bind = true;
        ck_assert_int_eq(vfiod_plan_bind(client.c, TARGETS("a"), "x", &steps), 0);
        ck_assert_str_eq(steps[0], "ask for it");
        ck_assert_ptr_null(steps[1]);
        vfiod_strv_free(steps);
        ck_assert_int_eq(vfiod_plan_unbind(client.c, TARGETS("a"), "wait", 5, &steps), 0);
        vfiod_strv_free(steps);
        ck_assert_int_eq(vfiod_plan_acquire(client.c, TARGETS("a"), &options, &steps), 0);
        vfiod_strv_free(steps);
        ck_assert_str_eq(client_leave(&client),
                         "Plan \"bind\" [\"a\"] {\"driver\":\"x\"}\n"
                         "Plan \"unbind\" [\"a\"] {\"policy\":\"wait\",\"timeout\":5}\n"
                         "Plan \"acquire\" [\"a\"] {\"bind\":true}\nleft\n");
}
END_TEST

START_TEST(a_plan_that_is_refused_has_no_steps) {
        _cleanup_client_ Client refusing =
                client_start(&(Script){.failing = "Plan", .error = NOT_VIABLE});
        char **steps = NULL;

        assert_failed(&refusing, vfiod_plan_bind(refusing.c, TARGETS("a"), NULL, &steps), EPERM,
                      NOT_VIABLE);
        ck_assert_ptr_null(steps);
}
END_TEST

START_TEST(a_device_tells_its_regions_and_interrupts) {
        _cleanup_client_ Client client = client_start(&(Script){0});
        vfiod_inspection *device = NULL;
        const vfiod_region *region;

        ck_assert_int_eq(vfiod_inspect(client.c, "01:00.0", &device), 0);
        ck_assert_str_eq(device->name, SCRIPT_DEVICE);
        ck_assert_str_eq(device->mode, "group");
        ck_assert_str_eq(device->flags[0], "reset");
        ck_assert_str_eq(device->flags[1], "pci");
        ck_assert_ptr_null(device->flags[2]);
        ck_assert_str_eq(device->resets[1], "bus");

        region = device->regions[1];
        ck_assert_uint_eq(region->index, 2);
        ck_assert_str_eq(region->name, "bar2");
        ck_assert_uint_eq(region->flags, 7);
        ck_assert_uint_eq(region->size, 0x4000);
        ck_assert_uint_eq(region->offset, UINT64_C(2) << 40);
        ck_assert(region->msix_mappable);
        ck_assert_uint_eq(region->n_areas, 2);
        ck_assert_uint_eq(region->areas[1].offset, 0x3000);
        ck_assert_uint_eq(region->areas[1].size, 0x1000);
        ck_assert_uint_eq(device->regions[0]->n_areas, 0);
        ck_assert_ptr_nonnull(device->regions[3]);
        ck_assert_ptr_null(device->regions[4]);

        ck_assert_str_eq(device->irqs[1]->name, "msi");
        ck_assert_uint_eq(device->irqs[1]->flags, 9);
        ck_assert_uint_eq(device->irqs[1]->count, 4);
        ck_assert_ptr_null(device->irqs[2]);
        vfiod_inspection_free(device);
}
END_TEST

START_TEST(the_iommu_is_told_of_only_where_the_kernel_does) {
        _cleanup_client_ Client with = client_start(&(Script){.iommufd = true});
        vfiod_inspection *device = NULL;

        ck_assert_int_eq(vfiod_inspect(with.c, SCRIPT_DEVICE, &device), 0);
        ck_assert_str_eq(device->mode, "iommufd");
        ck_assert_str_eq(device->hw_type, "intel-vtd");
        ck_assert_str_eq(device->hw_capabilities[1], "0x10");
        ck_assert_ptr_null(device->hw_capabilities[2]);
        ck_assert_uint_eq(device->hw_pasid_bits, 20);
        ck_assert_uint_eq(device->hw_data_size, 4);
        ck_assert_int_eq(memcmp(device->hw_data, "\1\2\3\4", 4), 0);
        vfiod_inspection_free(device);
}
END_TEST

START_TEST(without_an_iommu_of_its_own_a_device_has_empty_lists) {
        _cleanup_client_ Client without = client_start(&(Script){0});
        vfiod_inspection *device = NULL;

        ck_assert_int_eq(vfiod_inspect(without.c, SCRIPT_DEVICE, &device), 0);
        ck_assert_ptr_null(device->hw_type);
        ck_assert_ptr_null(device->hw_capabilities[0]);
        ck_assert_uint_eq(device->hw_data_size, 0);
        vfiod_inspection_free(device);
}
END_TEST

START_TEST(what_cannot_be_inspected_is_told_by_whoever_says_so) {
        _cleanup_client_ Client lost = client_start(
                &(Script){.failing = "GetDevice", .error = VFIOD_ERROR_PREFIX "NotFound"});
        _cleanup_client_ Client unbound = {0};
        vfiod_inspection *device = NULL;

        assert_failed(&lost, vfiod_inspect(lost.c, SCRIPT_DEVICE, &device), ENODEV,
                      VFIOD_ERROR_PREFIX "NotFound");
        (void)client_leave(&lost);
        unbound = client_start(
                &(Script){.failing = "Inspect", .error = VFIOD_ERROR_PREFIX "NotBound"});
        assert_failed(&unbound, vfiod_inspect(unbound.c, SCRIPT_DEVICE, &device), EPERM,
                      VFIOD_ERROR_PREFIX "NotBound");
        ck_assert_ptr_null(device);
}
END_TEST

START_TEST(an_inspection_of_another_shape_is_none) {
        _cleanup_client_ Client client = client_start(&(Script){.strange = true});
        vfiod_inspection *device = NULL;

        assert_failed(&client, vfiod_inspect(client.c, SCRIPT_DEVICE, &device), EBADMSG,
                      "org.freedesktop.DBus.Error.InconsistentMessage");
        ck_assert_ptr_null(device);
}
END_TEST

/* Neither is given to the caller, and neither is forgotten. */
START_TEST(an_inspection_that_tells_something_twice_is_none) {
        _cleanup_client_ Client client = client_start(&(Script){.repeats = true});
        vfiod_inspection *device = NULL;

        assert_failed(&client, vfiod_inspect(client.c, SCRIPT_DEVICE, &device), EBADMSG,
                      "org.freedesktop.DBus.Error.InconsistentMessage");
        ck_assert_ptr_null(device);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("lib-operations");

        tcase_add_test(tests, bind_names_a_driver_only_where_it_is_given);
        tcase_add_test(tests, no_targets_are_sent_as_none_for_vfiod_to_refuse);
        tcase_add_test(tests, unbind_sends_policy_and_time);
        tcase_add_test(tests, virtual_functions_are_set_with_what_the_flags_say);
        tcase_add_test(tests, groups_are_assigned_with_what_the_flags_say_and_unassigned);
        tcase_add_test(tests, virtual_functions_are_not_asked_for_with_flags_that_make_no_sense);
        tcase_add_test(tests, what_there_is_already_or_no_more_of_has_an_errno_of_its_own);
        tcase_add_test(tests,
                       a_mediated_device_is_made_with_a_uuid_or_without_and_removed_by_its_name);
        tcase_add_test(tests, unbind_that_waits_has_no_other_limit_of_time);
        tcase_add_test(tests, a_plan_is_sentences_of_the_operation_with_its_options);
        tcase_add_test(tests, a_plan_that_is_refused_has_no_steps);
        tcase_add_test(tests, a_device_tells_its_regions_and_interrupts);
        tcase_add_test(tests, the_iommu_is_told_of_only_where_the_kernel_does);
        tcase_add_test(tests, without_an_iommu_of_its_own_a_device_has_empty_lists);
        tcase_add_test(tests, what_cannot_be_inspected_is_told_by_whoever_says_so);
        tcase_add_test(tests, an_inspection_of_another_shape_is_none);
        tcase_add_test(tests, an_inspection_that_tells_something_twice_is_none);
        return tests_run(tests);
}
