/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/plan.h: what each step is called. */

#include "daemon/core/plan.h"

#include <signal.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static const struct {
        StepKind kind;
        const char *driver;
        const char *fallback;
        const char *override;
        const char *text;
} rows[] = {
        {STEP_RAISE_MEMLOCK, NULL, NULL, NULL,
         "raise RLIMIT_MEMLOCK of process 812 to at least 1048576 bytes"},
        {STEP_LOAD_MODULE, NULL, NULL, NULL, "load module vfio_pci"},
        {STEP_SET_OVERRIDE, NULL, NULL, "vfio-pci", "set driver_override of DEV to vfio-pci"},
        {STEP_SET_OVERRIDE, NULL, NULL, "", "clear driver_override of DEV"},
        {STEP_SET_OVERRIDE, NULL, NULL, NULL, "clear driver_override of DEV"},
        {STEP_UNBIND_HOST, "e1000", NULL, NULL, "unbind DEV from e1000"},
        {STEP_BIND_VFIO, "vfio-pci", NULL, NULL, "bind DEV to vfio-pci"},
        {STEP_BIND_VFIO, "x", "vfio-pci", NULL, "bind DEV to x, or else to vfio-pci"},
        {STEP_UNBIND_VFIO, "vfio-pci", NULL, NULL, "unbind DEV from vfio-pci"},
        {STEP_BIND_HOST, "e1000", NULL, NULL, "bind DEV to e1000"},
        {STEP_BIND_HOST, NULL, NULL, NULL, "let the kernel find a driver for DEV"},
        {STEP_CLAIM_GROUP, NULL, NULL, NULL, "claim group 3"},
        {STEP_OPEN_CONTAINER, NULL, NULL, NULL, "open a container"},
        {STEP_OPEN_GROUP, NULL, NULL, NULL, "open group 3"},
        {STEP_SET_CONTAINER, NULL, NULL, NULL, "put group 3 into the container"},
        {STEP_SET_IOMMU, NULL, NULL, NULL, "set the container's IOMMU to TYPE1v2"},
        {STEP_GET_DEVICE, NULL, NULL, NULL, "open device DEV of group 3"},
        {STEP_CLOSE_DEVICE, NULL, NULL, NULL, "close device DEV"},
        {STEP_UNSET_CONTAINER, NULL, NULL, NULL, "take group 3 out of the container"},
        {STEP_OPEN_IOMMUFD, NULL, NULL, NULL, "open an iommufd"},
        {STEP_ALLOC_IOAS, NULL, NULL, NULL, "allocate an IOAS"},
        {STEP_OPEN_CDEV, NULL, NULL, NULL, "open cdev DEV"},
        {STEP_BIND_CDEV, NULL, NULL, NULL, "bind cdev DEV to the iommufd"},
        {STEP_ATTACH_CDEV, NULL, NULL, NULL, "attach DEV to the IOAS"},
        {STEP_READ_IOVAS, NULL, NULL, NULL, "read the IOVA ranges of the IOAS"},
        {STEP_DETACH_CDEV, NULL, NULL, NULL, "detach DEV from its IOAS"},
        {STEP_SEAL_CDEV, NULL, NULL, NULL, "make cdev DEV useless to others"},
        {STEP_CLOSE_CDEV, NULL, NULL, NULL, "close cdev DEV"},
        {STEP_CLOSE_FILES, NULL, NULL, NULL, "close the files of DEV"},
        {STEP_TEST_GROUP, NULL, NULL, NULL, "see that group 3 is free"},
        {STEP_FIND_HOLDERS, NULL, NULL, NULL, "look who holds groups 3, 4"},
        {STEP_EXPECT_NOBODY, NULL, NULL, NULL, "see that nobody holds groups 3, 4"},
        {STEP_REQUEST_DEVICE, NULL, NULL, NULL, "ask the holder of DEV for it by interrupt"},
        {STEP_QUIESCE, NULL, NULL, NULL, "turn memory decode and bus mastering of DEV off"},
        {STEP_EVICT, NULL, NULL, NULL,
         "send SIGBUS to the holders of groups 3, 4 and give them 500 ms"},
        {STEP_SET_RESET_METHOD, NULL, NULL, NULL, "set reset_method of DEV to flr"},
        {STEP_RESET, NULL, NULL, NULL, "reset DEV"},
        {STEP_RESET_FILE, NULL, NULL, NULL, "reset DEV through its file"},
        {STEP_HOT_RESET, NULL, NULL, NULL, "hot reset DEV and what is reset with it"},
        {STEP_SET_AUTOPROBE, NULL, NULL, NULL, "set sriov_drivers_autoprobe of DEV to 0"},
        {STEP_SET_VFS, NULL, NULL, NULL, "remove the virtual functions of DEV"},
        {STEP_CREATE_MDEV, NULL, NULL, NULL, "make mediated device UUID of type TYPE on PARENT"},
        {STEP_REMOVE_MDEV, NULL, NULL, NULL, "remove mediated device DEV"},
        {STEP_READ_MDEV_TYPES, NULL, NULL, NULL, "read the types of mediated devices of PARENT"},
        {STEP_INSPECT, NULL, NULL, NULL, "read what the driver tells of DEV"},
        {STEP_READ_SERIAL, NULL, NULL, NULL, "read the serial number of DEV"},
        {STEP_ASSIGN, NULL, NULL, NULL, "assign DEV, DEV2 from the next boot on"},
        {STEP_UNASSIGN, NULL, NULL, NULL, "unassign DEV, DEV2 from the next boot on"},
};

