/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/kernel/inspect.h over answers of a kernel that is good, odd or hostile. */

#include "daemon/kernel/inspect.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/util/string.h"
#include "tests/stub/stub-inspect-calls.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define NIC "0000:01:00.0"
#define FILE_OF_NIC 7

/* A region's answer is the struct and one capability behind it, of 8 or more bytes. */
#define CAP ((uint32_t)sizeof(struct vfio_region_info))

static StubRegion *put_region(uint32_t index, uint32_t flags, uint64_t size) {
        StubRegion *region = &stub_answers.regions[index];

        region->info.flags = flags;
        region->info.size = size;
        region->info.offset = (uint64_t)index << 40;
        if (stub_answers.device.num_regions <= index)
                stub_answers.device.num_regions = index + 1;
        return region;
}

/* A capability at an offset of the answer; the chain begins with the first one. */
static void put_cap(StubRegion *region, uint32_t offset, uint16_t id, uint32_t next, size_t size) {
        const struct vfio_info_cap_header header = {.id = id, .version = 1, .next = next};

        memcpy(region->bytes + offset, &header, sizeof(header));
        region->info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
        if (region->info.cap_offset == 0)
                region->info.cap_offset = offset;
        if (region->needs < offset + size)
                region->needs = offset + (uint32_t)size;
}

static void put_sparse(StubRegion *region, uint32_t offset, uint32_t next, uint32_t n_areas) {
        const size_t size = sizeof(struct vfio_region_info_cap_sparse_mmap);

        put_cap(region, offset, VFIO_REGION_INFO_CAP_SPARSE_MMAP, next,
                size + n_areas * sizeof(struct vfio_region_sparse_mmap_area));
        memcpy(region->bytes + offset + offsetof(struct vfio_region_info_cap_sparse_mmap, nr_areas),
               &n_areas, sizeof(n_areas));
        for (uint32_t i = 0; i < n_areas; i++) {
                const struct vfio_region_sparse_mmap_area area = {.offset = i * 0x1000,
                                                                  .size = 0x800 + i};

                memcpy(region->bytes + offset + size + i * sizeof(area), &area, sizeof(area));
        }
}

static void put_irq(uint32_t index, uint32_t flags, uint32_t count) {
        stub_answers.irqs[index] =
                (struct vfio_irq_info){.flags = flags, .index = index, .count = count};
        if (stub_answers.device.num_irqs <= index)
                stub_answers.device.num_irqs = index + 1;
}

/* "region 0 7 131072 0 0", a line each. */
static char *text_of(const Findings *findings) {
        static const struct {
                const char *name;
                unsigned values;
        } kinds[_FINDING_KIND_MAX] = {
                [FINDING_DEVICE_FLAGS] = {"flags", 1}, [FINDING_REGION] = {"region", 5},
                [FINDING_AREA] = {"area", 2},          [FINDING_IRQ] = {"irq", 3},
                [FINDING_RESET] = {"reset", 0},        [FINDING_HW_INFO] = {"hw", 3},
                [FINDING_HW_DATA] = {"data", 1},
        };
        char *text = strdup("");

        for (size_t i = 0; i < findings->n_findings; i++) {
                const Finding *finding = &findings->findings[i];

                ck_assert_ptr_nonnull(kinds[finding->kind].name);
                ck_assert_str_eq(finding->device, NIC);
                ck_assert_int_ge(string_append(&text, "%s", kinds[finding->kind].name), 0);
                for (unsigned j = 0; j < kinds[finding->kind].values; j++)
                        ck_assert_int_ge(string_append(&text, " %#llx",
                                                       (unsigned long long)finding->values[j]),
                                         0);
                if (finding->kind == FINDING_RESET)
                        ck_assert_int_ge(string_append(&text, " %s", (const char *)finding->bytes),
                                         0);
                ck_assert_int_ge(string_append(&text, "\n"), 0);
        }
        return text;
}

static void assert_found(const char *expected) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(inspect_read_device(FILE_OF_NIC, NIC, &findings), 0);
        text = text_of(&findings);
        ck_assert_str_eq(text, expected);
}

static void assert_fails(int error) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;

        ck_assert_int_eq(inspect_read_device(FILE_OF_NIC, NIC, &findings), error);
}

