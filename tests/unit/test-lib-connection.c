/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The connection of libvfiod: opening, what fails without one, and how failures are told. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/refusal.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-lib.h"

START_TEST(an_address_where_nobody_listens_is_named) {
        _cleanup_connection_ vfiod_connection *c = NULL;

        ck_assert_int_eq(vfiod_connection_new(&c), 0);
        ck_assert_ptr_null(vfiod_error_name(c));
        ck_assert_int_eq(vfiod_connection_open(c, "unix:path=/nonexistent/bus"), -EHOSTUNREACH);
        ck_assert_str_eq(vfiod_error_name(c), "org.freedesktop.DBus.Error.NoServer");
        ck_assert_str_eq(vfiod_error_message(c), "unix:path=/nonexistent/bus cannot be reached: "
                                                 "No such file or directory");
        ck_assert_int_eq(vfiod_connection_get_fd(c), -ENOTCONN);
}
END_TEST

START_TEST(the_system_bus_is_where_the_environment_says) {
        _cleanup_connection_ vfiod_connection *c = NULL;

        ck_assert_int_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/dev/null/bus", 1), 0);
        ck_assert_int_eq(vfiod_connection_new(&c), 0);
        ck_assert_int_eq(vfiod_connection_open(c, NULL), -EHOSTUNREACH);
        ck_assert_str_eq(vfiod_error_message(c),
                         "The system bus cannot be reached: Not a directory");
}
END_TEST

START_TEST(an_open_connection_is_not_opened_again) {
        _cleanup_client_ Client client = client_start(&(Script){0});

        ck_assert_int_eq(vfiod_connection_open(client.c, client.address), -EISCONN);
        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), NULL), 0);
}
END_TEST

START_TEST(what_asks_vfiod_needs_an_open_connection) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        vfiod_inspection *inspection = NULL;
        vfiod_lease *lease = NULL;
        char **steps = NULL;

        ck_assert_int_eq(vfiod_connection_new(&c), 0);
        ck_assert_int_eq(vfiod_bind(c, TARGETS("a"), NULL), -ENOTCONN);
        ck_assert_str_eq(vfiod_error_name(c), "System.Error.ENOTCONN");
        ck_assert_int_eq(vfiod_unbind(c, TARGETS("a"), NULL, VFIOD_TIMEOUT_NONE), -ENOTCONN);
        ck_assert_int_eq(vfiod_acquire(c, TARGETS("a"), NULL, &lease), -ENOTCONN);
        ck_assert_int_eq(vfiod_lease_open(c, SCRIPT_LEASE, &lease), -ENOTCONN);
        ck_assert_int_eq(vfiod_release(c, SCRIPT_LEASE), -ENOTCONN);
        ck_assert_int_eq(vfiod_plan_bind(c, TARGETS("a"), NULL, &steps), -ENOTCONN);
        ck_assert_int_eq(vfiod_inspect(c, "a", &inspection), -ENOTCONN);
        ck_assert_int_eq(vfiod_connection_process(c), -ENOTCONN);
        ck_assert_ptr_null(lease);
        ck_assert_ptr_null(steps);
        ck_assert_ptr_null(inspection);
}
END_TEST

START_TEST(nothing_is_freed_twice_and_null_is_fine) {
        ck_assert_ptr_null(vfiod_connection_free(NULL));
        ck_assert_ptr_null(vfiod_lease_free(NULL));
        ck_assert_ptr_null(vfiod_inspection_free(NULL));
        ck_assert_ptr_null(vfiod_strv_free(NULL));
}
END_TEST

START_TEST(an_error_lasts_until_the_next_call) {
        _cleanup_client_ Client client = client_start(
                &(Script){.failing = "Bind", .error = VFIOD_ERROR_PREFIX "Leased", .answer_at = 1});

        assert_failed(&client, vfiod_bind(client.c, TARGETS("a"), NULL), EBUSY,
                      "org.vfiod1.Error.Leased");
        ck_assert_str_eq(vfiod_error_message(client.c), "as scripted");
        ck_assert_int_eq(vfiod_unbind(client.c, TARGETS("a"), NULL, VFIOD_TIMEOUT_NONE), 0);
        ck_assert_ptr_null(vfiod_error_name(client.c));
        ck_assert_ptr_null(vfiod_error_message(client.c));
}
END_TEST

