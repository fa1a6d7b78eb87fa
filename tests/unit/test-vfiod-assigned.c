/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * boot/vfiod-assigned.c on a machine of plain files: what it writes, says and tells udev. What the
 * kernel and udev make of it is shown in the lab (assign-*).
 *
 * Arguments: the program.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define CARD "0000:01:00.0"
#define OTHER "0000:02:00.0"
#define DEVICE(name) "sys/bus/pci/devices/" name
#define FILE_NAME "etc/vfiod/assignments.json"
#define SAID "run/vfiod-assigned.said"
#define KMSG "dev/kmsg"

static const char *program;

#define ENTRY(name, id, serial)                                                                    \
        "{\"device\": \"" name "\", \"id\": \"" id "\", \"subsystem\": \"8086:a01f\", "            \
        "\"serial\": \"" serial "\", \"driver\": \"vfio-pci\", "                                   \
        "\"since\": \"2026-11-21T22:40:05Z\"}"
#define FILE_OF(entries) "{\"version\": 1, \"assignments\": [" entries "]}"

static void add_device(const Tree *tree, const char *name) {
        static const struct {
                const char *attribute, *text;
        } rows[] = {
                {"vendor", "0x8086\n"},           {"device", "0x10d3\n"},
                {"subsystem_vendor", "0x8086\n"}, {"subsystem_device", "0xa01f\n"},
                {"driver_override", "(null)\n"},  {"config", "no capabilities"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *path =
                        string_format(DEVICE("%s") "/%s", name, rows[i].attribute);

                tree_write(tree, path, rows[i].text);
        }
}

static void init(Tree *tree, const char *assignments) {
        tree_init(tree);
        tree_write(tree, FILE_NAME, assignments);
        tree_mkdir(tree, "run");
        tree_write(tree, KMSG, "");
        tree_write(tree, "sys/bus/pci/drivers_probe", "");
        add_device(tree, CARD);
        add_device(tree, OTHER);
}

/* What it prints when the card is added. Allocated. */
static char *run(const Tree *tree, const char *option) {
        _cleanup_free_ char *command =
                string_format("'%s' --root '%s' --config /etc/vfiod %s " CARD " 2>/dev/null",
                              program, tree->path, option);
        _cleanup_free_ char *out = calloc(1, 4096);
        FILE *pipe = popen(command, "re");

        ck_assert_ptr_nonnull(pipe);
        (void)!fread(out, 1, 4095, pipe);
        ck_assert_int_eq(pclose(pipe), 0);
        return TAKE_PTR(out);
}

static void assert_run(const Tree *tree, const char *printed) {
        _cleanup_free_ char *out = run(tree, "");

        ck_assert_str_eq(out, printed);
}

static void assert_file(const Tree *tree, const char *path, const char *content) {
        _cleanup_free_ char *text = tree_read(tree, path);

        ck_assert_msg(strcmp(text, content) == 0, "%s: '%s', not '%s'", path, text, content);
}

static void assert_untouched(const Tree *tree) {
        assert_file(tree, DEVICE(CARD) "/driver_override", "(null)\n");
        assert_file(tree, "sys/bus/pci/drivers_probe", "");
}

static void assert_said(const Tree *tree, const char *words) {
        _cleanup_free_ char *said = tree_read(tree, KMSG);

        ck_assert_msg(strstr(said, words) && string_after(said, "<4>vfiod-assigned: "),
                      "'%s' does not say '%s'", said, words);
}

START_TEST(the_override_is_set_and_the_module_is_told) {
        _cleanup_tree_ Tree tree;

        init(&tree, FILE_OF(ENTRY(CARD, "8086:10d3", "")));
        assert_run(&tree, "VFIOD_ASSIGNMENT=assigned\nVFIOD_SERIAL=none\nVFIOD_MODULE=vfio-pci\n");
        assert_file(&tree, DEVICE(CARD) "/driver_override", "vfio-pci");
        assert_file(&tree, DEVICE(OTHER) "/driver_override", "(null)\n");
        assert_file(&tree, "sys/bus/pci/drivers_probe", "");
        assert_file(&tree, KMSG, "");
}
END_TEST

START_TEST(a_driver_that_is_there_already_is_asked_to_take_the_device) {
        _cleanup_tree_ Tree tree;

        init(&tree, FILE_OF(ENTRY(CARD, "8086:10d3", "")));
        tree_mkdir(&tree, "sys/bus/pci/drivers/vfio-pci");
        assert_run(&tree, "VFIOD_ASSIGNMENT=assigned\nVFIOD_SERIAL=none\nVFIOD_MODULE=vfio-pci\n");
        assert_file(&tree, "sys/bus/pci/drivers_probe", CARD);
}
END_TEST

START_TEST(the_overrides_of_all_are_set_whichever_device_comes_first) {
        _cleanup_tree_ Tree tree;

        init(&tree,
             FILE_OF(ENTRY(OTHER, "8086:10d3", "") ", " ENTRY("0000:09:00.0", "8086:10d3", "")));
        assert_run(&tree, "");
        assert_file(&tree, DEVICE(OTHER) "/driver_override", "vfio-pci");
        assert_file(&tree, DEVICE(CARD) "/driver_override", "(null)\n");
        assert_file(&tree, KMSG, "");
}
END_TEST

START_TEST(another_card_at_the_address_is_left_alone_and_that_is_said_once_a_boot) {
        _cleanup_free_ char *once = NULL, *twice = NULL;
        _cleanup_tree_ Tree tree;

        init(&tree, FILE_OF(ENTRY(CARD, "8086:1533", "")));
        assert_run(&tree, "VFIOD_ASSIGNMENT=mismatch\nVFIOD_SERIAL=none\n");
        assert_untouched(&tree);
        assert_said(&tree, CARD " is 8086:10d3, and 8086:1533 was assigned; it is left to its own "
                                "driver");
        once = tree_read(&tree, SAID);
        tree_write(&tree, KMSG, "");
        assert_run(&tree, "VFIOD_ASSIGNMENT=mismatch\nVFIOD_SERIAL=none\n");
        twice = tree_read(&tree, SAID);
        ck_assert_str_eq(once, twice);
        assert_file(&tree, KMSG, "");
}
END_TEST

/* Behind a VMD, a domain has more digits. */
START_TEST(what_was_said_of_a_device_was_not_said_of_one_whose_name_its_name_ends_with) {
        _cleanup_tree_ Tree tree;

        init(&tree, FILE_OF(ENTRY("1" CARD, "8086:10d3", "")));
        add_device(&tree, "1" CARD);
        tree_write(&tree, DEVICE("1" CARD) "/driver_override", "pci-stub\n");
        tree_write(&tree, DEVICE(CARD) "/driver_override", "pci-stub\n");
        assert_run(&tree, "");
        assert_said(&tree, ": 1" CARD " is assigned to vfio-pci, but somebody else");
        tree_write(&tree, KMSG, "");
        tree_write(&tree, FILE_NAME,
                   FILE_OF(ENTRY(CARD, "8086:10d3", "") ", " ENTRY("1" CARD, "8086:10d3", "")));
        assert_run(&tree, "VFIOD_ASSIGNMENT=taken\nVFIOD_SERIAL=none\n");
        assert_said(&tree, ": " CARD " is assigned to vfio-pci, but somebody else");
        tree_write(&tree, KMSG, "");
        assert_run(&tree, "VFIOD_ASSIGNMENT=taken\nVFIOD_SERIAL=none\n");
        assert_file(&tree, KMSG, "");
}
END_TEST

START_TEST(a_card_of_the_same_model_with_another_serial_number_is_left_alone) {
        _cleanup_tree_ Tree tree;

        init(&tree, FILE_OF(ENTRY(CARD, "8086:10d3", "52-54-00-ff-ff-12-34-56")));
        assert_run(&tree, "VFIOD_ASSIGNMENT=mismatch\nVFIOD_SERIAL=none\n");
        assert_untouched(&tree);
        assert_said(&tree, "has the serial number none, and one with 52-54-00-ff-ff-12-34-56");
}
END_TEST

START_TEST(a_device_that_a_driver_has_is_not_taken_from_it) {
        _cleanup_tree_ Tree tree;

        init(&tree, FILE_OF(ENTRY(CARD, "8086:10d3", "")));
        tree_link(&tree, DEVICE(CARD) "/driver", "../../drivers/e1000e");
        assert_run(&tree, "VFIOD_ASSIGNMENT=taken\nVFIOD_SERIAL=none\n");
        assert_untouched(&tree);
        assert_said(&tree, "e1000e has it already");
}
END_TEST

START_TEST(a_device_that_its_vfio_driver_has_is_as_it_is_to_be) {
        _cleanup_tree_ Tree tree;

        init(&tree, FILE_OF(ENTRY(CARD, "8086:10d3", "")));
        tree_link(&tree, DEVICE(CARD) "/driver", "../../drivers/vfio-pci");
        assert_run(&tree, "VFIOD_ASSIGNMENT=assigned\nVFIOD_SERIAL=none\nVFIOD_MODULE=vfio-pci\n");
        assert_untouched(&tree);
        assert_file(&tree, KMSG, "");
}
END_TEST

START_TEST(an_override_of_somebody_else_stays) {
        _cleanup_tree_ Tree tree;

        init(&tree, FILE_OF(ENTRY(CARD, "8086:10d3", "")));
        tree_write(&tree, DEVICE(CARD) "/driver_override", "pci-stub\n");
        assert_run(&tree, "VFIOD_ASSIGNMENT=taken\nVFIOD_SERIAL=none\n");
        assert_file(&tree, DEVICE(CARD) "/driver_override", "pci-stub\n");
        assert_said(&tree, "somebody else has set its driver_override to pci-stub");
}
END_TEST

static const char *const broken[] = {"", "{", FILE_OF("7"), "{\"version\": 2}"};

START_TEST(a_broken_file_touches_nothing_is_said_and_is_no_failure) {
        _cleanup_tree_ Tree tree;

        init(&tree, broken[_i]);
        assert_run(&tree, "");
        assert_untouched(&tree);
        assert_said(&tree, "/etc/vfiod/assignments.json: ");
        assert_said(&tree, "no device is assigned at this boot");
}
END_TEST

START_TEST(a_file_that_others_can_write_to_is_not_believed) {
        _cleanup_free_ char *path = NULL;
        _cleanup_tree_ Tree tree;

        init(&tree, FILE_OF(ENTRY(CARD, "8086:10d3", "")));
        path = string_format("%s/" FILE_NAME, tree.path);
        ck_assert_int_eq(chmod(path, 0666), 0);
        assert_run(&tree, "");
        assert_untouched(&tree);
        assert_said(&tree, "a plain file of root that nobody else can write to");
}
END_TEST

START_TEST(without_a_file_it_does_nothing) {
        _cleanup_tree_ Tree tree;

        init(&tree, "");
        tree_remove(&tree, FILE_NAME);
        assert_run(&tree, "");
        assert_untouched(&tree);
        assert_file(&tree, KMSG, "");
}
END_TEST

START_TEST(the_serial_number_is_printed_for_vfiod_and_nothing_else_is_done) {
        _cleanup_free_ char *out = NULL;
        _cleanup_tree_ Tree tree;

        init(&tree, FILE_OF(ENTRY(CARD, "8086:10d3", "")));
        out = run(&tree, "--serial");
        ck_assert_str_eq(out, "VFIOD_SERIAL=none\n");
        assert_untouched(&tree);
}
END_TEST

int main(int argc, char **argv) {
        TCase *tests = tests_new("vfiod-assigned");

        if (argc != 2)
                return EXIT_FAILURE;
        program = argv[1];
        tcase_add_test(tests, the_override_is_set_and_the_module_is_told);
        tcase_add_test(tests, a_driver_that_is_there_already_is_asked_to_take_the_device);
        tcase_add_test(tests, the_overrides_of_all_are_set_whichever_device_comes_first);
        tcase_add_test(tests,
                       another_card_at_the_address_is_left_alone_and_that_is_said_once_a_boot);
        tcase_add_test(tests,
                       what_was_said_of_a_device_was_not_said_of_one_whose_name_its_name_ends_with);
        tcase_add_test(tests, a_card_of_the_same_model_with_another_serial_number_is_left_alone);
        tcase_add_test(tests, a_device_that_a_driver_has_is_not_taken_from_it);
        tcase_add_test(tests, a_device_that_its_vfio_driver_has_is_as_it_is_to_be);
        tcase_add_test(tests, an_override_of_somebody_else_stays);
        tcase_add_loop_test(tests, a_broken_file_touches_nothing_is_said_and_is_no_failure, 0,
                            (int)ELEMENTS(broken));
        tcase_add_test(tests, a_file_that_others_can_write_to_is_not_believed);
        tcase_add_test(tests, without_a_file_it_does_nothing);
        tcase_add_test(tests, the_serial_number_is_printed_for_vfiod_and_nothing_else_is_done);
        return tests_run(tests);
}