START_TEST(flags_regions_and_irqs_come_in_the_kernels_order) {
        stub_answers.device.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
        put_region(0, 7, 0x20000);
        put_region(1, 3, 0x20);
        put_irq(0, 7, 1);
        put_irq(1, 9, 4);
        assert_found("flags 0x3\n"
                     "region 0 0x7 0x20000 0 0\n"
                     "region 0x1 0x3 0x20 0x10000000000 0\n"
                     "irq 0 0x7 0x1\n"
                     "irq 0x1 0x9 0x4\n");
        ck_assert_uint_eq(stub_answers.region_calls, 2);
}
END_TEST

START_TEST(a_device_of_nothing_has_flags_alone) {
        stub_answers.device.flags = VFIO_DEVICE_FLAGS_AP;
        assert_found("flags 0x20\n");
}
END_TEST

START_TEST(capabilities_are_fetched_by_a_second_call_with_room_for_them) {
        StubRegion *region = put_region(0, 7, 0x4000);

        put_cap(region, CAP, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, 0, 8);
        assert_found("flags 0\n"
                     "region 0 0x7 0x4000 0 0x1\n");
        ck_assert_uint_eq(stub_answers.region_calls, 2);
}
END_TEST

START_TEST(areas_follow_their_region_wherever_in_the_chain_they_are) {
        StubRegion *region = put_region(0, 7, 0x4000);

        /* Not aligned, as before Linux 6.6. */
        put_cap(region, CAP, VFIO_REGION_INFO_CAP_TYPE, CAP + 20, 16);
        put_sparse(region, CAP + 20, CAP + 80, 2);
        put_cap(region, CAP + 80, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, 0, 8);
        put_region(1, 3, 0x20);
        assert_found("flags 0\n"
                     "region 0 0x7 0x4000 0 0x1\n"
                     "area 0 0x800\n"
                     "area 0x1000 0x801\n"
                     "region 0x1 0x3 0x20 0x10000000000 0\n");
}
END_TEST

START_TEST(no_areas_in_the_capability_are_an_empty_one_and_not_the_whole_region) {
        put_sparse(put_region(0, 7, 0x1000), CAP, 0, 0);
        assert_found("flags 0\n"
                     "region 0 0x7 0x1000 0 0\n"
                     "area 0 0\n");
}
END_TEST

START_TEST(the_flags_that_only_tell_of_capabilities_are_left_out) {
        stub_answers.device.flags = VFIO_DEVICE_FLAGS_CAPS | VFIO_DEVICE_FLAGS_CCW | 1U << 20;
        put_region(0, VFIO_REGION_INFO_FLAG_CAPS | 3, 8);
        assert_found("flags 0x100010\n"
                     "region 0 0x3 0x8 0 0\n");
}
END_TEST

START_TEST(what_the_device_does_not_have_is_left_out) {
        put_region(0, 3, 8);
        put_region(1, 0, 0)->error = -EINVAL;
        put_region(2, 3, 16);
        put_irq(1, 9, 1);
        stub_answers.irq_errors[0] = -EINVAL;
        assert_found("flags 0\n"
                     "region 0 0x3 0x8 0 0\n"
                     "region 0x2 0x3 0x10 0x20000000000 0\n"
                     "irq 0x1 0x9 0x1\n");
}
END_TEST

START_TEST(what_the_kernel_says_no_to_is_its_errno) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;

        ck_assert_int_eq(inspect_read_device(-EBADF, NIC, &findings), -EBADF);
        put_region(0, 3, 8);
        put_irq(0, 7, 1);
        stub_answers.irq_errors[0] = -EIO;
        assert_fails(-EIO);
        stub_answers.regions[0].error = -ENODEV;
        assert_fails(-ENODEV);
        stub_answers.device_error = -EINVAL;
        assert_fails(-EINVAL);
}
END_TEST

START_TEST(more_regions_or_irqs_than_any_device_has_are_not_believed) {
        stub_answers.device.num_regions = UINT32_MAX;
        assert_fails(-EPROTO);
        stub_answers.device.num_regions = 0;
        stub_answers.device.num_irqs = UINT32_MAX;
        assert_fails(-EPROTO);
        ck_assert_uint_eq(stub_answers.region_calls, 0);
}
END_TEST

START_TEST(an_answer_that_is_never_large_enough_is_given_up) {
        put_region(0, 3, 8);
        stub_answers.grows = true;
        assert_fails(-EPROTO);
        ck_assert_uint_le(stub_answers.region_calls, 8);
}
END_TEST

