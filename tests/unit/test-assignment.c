/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/assignment.h: what is a file of assignments and what is none, and what sits at an
 * address that is not what was assigned. */

#include "daemon/core/assignment.h"

#include <errno.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

#define WHEN_USEC 1795300805000000
#define SERIAL "52-54-00-ff-ff-12-34-56"
#define DEVICE "\"device\": \"0000:01:00.0\", "
#define ID "\"id\": \"8086:10d3\", "
#define SUBSYSTEM "\"subsystem\": \"8086:a01f\", "
#define NUMBER "\"serial\": \"\", "
#define DRIVER "\"driver\": \"vfio-pci\", "
#define SINCE "\"since\": \"2026-11-21T22:40:05Z\""
#define ENTRY "{" DEVICE ID SUBSYSTEM NUMBER DRIVER SINCE "}"
#define FILE_OF(entries) "{\"version\": 1, \"assignments\": [" entries "]}"

static Assignment entry_of(const char *device, const char *serial) {
        return (Assignment){.device = (char *)device,
                            .id = (char *)"8086:10d3",
                            .subsystem = (char *)"8086:a01f",
                            .serial = (char *)serial,
                            .driver = (char *)"vfio-pci",
                            .since = (char *)"2026-11-21T22:40:05Z"};
}

static void put(Assignments *all, const char *device, const char *serial) {
        const Assignment entry = entry_of(device, serial);

        ck_assert_int_eq(assignments_put(all, &entry), 0);
}

START_TEST(what_is_written_is_read_back_in_order_of_address) {
        _cleanup_assignments_ Assignments all = ASSIGNMENTS_NULL, back = ASSIGNMENTS_NULL;
        _cleanup_free_ char *text = NULL, *names = NULL, *error = NULL;

        put(&all, "0000:03:02.0", "");
        put(&all, "0000:01:00.0", NULL);
        put(&all, "0000:03:01.0", "");
        put(&all, "0000:01:00.0", SERIAL);
        text = assignments_write(&all);
        ck_assert_int_eq(assignments_read(text, &back, &error), 0);
        names = assignments_names(&back);
        ck_assert_str_eq(names, "0000:01:00.0, 0000:03:01.0, 0000:03:02.0");
        ck_assert_str_eq(assignments_find(&back, "0000:01:00.0")->serial, SERIAL);
        ck_assert_str_eq(assignments_find(&back, "0000:03:02.0")->driver, "vfio-pci");
        ck_assert_ptr_null(assignments_find(&back, "0000:02:00.0"));
        assignments_remove(&back, "0000:02:00.0");
        assignments_remove(&back, "0000:01:00.0");
        ck_assert_uint_eq(back.n, 2);
        ck_assert_ptr_null(assignments_find(&back, "0000:01:00.0"));
}
END_TEST

START_TEST(people_can_read_it) {
        _cleanup_assignments_ Assignments all = ASSIGNMENTS_NULL;
        _cleanup_free_ char *text = NULL;

        put(&all, "0000:01:00.0", SERIAL);
        text = assignments_write(&all);
        ck_assert_str_eq(text, "{\n"
                               "  \"version\": 1,\n"
                               "  \"assignments\": [\n"
                               "    {\n"
                               "      \"device\": \"0000:01:00.0\",\n"
                               "      \"id\": \"8086:10d3\",\n"
                               "      \"subsystem\": \"8086:a01f\",\n"
                               "      \"serial\": \"" SERIAL "\",\n"
                               "      \"driver\": \"vfio-pci\",\n"
                               "      \"since\": \"2026-11-21T22:40:05Z\"\n"
                               "    }\n"
                               "  ]\n"
                               "}\n");
}
END_TEST

static const struct {
        const char *text;
        int error;
        const char *words;
} bad[] = {
        {"", -EBADMSG, "at byte 0: "},
        {"[]", -EBADMSG, "must be one JSON object"},
        {FILE_OF(ENTRY) "x", -EBADMSG, "at byte "},
        {"{\"assignments\": []}", -EBADMSG, "version: must be a whole number from 1 on"},
        {"{\"version\": 0, \"assignments\": []}", -EBADMSG, "version"},
        {"{\"version\": 2, \"assignments\": []}", -EPROTONOSUPPORT,
         "version 2 was written by a newer vfiod; this one knows 1"},
        {"{\"version\": 1}", -EBADMSG, "assignments: must be an array"},
        {"{\"version\": 1, \"assignments\": {}}", -EBADMSG, "assignments: must be an array"},
        {"{\"version\": 1, \"assignments\": [], \"more\": 1}", -EBADMSG, "more: is unknown"},
        {FILE_OF("7"), -EBADMSG, "assignments[0]: must be an object"},
        {FILE_OF("{" DEVICE ID SUBSYSTEM NUMBER SINCE "}"), -EBADMSG,
         "assignments[0].driver: is missing"},
        {FILE_OF("{" DEVICE ID SUBSYSTEM NUMBER DRIVER SINCE ", \"x\": 1}"), -EBADMSG,
         "assignments[0].x: is unknown"},
        {FILE_OF(ENTRY ", " ENTRY), -EBADMSG, "assignments[1].device: is there twice"},
        {FILE_OF("{\"device\": \"../../../etc/passwd\", " ID SUBSYSTEM NUMBER DRIVER SINCE "}"),
         -EBADMSG, "assignments[0].device: must be a PCI address"},
        {FILE_OF("{\"device\": \"01:00.0\", " ID SUBSYSTEM NUMBER DRIVER SINCE "}"), -EBADMSG,
         "device: must be a PCI address"},
        {FILE_OF("{\"device\": \"0000:01:20.0\", " ID SUBSYSTEM NUMBER DRIVER SINCE "}"), -EBADMSG,
         "device: must be a PCI address"},
        {FILE_OF("{\"device\": \"0000:0A:00.0\", " ID SUBSYSTEM NUMBER DRIVER SINCE "}"), -EBADMSG,
         "device: must be a PCI address"},
        {FILE_OF("{\"device\": null, " ID SUBSYSTEM NUMBER DRIVER SINCE "}"), -EBADMSG,
         "device: must be a PCI address"},
        {FILE_OF("{" DEVICE "\"id\": \"8086:10D3\", " SUBSYSTEM NUMBER DRIVER SINCE "}"), -EBADMSG,
         "id: must be like"},
        {FILE_OF("{" DEVICE ID "\"subsystem\": \"8086\", " NUMBER DRIVER SINCE "}"), -EBADMSG,
         "subsystem: must be like"},
        {FILE_OF("{" DEVICE ID SUBSYSTEM "\"serial\": \"52-54\", " DRIVER SINCE "}"), -EBADMSG,
         "serial: must be like"},
        {FILE_OF("{" DEVICE ID SUBSYSTEM NUMBER "\"driver\": \"../vfio-pci\", " SINCE "}"),
         -EBADMSG, "driver: must be the name of a driver"},
        {FILE_OF("{" DEVICE ID SUBSYSTEM NUMBER "\"driver\": \"-a\", " SINCE "}"), -EBADMSG,
         "driver: must be"},
        {FILE_OF("{" DEVICE ID SUBSYSTEM NUMBER "\"driver\": \"\", " SINCE "}"), -EBADMSG,
         "driver: must be"},
        {FILE_OF("{" DEVICE ID SUBSYSTEM NUMBER DRIVER "\"since\": \"yesterday\"}"), -EBADMSG,
         "since: must be like"},
};

