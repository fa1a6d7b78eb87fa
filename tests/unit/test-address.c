/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/address.h: what may be written for a device or a group. */

#include "daemon/core/address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

START_TEST(a_pci_address_is_read_as_the_kernel_spells_it) {
        static const char *const rows[][2] = {
                {"0000:01:00.0", "0000:01:00.0"},
                {"01:00.0", "0000:01:00.0"},
                {"af:1f.7", "0000:af:1f.7"},
                {"AF:1F.7", "0000:af:1f.7"},
                {"ABCD:EF:00.1", "abcd:ef:00.1"},
                {"10000:00:00.0", "10000:00:00.0"},
                {"ffffffff:ff:1f.7", "ffffffff:ff:1f.7"},
                {"00010000:01:00.0", "10000:01:00.0"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Target target;

                ck_assert_msg(target_parse(rows[i][0], &target) == 0, "%s", rows[i][0]);
                ck_assert_int_eq(target.kind, TARGET_DEVICE);
                assert_row_str(rows[i][0], target.device, rows[i][1]);
        }
}
END_TEST

START_TEST(a_group_is_a_number_of_32_bits) {
        static const struct {
                const char *text;
                uint32_t group;
        } rows[] = {
                {"group/0", 0},
                {"group/42", 42},
                {"group/4294967295", UINT32_MAX},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Target target;

                ck_assert_int_eq(target_parse(rows[i].text, &target), 0);
                ck_assert_int_eq(target.kind, TARGET_GROUP);
                ck_assert_uint_eq(target.group, rows[i].group);
        }
}
END_TEST

START_TEST(names_of_other_buses_are_taken_as_they_are) {
        static const char *const rows[] = {
                "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
                "fff51000.ethernet",
                "dprc.2",
                "cdx-00:01",
                "a@b+c_d",
                "0",
                "0000:01:00",    /* too short for a PCI address */
                "0000:01:00.10", /* too long for one */
                "000:01:00.0",
                "123456789:01:00.0",
                "group",
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Target target;

                ck_assert_msg(target_parse(rows[i], &target) == 0, "%s", rows[i]);
                ck_assert_int_eq(target.kind, TARGET_DEVICE);
                ck_assert_str_eq(target.device, rows[i]);
        }
}
END_TEST

START_TEST(what_cannot_be_a_name_is_refused_and_nothing_is_written) {
        static const char *const rows[] = {
                "",
                " ",
                ".",
                "..",
                ".hidden",
                "a/b",
                "../../etc/passwd",
                "0000:01:00.0/../x",
                "a b",
                "a\nb",
                "a%sb",
                "\xc3\xa4",
                "\xff",
                "group/",
                "group/x",
                "group/-1",
                "group/+1",
                "group/ 1",
                "group/1 ",
                "group/4294967296",
                "group/99999999999999999999999999",
                "Group/1",
                /* The shape of a PCI address, out of its range. */
                "0000:01:20.0",
                "0000:01:00.8",
                "01:ff.0",
                "01:00.f",
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                Target target = {.kind = TARGET_GROUP, .group = 4711};

                ck_assert_msg(target_parse(rows[i], &target) == -EINVAL, "'%s'", rows[i]);
                ck_assert_uint_eq(target.group, 4711);
        }
}
END_TEST

START_TEST(a_name_has_a_longest_length) {
        char text[ADDRESS_MAX + 2];
        Target target;

        memset(text, 'a', sizeof(text));
        text[ADDRESS_MAX] = '\0';
        ck_assert_int_eq(target_parse(text, &target), 0);
        ck_assert_uint_eq(strlen(target.device), ADDRESS_MAX);
        text[ADDRESS_MAX] = 'a';
        text[ADDRESS_MAX + 1] = '\0';
        ck_assert_int_eq(target_parse(text, &target), -EINVAL);
}
END_TEST

START_TEST(a_megabyte_is_refused_whatever_it_begins_with) {
        static const char *const heads[] = {"", "group/", "0000:01:00.", "01:", "0000", "f"};
        static const char fill[] = "9f:./";
        const size_t size = 1 << 20;
        _cleanup_free_ char *text = malloc(size + 1);
        Target target;

        ck_assert_ptr_nonnull(text);
        for (size_t i = 0; i < ELEMENTS(heads); i++)
                for (const char *c = fill; *c; c++) {
                        memset(text, *c, size);
                        memcpy(text, heads[i], strlen(heads[i]));
                        text[size] = '\0';
                        ck_assert_int_eq(target_parse(text, &target), -EINVAL);
                }
}
END_TEST

/* What is accepted is a fixed point: parsed again, it means the same. */
START_TEST(random_text_is_refused_or_comes_out_in_a_form_that_parses_to_itself) {
        static const char alphabet[] = "0123456789abcdefABCDEF::::....group/ \n%xz-_";
        unsigned seed = 1;

        for (int i = 0; i < 200000; i++) {
                char text[24];
                size_t n = (size_t)rand_r(&seed) % sizeof(text);
                Target target, again;

                for (size_t j = 0; j < n; j++)
                        text[j] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
                text[n < sizeof(text) ? n : sizeof(text) - 1] = '\0';
                if (target_parse(text, &target) < 0 || target.kind == TARGET_GROUP)
                        continue;
                ck_assert_msg(!strchr(target.device, '/'), "'%s'", text);
                ck_assert_int_eq(target_parse(target.device, &again), 0);
                ck_assert_str_eq(target.device, again.device);
        }
}
END_TEST

START_TEST(a_uuid_is_read_in_any_case_into_the_kernels) {
        char uuid[UUID_LENGTH + 1];

        ck_assert_int_eq(uuid_parse("83B8f4f2-509f-382F-3c1e-e6bfe0fa1001", uuid), 0);
        ck_assert_str_eq(uuid, "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");
}
END_TEST

START_TEST(what_has_not_the_form_of_a_uuid_is_none) {
        static const char *const texts[] = {
                "",
                "83b8f4f2",
                "83b8f4f2-509f-382f-3c1e-e6bfe0fa100",
                "83b8f4f2-509f-382f-3c1e-e6bfe0fa10011",
                "83b8f4f2-509f-382f-3c1e-e6bfe0fa100g",
                "83b8f4f2-509f-382f-3c1ee-6bfe0fa1001",
                "83b8f4f2-509f-382f-3c1e/e6bfe0fa1001",
                "83b8f4f2509f382f3c1ee6bfe0fa1001----",
                "{3b8f4f2-509f-382f-3c1e-e6bfe0fa100}",
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                char uuid[UUID_LENGTH + 1] = "unchanged";

                ck_assert_msg(uuid_parse(texts[i], uuid) == -EINVAL, "%s", texts[i]);
        }
}
END_TEST

int main(void) {
        TCase *tests = tests_new("address");

        tcase_add_test(tests, a_pci_address_is_read_as_the_kernel_spells_it);
        tcase_add_test(tests, a_group_is_a_number_of_32_bits);
        tcase_add_test(tests, names_of_other_buses_are_taken_as_they_are);
        tcase_add_test(tests, what_cannot_be_a_name_is_refused_and_nothing_is_written);
        tcase_add_test(tests, a_name_has_a_longest_length);
        tcase_add_test(tests, a_megabyte_is_refused_whatever_it_begins_with);
        tcase_add_test(tests, random_text_is_refused_or_comes_out_in_a_form_that_parses_to_itself);
        tcase_add_test(tests, a_uuid_is_read_in_any_case_into_the_kernels);
        tcase_add_test(tests, what_has_not_the_form_of_a_uuid_is_none);
        return tests_run(tests);
}