START_TEST(an_answer_that_wants_all_memory_is_given_up) {
        put_region(0, 3, 8)->needs = UINT32_MAX;
        assert_fails(-EPROTO);
        ck_assert_uint_eq(stub_answers.region_calls, 1);
}
END_TEST

/* Each row: a chain that leads out of the answer, or round. */
START_TEST(a_chain_of_capabilities_is_not_followed_out_of_the_answer_nor_round) {
        static const struct {
                uint32_t offset;
                uint32_t next;
        } rows[] = {
                {UINT32_MAX, 0}, {UINT32_MAX - 4, 0},
                {4096, 0},       {CAP + 12, 0},
                {CAP, CAP},      {CAP, 4},
                {CAP, CAP + 9},  {CAP, UINT32_MAX - 7},
                {CAP, 0x10000},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                StubRegion *region;

                stub_answers = (StubAnswers){0};
                region = put_region(0, 7, 0x1000);
                put_cap(region, CAP, VFIO_REGION_INFO_CAP_TYPE, rows[i].next, 16);
                region->info.cap_offset = rows[i].offset;
                assert_fails(-EPROTO);
        }
}
END_TEST

START_TEST(areas_are_not_read_past_the_end_of_the_answer) {
        static const uint32_t counts[] = {2, 0x10000000, UINT32_MAX};

        for (size_t i = 0; i < ELEMENTS(counts); i++) {
                StubRegion *region;

                stub_answers = (StubAnswers){0};
                region = put_region(0, 7, 0x1000);
                put_sparse(region, CAP, 0, 1);
                memcpy(region->bytes + CAP + 8, &counts[i], sizeof(counts[i]));
                assert_fails(-EPROTO);
        }
}
END_TEST

START_TEST(an_areas_capability_that_is_cut_short_is_refused) {
        put_cap(put_region(0, 7, 0x1000), CAP, VFIO_REGION_INFO_CAP_SPARSE_MMAP, 0, 8);
        assert_fails(-EPROTO);
}
END_TEST

START_TEST(a_chain_without_its_flag_is_none) {
        StubRegion *region = put_region(0, 7, 0x1000);

        region->info.cap_offset = UINT32_MAX;
        assert_found("flags 0\n"
                     "region 0 0x7 0x1000 0 0\n");
}
END_TEST

static void put_hw(uint32_t type, uint32_t size) {
        stub_answers.hw = (struct iommufd_hw_info_v1){.data_len = size,
                                                      .out_data_type = type,
                                                      .out_max_pasid_log2 = 20,
                                                      .out_capabilities = 7};
        for (uint32_t i = 0; i < size && i < sizeof(stub_answers.hw_data); i++)
                stub_answers.hw_data[i] = (uint8_t)(i + 1);
}

START_TEST(the_iommu_is_told_with_its_data_in_pieces) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;
        _cleanup_free_ char *text = NULL;

        put_hw(2, FINDING_BYTES + 8);
        ck_assert_int_eq(inspect_read_iommu(FILE_OF_NIC, 33, NIC, &findings), 0);
        text = text_of(&findings);
        ck_assert_str_eq(text, "hw 0x2 0x7 0x14\n"
                               "data 0x40\n"
                               "data 0x8\n");
        ck_assert_uint_eq(findings.findings[1].bytes[0], 1);
        ck_assert_uint_eq(findings.findings[1].bytes[FINDING_BYTES - 1], FINDING_BYTES);
        ck_assert_uint_eq(findings.findings[2].bytes[7], FINDING_BYTES + 8);
        ck_assert_uint_eq(stub_answers.hw_asked.size, sizeof(struct iommufd_hw_info_v1));
        ck_assert_uint_eq(stub_answers.hw_asked.dev_id, 33);
        ck_assert_uint_eq(stub_answers.hw_asked.flags, 0);
        ck_assert_uint_eq(sizeof(struct iommufd_hw_info_v1), 40);
}
END_TEST

START_TEST(an_iommu_that_tells_nothing_has_no_data) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;
        _cleanup_free_ char *text = NULL;

        put_hw(0, 0);
        ck_assert_int_eq(inspect_read_iommu(FILE_OF_NIC, 1, NIC, &findings), 0);
        text = text_of(&findings);
        ck_assert_str_eq(text, "hw 0 0x7 0x14\n");
}
END_TEST

