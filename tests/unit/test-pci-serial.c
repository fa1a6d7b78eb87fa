/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/kernel/pci-serial.h: the number in a configuration space, whatever is in that. */

#include "daemon/kernel/pci-serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define NAME "0000:01:00.0"
#define CONFIG "sys/bus/pci/devices/" NAME "/config"
#define SIZE 4096

static void put_word(uint8_t *config, size_t at, uint32_t word) {
        for (size_t i = 0; i < 4; i++)
                config[at + i] = (uint8_t)(word >> 8 * i);
}

/* A capability of this id at `at`, the next one at `next`. */
static void put_capability(uint8_t *config, size_t at, uint32_t id, uint32_t next) {
        put_word(config, at, id | 1U << 16 | next << 20);
}

static void put_serial(uint8_t *config, size_t at) {
        put_word(config, at + 4, 0xff123456);
        put_word(config, at + 8, 0x525400ff);
}

static void assert_serial(const uint8_t *config, size_t size, const char *serial) {
        _cleanup_free_ char *is = NULL;
        _cleanup_tree_ Tree tree;

        tree_init(&tree);
        tree_write_bytes(&tree, CONFIG, (const char *)config, size);
        ck_assert_int_eq(pci_read_serial(&tree.roots, NAME, &is), 0);
        ck_assert_str_eq(is, serial);
}

START_TEST(the_number_is_found_behind_other_capabilities) {
        uint8_t config[SIZE] = {0};

        put_capability(config, 0x100, 0x0001, 0x140);
        put_capability(config, 0x140, 0x0003, 0);
        put_serial(config, 0x140);
        assert_serial(config, SIZE, "52-54-00-ff-ff-12-34-56");
}
END_TEST

START_TEST(a_device_without_the_capability_has_none) {
        uint8_t config[SIZE] = {0};

        assert_serial(config, SIZE, "");
        put_capability(config, 0x100, 0x0001, 0);
        assert_serial(config, SIZE, "");
        assert_serial(config, 256, "");
        assert_serial(config, 64, "");
        (void)memset(config, 0xff, SIZE);
        assert_serial(config, SIZE, "");
}
END_TEST

START_TEST(a_list_that_goes_round_or_out_of_the_space_has_an_end) {
        uint8_t config[SIZE] = {0};

        put_capability(config, 0x100, 0x0001, 0x200);
        put_capability(config, 0x200, 0x0002, 0x100);
        assert_serial(config, SIZE, "");
        put_capability(config, 0x200, 0x0002, 0x40);
        assert_serial(config, SIZE, "");
        put_capability(config, 0x200, 0x0002, 0xffc);
        put_capability(config, 0xffc, 0x0003, 0);
        assert_serial(config, SIZE, "");
}
END_TEST

/* An attribute whose size is that of the device's space, and that gives less. */
START_TEST(a_space_that_is_not_shown_whole_is_told_from_one_without_a_number) {
        _cleanup_free_ char *serial = NULL, *path = NULL;
        _cleanup_tree_ Tree tree;
        uint8_t config[64] = {0};

        tree_init(&tree);
        ck_assert_int_eq(pci_read_serial(&tree.roots, NAME, &serial), -ENOENT);
        tree_write_bytes(&tree, CONFIG, (const char *)config, sizeof(config));
        path = string_format("%s/" CONFIG, tree.path);
        ck_assert_int_eq(pci_read_serial(&tree.roots, NAME, &serial), 0);
        ck_assert_str_eq(serial, "");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("pci-serial");

        tcase_add_test(tests, the_number_is_found_behind_other_capabilities);
        tcase_add_test(tests, a_device_without_the_capability_has_none);
        tcase_add_test(tests, a_list_that_goes_round_or_out_of_the_space_has_an_end);
        tcase_add_test(tests, a_space_that_is_not_shown_whole_is_told_from_one_without_a_number);
        return tests_run(tests);
}