START_TEST(every_refusal_has_a_class) {
        for (RefusalKind kind = REFUSAL_NONE + 1; kind < REFUSAL_NOT_AUTHORISED; kind++) {
                _cleanup_free_ char *name =
                        string_format(VFIOD_ERROR_PREFIX "%s", refusal_name(kind));

                ck_assert_msg(error_class(name) != -EIO, "%s", name);
        }
}
END_TEST

START_TEST(errors_are_told_apart_by_their_class) {
        static const struct {
                const char *name;
                int expected;
        } rows[] = {
                {VFIOD_ERROR_PREFIX "InvalidTarget", EINVAL},
                {VFIOD_ERROR_PREFIX "InvalidOption", EINVAL},
                {VFIOD_ERROR_PREFIX "InvalidOptionValue", EINVAL},
                {VFIOD_ERROR_PREFIX "NotFound", ENODEV},
                {VFIOD_ERROR_PREFIX "NotViable", EPERM},
                {VFIOD_ERROR_PREFIX "ResetSetIncomplete", EPERM},
                {VFIOD_ERROR_PREFIX "NoReset", EOPNOTSUPP},
                {VFIOD_ERROR_PREFIX "AlreadyExists", EEXIST},
                {VFIOD_ERROR_PREFIX "Exhausted", ENOSPC},
                {VFIOD_ERROR_PREFIX "Busy", EBUSY},
                {VFIOD_ERROR_PREFIX "Changed", EAGAIN},
                {VFIOD_ERROR_PREFIX "Unsupported", EOPNOTSUPP},
                {VFIOD_ERROR_PREFIX "LimitExceeded", EDQUOT},
                {VFIOD_ERROR_PREFIX "LeaseEnded", ESTALE},
                {VFIOD_ERROR_PREFIX "Failed", EIO},
                {VFIOD_ERROR_PREFIX "TimedOut", ETIMEDOUT},
                {VFIOD_ERROR_PREFIX "AddedByALaterDaemon", EIO},
                {"org.freedesktop.DBus.Error.AccessDenied", EACCES},
                {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", EACCES},
                {"org.freedesktop.DBus.Error.ServiceUnknown", EHOSTUNREACH},
                {"org.freedesktop.DBus.Error.Spawn.ExecFailed", EHOSTUNREACH},
                {"org.freedesktop.DBus.Error.SpawnedByNobody", EIO},
                {"org.freedesktop.DBus.Error.NoReply", ETIMEDOUT},
                {"org.freedesktop.DBus.Error.UnknownObject", ESTALE},
                {"System.Error.ECONNRESET", ECONNRESET},
                {"System.Error.EPIPE", ECONNRESET},
                {"System.Error.ENOMEM", ENOMEM},
                {"com.example.Error", EIO},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                ck_assert_msg(error_class(rows[i].name) == -rows[i].expected, "%s: %s",
                              rows[i].name, strerror(-error_class(rows[i].name)));
}
END_TEST

START_TEST(nobody_is_asked_for_a_password_unless_that_is_allowed) {
        _cleanup_client_ Client client = client_start(&(Script){0});

        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), NULL), 0);
        ck_assert_int_eq(vfiod_connection_set_interactive(client.c, true), 0);
        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("b"), NULL), 0);
        ck_assert_str_eq(client_leave(&client), "Bind [\"a\"] {}\n"
                                                "Bind [\"b\"] {} interactive\nleft\n");
}
END_TEST

#define LEFT "org.freedesktop.DBus.Error.NoReply"