START_TEST(an_iommu_that_the_kernel_does_not_tell_of_is_left_out) {
        static const int errors[] = {-ENOTTY, -ENOENT, -EOPNOTSUPP};
        _cleanup_findings_ Findings findings = FINDINGS_NULL;

        for (size_t i = 0; i < ELEMENTS(errors); i++) {
                stub_answers.hw_error = errors[i];
                ck_assert_int_eq(inspect_read_iommu(FILE_OF_NIC, 1, NIC, &findings), 0);
                ck_assert_uint_eq(findings.n_findings, 0);
        }
}
END_TEST

START_TEST(an_iommu_that_cannot_be_read_or_tells_too_much_is_an_error) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;

        put_hw(1, 1025);
        ck_assert_int_eq(inspect_read_iommu(FILE_OF_NIC, 1, NIC, &findings), -EPROTO);
        ck_assert_int_eq(inspect_read_iommu(-EBADF, 1, NIC, &findings), -EBADF);
        stub_answers.hw_error = -EIO;
        ck_assert_int_eq(inspect_read_iommu(FILE_OF_NIC, 1, NIC, &findings), -EIO);
        ck_assert_uint_eq(findings.n_findings, 0);
}
END_TEST

#define RESET_METHOD "sys/bus/pci/devices/" NIC "/reset_method"

static void assert_resets(const Tree *tree, const char *expected) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(inspect_read_resets(&tree->roots, NIC, &findings), 0);
        text = text_of(&findings);
        ck_assert_str_eq(text, expected);
}

START_TEST(reset_methods_are_in_the_kernels_order_and_may_be_none) {
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        assert_resets(&tree, "");
        tree_write(&tree, RESET_METHOD, "flr bus\n");
        assert_resets(&tree, "reset flr\nreset bus\n");
        tree_write(&tree, RESET_METHOD, "device_specific\n");
        assert_resets(&tree, "reset device_specific\n");
        tree_write(&tree, RESET_METHOD, "\n");
        assert_resets(&tree, "");
}
END_TEST

START_TEST(a_reset_method_that_cannot_be_read_is_an_error) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_mkdir(&tree, RESET_METHOD);
        ck_assert_int_eq(inspect_read_resets(&tree.roots, NIC, &findings), -EISDIR);
}
END_TEST

static void add_odd(TCase *tests) {
        tcase_add_test(tests, what_the_kernel_says_no_to_is_its_errno);
        tcase_add_test(tests, more_regions_or_irqs_than_any_device_has_are_not_believed);
        tcase_add_test(tests, an_answer_that_is_never_large_enough_is_given_up);
        tcase_add_test(tests, an_answer_that_wants_all_memory_is_given_up);
        tcase_add_test(tests, a_chain_of_capabilities_is_not_followed_out_of_the_answer_nor_round);
        tcase_add_test(tests, areas_are_not_read_past_the_end_of_the_answer);
        tcase_add_test(tests, an_areas_capability_that_is_cut_short_is_refused);
        tcase_add_test(tests, a_chain_without_its_flag_is_none);
}

int main(void) {
        TCase *tests = tests_new("inspect");

        tcase_add_test(tests, flags_regions_and_irqs_come_in_the_kernels_order);
        tcase_add_test(tests, a_device_of_nothing_has_flags_alone);
        tcase_add_test(tests, capabilities_are_fetched_by_a_second_call_with_room_for_them);
        tcase_add_test(tests, areas_follow_their_region_wherever_in_the_chain_they_are);
        tcase_add_test(tests, no_areas_in_the_capability_are_an_empty_one_and_not_the_whole_region);
        tcase_add_test(tests, the_flags_that_only_tell_of_capabilities_are_left_out);
        tcase_add_test(tests, what_the_device_does_not_have_is_left_out);
        add_odd(tests);
        tcase_add_test(tests, the_iommu_is_told_with_its_data_in_pieces);
        tcase_add_test(tests, an_iommu_that_tells_nothing_has_no_data);
        tcase_add_test(tests, an_iommu_that_the_kernel_does_not_tell_of_is_left_out);
        tcase_add_test(tests, an_iommu_that_cannot_be_read_or_tells_too_much_is_an_error);
        tcase_add_test(tests, reset_methods_are_in_the_kernels_order_and_may_be_none);
        tcase_add_test(tests, a_reset_method_that_cannot_be_read_is_an_error);
        return tests_run(tests);
}
