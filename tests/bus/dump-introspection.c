/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prints what one object of each kind says of itself, for test-introspection.py: a line with its
 * path, the XML, and a line of dashes, four times. It is a test only because the fixture wants one.
 */

#include <stdio.h>

#include "tests/bus/fixture-bus.h"

START_TEST(every_kind_of_object_can_be_introspected) {
        static const char *const paths[] = {"/org/vfiod1", "/org/vfiod1/group/4",
                                            "/org/vfiod1/device/_30000_3a03_3a00_2e0",
                                            "/org/vfiod1/lease/1"};
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));

        for (size_t i = 0; i < ELEMENTS(paths); i++) {
                _cleanup_message_ Message *reply =
                        ask(client, paths[i], "org.freedesktop.DBus.Introspectable", "Introspect",
                            NULL);
                const char *xml;

                expect_done(reply);
                ck_assert_int_gt(sd_bus_message_read(reply, "s", &xml), 0);
                (void)printf("%s\n%s\n----\n", paths[i], xml);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("introspection");
        TCase *tests = bus_tests_new("introspection");
        SRunner *runner;
        int failed;

        tcase_add_test(tests, every_kind_of_object_can_be_introspected);
        suite_add_tcase(suite, tests);
        runner = srunner_create(suite);
        srunner_set_fork_status(runner, CK_NOFORK);
        srunner_run_all(runner, CK_SILENT);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