START_TEST(what_a_vfiod_that_is_restarted_has_left_unanswered_is_asked_again) {
        _cleanup_client_ Client client =
                client_start(&(Script){.failing = "Bind", .error = LEFT, .failures = 2});

        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), NULL), 0);
        ck_assert_ptr_null(vfiod_error_name(client.c));
        ck_assert_str_eq(client_leave(&client), "Bind [\"a\"] {}\nBind [\"a\"] {}\n"
                                                "Bind [\"a\"] {}\nleft\n");
}
END_TEST

START_TEST(a_lease_that_is_gone_when_its_release_is_asked_for_again_is_released) {
        Script script = {.failing = "Release",
                         .error = LEFT,
                         .failures = 1,
                         .last_error = SD_BUS_ERROR_UNKNOWN_OBJECT};
        _cleanup_client_ Client client = client_start(&script);

        ck_assert_int_eq(vfiod_release(client.c, SCRIPT_LEASE), 0);
        ck_assert_ptr_null(vfiod_error_name(client.c));
        ck_assert_int_eq(vfiod_release(client.c, SCRIPT_LEASE), -ESTALE);
}
END_TEST

START_TEST(what_may_not_be_done_twice_is_not_asked_again) {
        _cleanup_client_ Client client =
                client_start(&(Script){.failing = "CreateMdev", .error = LEFT, .failures = 2});
        char *uuid = NULL;

        ck_assert_int_eq(vfiod_create_mdev(client.c, "mtty", "mtty-1", NULL, &uuid), -ETIMEDOUT);
        ck_assert_str_eq(client_leave(&client), "CreateMdev \"mtty\" \"mtty-1\" \"\" {}\nleft\n");
}
END_TEST

START_TEST(an_answer_that_does_not_come_in_time_is_not_waited_for) {
        _cleanup_client_ Client client = client_start(&(Script){0});

        ck_assert_int_eq(vfiod_connection_set_timeout(client.c, 0), -EINVAL);
        ck_assert_int_eq(vfiod_connection_set_timeout(client.c, 50), 0);
        ck_assert_int_eq(vfiod_unbind(client.c, TARGETS("a"), "fail", VFIOD_TIMEOUT_NONE),
                         -ETIMEDOUT);
        ck_assert_int_eq(vfiod_connection_set_timeout(client.c, UINT64_MAX), 0);
        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), NULL), 0);
}
END_TEST

START_TEST(a_daemon_that_dies_breaks_the_connection) {
        _cleanup_client_ Client client = client_start(&(Script){.die_at = 1});

        ck_assert_int_eq(vfiod_unbind(client.c, TARGETS("a"), NULL, VFIOD_TIMEOUT_NONE),
                         -ECONNRESET);
        ck_assert_int_eq(vfiod_bind(client.c, TARGETS("a"), NULL), -ECONNRESET);
        ck_assert_int_eq(vfiod_connection_process(client.c), -ECONNRESET);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("lib-connection");

        tcase_add_test(tests, an_address_where_nobody_listens_is_named);
        tcase_add_test(tests, the_system_bus_is_where_the_environment_says);
        tcase_add_test(tests, an_open_connection_is_not_opened_again);
        tcase_add_test(tests, what_asks_vfiod_needs_an_open_connection);
        tcase_add_test(tests, nothing_is_freed_twice_and_null_is_fine);
        tcase_add_test(tests, an_error_lasts_until_the_next_call);
        tcase_add_test(tests, every_refusal_has_a_class);
        tcase_add_test(tests, errors_are_told_apart_by_their_class);
        tcase_add_test(tests, nobody_is_asked_for_a_password_unless_that_is_allowed);
        tcase_add_test(tests, what_a_vfiod_that_is_restarted_has_left_unanswered_is_asked_again);
        tcase_add_test(tests, a_lease_that_is_gone_when_its_release_is_asked_for_again_is_released);
        tcase_add_test(tests, what_may_not_be_done_twice_is_not_asked_again);
        tcase_add_test(tests, an_answer_that_does_not_come_in_time_is_not_waited_for);
        tcase_add_test(tests, a_daemon_that_dies_breaks_the_connection);
        return tests_run(tests);
}