START_TEST(every_step_has_its_words) {
        bool seen[_STEP_KIND_MAX] = {false};
        _cleanup_strv_ char **lines = NULL;
        _cleanup_plan_ Plan plan = PLAN_NULL;

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Step *step = plan_append(&plan, rows[i].kind, 3);

                ck_assert_ptr_nonnull(step);
                ck_assert_int_eq(step_set_device(step, "DEV", "pci", rows[i].driver), 0);
                ck_assert_int_eq(step_set_override(step, rows[i].override, ""), 0);
                ck_assert_int_eq(string_set(&step->fallback, rows[i].fallback), 0);
                ck_assert_int_eq(string_set(&step->module, "vfio_pci"), 0);
                ck_assert_int_eq(string_set(&step->reset_method, "flr"), 0);
                ck_assert_int_eq(string_set(&step->mdev_parent, "PARENT"), 0);
                ck_assert_int_eq(string_set(&step->mdev_type, "TYPE"), 0);
                ck_assert_int_eq(string_set(&step->mdev_uuid, "UUID"), 0);
                ck_assert_int_eq(string_set(&step->subjects, "DEV, DEV2"), 0);
                ck_assert_int_eq(step_add_group(step, 3), 0);
                ck_assert_int_eq(step_add_group(step, 4), 0);
                step->signal = SIGBUS;
                step->grace_ms = 500;
                step->pid = 812;
                step->bytes = 1 << 20;
                seen[rows[i].kind] = true;
        }
        lines = plan_describe(&plan);
        ck_assert_uint_eq(strv_length(lines), ELEMENTS(rows));
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                ck_assert_str_eq(lines[i], rows[i].text);
        for (StepKind i = 0; i < _STEP_KIND_MAX; i++)
                ck_assert_msg(seen[i], "step %d has no row", i);
}
END_TEST

START_TEST(a_group_that_has_no_iommu_is_told_apart) {
        _cleanup_strv_ char **lines = NULL;
        _cleanup_plan_ Plan plan = PLAN_NULL;

        plan_append(&plan, STEP_OPEN_GROUP, 3)->no_iommu = true;
        plan_append(&plan, STEP_SET_IOMMU, 3)->no_iommu = true;
        lines = plan_describe(&plan);
        ck_assert_str_eq(lines[0], "open group 3, which has no IOMMU");
        ck_assert_str_eq(lines[1], "set the container's IOMMU to NOIOMMU");
}
END_TEST

START_TEST(files_that_are_not_of_one_device_are_those_of_the_lease) {
        _cleanup_strv_ char **lines = NULL;
        _cleanup_plan_ Plan plan = PLAN_NULL;

        ck_assert_ptr_nonnull(plan_append(&plan, STEP_CLOSE_FILES, 0));
        lines = plan_describe(&plan);
        ck_assert_str_eq(lines[0], "close the files of the lease");
}
END_TEST

START_TEST(an_empty_plan_has_no_lines) {
        const Plan plan = PLAN_NULL;
        _cleanup_strv_ char **lines = plan_describe(&plan);

        ck_assert_ptr_nonnull(lines);
        ck_assert_ptr_null(lines[0]);
}
END_TEST

START_TEST(every_kind_of_step_has_a_name_of_its_own) {
        for (unsigned i = 0; i < _STEP_KIND_MAX; i++) {
                ck_assert_ptr_nonnull(step_kind_name((StepKind)i));
                for (unsigned j = 0; j < i; j++)
                        ck_assert_str_ne(step_kind_name((StepKind)i), step_kind_name((StepKind)j));
        }
}
END_TEST

int main(void) {
        TCase *tests = tests_new("plan");

        tcase_add_test(tests, every_kind_of_step_has_a_name_of_its_own);
        tcase_add_test(tests, every_step_has_its_words);
        tcase_add_test(tests, a_group_that_has_no_iommu_is_told_apart);
        tcase_add_test(tests, files_that_are_not_of_one_device_are_those_of_the_lease);
        tcase_add_test(tests, an_empty_plan_has_no_lines);
        return tests_run(tests);
}