START_TEST(a_file_that_is_wrong_anywhere_is_refused_whole_and_the_place_is_named) {
        _cleanup_assignments_ Assignments all = ASSIGNMENTS_NULL;
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(assignments_read(bad[_i].text, &all, &error) == bad[_i].error, "%s",
                      bad[_i].text);
        ck_assert_ptr_null(all.items);
        ck_assert_msg(error && strstr(error, bad[_i].words), "%s: '%s' does not say '%s'",
                      bad[_i].text, string_or_empty(error), bad[_i].words);
}
END_TEST

START_TEST(a_domain_may_have_more_than_four_digits) {
        _cleanup_assignments_ Assignments all = ASSIGNMENTS_NULL;
        _cleanup_free_ char *error = NULL;

        ck_assert_int_eq(assignments_read(FILE_OF("{\"device\": \"10000:e1:00.0\", " ID SUBSYSTEM
                                                          NUMBER DRIVER SINCE "}"),
                                          &all, &error),
                         0);
        ck_assert_uint_eq(all.n, 1);
}
END_TEST

START_TEST(an_entry_is_made_of_what_the_device_is) {
        const DeviceFacts facts = {.name = (char *)"0000:01:00.0",
                                   .vendor = 0x8086,
                                   .device = 0x10d3,
                                   .subsystem_vendor = 0x8086,
                                   .subsystem_device = 0xa01f};
        _cleanup_assignment_ Assignment entry = {0};

        ck_assert_int_eq(assignment_of(&facts, "vfio-pci", WHEN_USEC, &entry), 0);
        ck_assert_str_eq(entry.device, "0000:01:00.0");
        ck_assert_str_eq(entry.id, "8086:10d3");
        ck_assert_str_eq(entry.subsystem, "8086:a01f");
        ck_assert_ptr_null(entry.serial);
        ck_assert_str_eq(entry.driver, "vfio-pci");
        ck_assert_str_eq(entry.since, "2026-11-21T22:40:05Z");
}
END_TEST

static const struct {
        const char *id, *subsystem, *serial;
        const char *mismatch;
} found[] = {
        {"8086:10d3", "8086:a01f", SERIAL, NULL},
        {"8086:10d3", "8086:a01f", NULL, NULL},
        {"8086:1533", "8086:a01f", SERIAL, "0000:01:00.0 is 8086:1533, and 8086:10d3 was assigned"},
        {"8086:10d3", "8086:0000", SERIAL,
         "0000:01:00.0 has subsystem 8086:0000, and one with 8086:a01f was assigned"},
        {"8086:10d3", "8086:a01f", "52-54-00-ff-ff-12-34-57",
         "0000:01:00.0 has the serial number 52-54-00-ff-ff-12-34-57, and one with " SERIAL
         " was assigned"},
        {"8086:10d3", "8086:a01f", "",
         "0000:01:00.0 has the serial number none, and one with " SERIAL " was assigned"},
};

START_TEST(another_device_at_the_address_is_told_from_the_one_that_was_assigned) {
        const Assignment entry = entry_of("0000:01:00.0", SERIAL);
        _cleanup_free_ char *mismatch = NULL;

        ck_assert_int_eq(assignment_check(&entry, found[_i].id, found[_i].subsystem,
                                          found[_i].serial, &mismatch),
                         0);
        assert_row_str(found[_i].id, mismatch, found[_i].mismatch);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("assignment");

        tcase_add_test(tests, what_is_written_is_read_back_in_order_of_address);
        tcase_add_test(tests, people_can_read_it);
        tcase_add_loop_test(tests,
                            a_file_that_is_wrong_anywhere_is_refused_whole_and_the_place_is_named,
                            0, (int)ELEMENTS(bad));
        tcase_add_test(tests, a_domain_may_have_more_than_four_digits);
        tcase_add_test(tests, an_entry_is_made_of_what_the_device_is);
        tcase_add_loop_test(tests,
                            another_device_at_the_address_is_told_from_the_one_that_was_assigned, 0,
                            (int)ELEMENTS(found));
        return tests_run(tests);
}
