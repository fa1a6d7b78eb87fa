/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps on assignments, over the stub: what becomes of the file. That each is undone whatever
 * fails is in test-undo.c. */

#include <errno.h>
#include <stdio.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-shape.h"

static void read_file(Assignments *ret) {
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(assignments_read(stub->assignments, ret, &error) == 0, "%s",
                      string_or_empty(error));
}

static const char *serial_of(const Assignments *all, const char *device) {
        const Assignment *entry = assignments_find(all, device);

        ck_assert_ptr_nonnull(entry);
        return entry->serial;
}

START_TEST(entries_are_written_with_their_serial_numbers) {
        _cleanup_assignments_ Assignments all = ASSIGNMENTS_NULL;
        Scene scene;

        scene_init(&scene, shape_find("assign two beside a bridge"));
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        read_file(&all);
        ck_assert_uint_eq(all.n, 2);
        ck_assert_str_eq(serial_of(&all, "0000:03:01.0"), STUB_SERIAL);
        ck_assert_str_eq(stub->log, "serial of 0000:03:01.0\n"
                                    "serial of 0000:03:02.0\n"
                                    "lock /etc/vfiod\n"
                                    "read /etc/vfiod\n"
                                    "write /etc/vfiod\n");
        scene_done(&scene);
}
END_TEST

START_TEST(a_number_that_vfiod_may_not_read_is_asked_for) {
        Scene scene;

        scene_init(&scene, shape_find("assign two beside a bridge"));
        stub->hides_serials = true;
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        ck_assert_ptr_nonnull(strstr(stub->log, "ask serial of 0000:03:02.0"));
        scene_done(&scene);
}
END_TEST

/* Somebody else's entry, which came when the plan was made already. */
static void write_other(void) {
        (void)snprintf(stub->assignments, sizeof(stub->assignments),
                       "{\"version\": 1, \"assignments\": [{\"device\": \"0000:09:00.0\", "
                       "\"id\": \"8086:10d3\", \"subsystem\": \"8086:0000\", \"serial\": "
                       "\"\", \"driver\": \"vfio-pci\", \"since\": "
                       "\"2026-11-21T22:40:05Z\"}]}");
}

START_TEST(what_others_have_assigned_meanwhile_stays) {
        _cleanup_assignments_ Assignments all = ASSIGNMENTS_NULL;
        Scene scene;

        scene_init(&scene, shape_find("assign two beside a bridge"));
        write_other();
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        read_file(&all);
        ck_assert_uint_eq(all.n, 3);
        ck_assert_str_eq(serial_of(&all, "0000:09:00.0"), "");
        scene_done(&scene);
}
END_TEST

START_TEST(a_file_that_is_broken_by_then_is_left_as_it_is) {
        Scene scene;

        scene_init(&scene, shape_find("assign two beside a bridge"));
        (void)snprintf(stub->assignments, sizeof(stub->assignments), "{");
        ck_assert_int_eq(scene_run(&scene, NEVER).error, -EBADMSG);
        ck_assert_str_eq(stub->assignments, "{");
        scene_done(&scene);
}
END_TEST

START_TEST(with_the_last_entry_the_file_goes) {
        Scene scene;

        scene_init(&scene, shape_find("unassign what waits for its driver"));
        ck_assert_str_ne(stub->assignments, "");
        ck_assert_int_eq(scene_run(&scene, NEVER).error, 0);
        ck_assert_str_eq(stub->assignments, "");
        ck_assert_str_eq(stub_find_device("0000:03:01.0")->override, "");
        scene_done(&scene);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("execute-assign");

        tcase_add_test(tests, entries_are_written_with_their_serial_numbers);
        tcase_add_test(tests, a_number_that_vfiod_may_not_read_is_asked_for);
        tcase_add_test(tests, what_others_have_assigned_meanwhile_stays);
        tcase_add_test(tests, a_file_that_is_broken_by_then_is_left_as_it_is);
        tcase_add_test(tests, with_the_last_entry_the_file_goes);
        return tests_run(tests);
}
