/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/kernel/mdev.h and mdev-types.h: what is written where, and what is read. */

#include "daemon/kernel/mdev.h"

#include <errno.h>

#include "daemon/kernel/mdev-types.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define UUID "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
#define MTTY "sys/class/mdev_bus/mtty/mdev_supported_types/"
#define GPU "sys/class/mdev_bus/0000:00:02.0/mdev_supported_types/"
#define LONG                                                                                       \
        "low_gm_size: 128MB high_gm_size: 512MB fence: 4 resolution: 1920x1200 weight: 4 and more"

static void init_parents(Tree *tree) {
        tree_init(tree);
        tree_write(tree, MTTY "mtty-1/name", "Single port serial\n");
        tree_write(tree, MTTY "mtty-1/available_instances", "24\n");
        tree_write(tree, MTTY "mtty-1/device_api", "vfio-pci\n");
        tree_write(tree, MTTY "mtty-1/create", "");
        tree_write(tree, MTTY "mtty-2/available_instances", "many\n");
        tree_write(tree, GPU "i915-GVTg_V5_4/description", LONG "\n");
}

/* "PARENT AVAILABLE|FIELD:text|FIELD:text...", a type a line. */
static char *types_of(const Tree *tree, const char *parent) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;
        char *text = strdup("");

        ck_assert_int_eq(mdev_read_types(&tree->roots, parent, &findings), 0);
        for (size_t i = 0; i < findings.n_findings; i++) {
                const Finding *finding = &findings.findings[i];

                if (finding->kind == FINDING_MDEV_TYPE)
                        (void)string_append(&text, "%s%s %lu", i > 0 ? "\n" : "", finding->device,
                                            (unsigned long)finding->values[0]);
                else
                        (void)string_append(&text, "|%lu:%.*s", (unsigned long)finding->values[0],
                                            (int)finding->values[1], (const char *)finding->bytes);
        }
        return text;
}

START_TEST(a_uuid_is_written_to_its_type) {
        _cleanup_free_ char *text = NULL;
        _cleanup_tree_ Tree tree;

        init_parents(&tree);
        ck_assert_int_eq(mdev_create(&tree.roots, "mtty", "mtty-1", UUID), 0);
        text = tree_read(&tree, MTTY "mtty-1/create");
        ck_assert_str_eq(text, UUID);
        ck_assert_int_eq(mdev_create(&tree.roots, "mtty", "mtty-3", UUID), -ENOENT);
        ck_assert_int_eq(mdev_create(&tree.roots, "none", "mtty-1", UUID), -ENOENT);
}
END_TEST

START_TEST(a_device_is_removed_by_its_own_attribute) {
        _cleanup_free_ char *text = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write(&tree, "sys/bus/mdev/devices/" UUID "/remove", "");
        ck_assert_int_eq(mdev_remove(&tree.roots, UUID), 0);
        text = tree_read(&tree, "sys/bus/mdev/devices/" UUID "/remove");
        ck_assert_str_eq(text, "1");
        ck_assert_int_eq(mdev_remove(&tree.roots, "another"), -ENOENT);
}
END_TEST

START_TEST(types_of_one_parent_are_told_with_what_their_driver_gives) {
        _cleanup_free_ char *types = NULL;
        _cleanup_tree_ Tree tree;

        init_parents(&tree);
        types = types_of(&tree, "mtty");
        ck_assert_str_eq(types, "mtty 24|0:mtty-1|1:Single port serial|2:vfio-pci\n"
                                "mtty 0|0:mtty-2");
}
END_TEST

START_TEST(types_of_all_parents_are_told_and_long_texts_in_pieces) {
        _cleanup_free_ char *types = NULL;
        _cleanup_tree_ Tree tree;

        init_parents(&tree);
        types = types_of(&tree, NULL);
        ck_assert_ptr_nonnull(strstr(types, "\nmtty 24|0:mtty-1"));
        ck_assert(string_after(types, "0000:00:02.0 0|0:i915-GVTg_V5_4|3:low_gm_size: 128MB"));
        ck_assert_ptr_nonnull(strstr(types, "solution: 1920|3:x1200 weight: 4 and more\n"));
}
END_TEST

START_TEST(a_device_without_types_is_no_parent) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;
        _cleanup_tree_ Tree tree;

        init_parents(&tree);
        ck_assert(mdev_is_parent(&tree.roots, "mtty"));
        ck_assert(!mdev_is_parent(&tree.roots, "0000:01:00.0"));
        ck_assert_int_eq(mdev_read_types(&tree.roots, "0000:01:00.0", &findings), -ENOENT);
}
END_TEST

START_TEST(a_machine_without_parents_has_no_types) {
        _cleanup_free_ char *types = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        types = types_of(&tree, NULL);
        ck_assert_str_eq(types, "");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("mdev");

        tcase_add_test(tests, a_uuid_is_written_to_its_type);
        tcase_add_test(tests, a_device_is_removed_by_its_own_attribute);
        tcase_add_test(tests, types_of_one_parent_are_told_with_what_their_driver_gives);
        tcase_add_test(tests, types_of_all_parents_are_told_and_long_texts_in_pieces);
        tcase_add_test(tests, a_device_without_types_is_no_parent);
        tcase_add_test(tests, a_machine_without_parents_has_no_types);
        return tests_run(tests);
}
