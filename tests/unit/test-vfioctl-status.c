/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* client/status.h: which error ends vfioctl with which exit status. */

#include "client/status.h"

#include <signal.h>

#include "daemon/util/cleanup.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"

typedef struct Row {
        const char *error;
        ExitStatus status;
} Row;

static void check_rows(const Row *rows, size_t n) {
        for (size_t i = 0; i < n; i++)
                ck_assert_msg(status_from_error(rows[i].error) == rows[i].status,
                              "%s gives %d, expected %d", rows[i].error,
                              status_from_error(rows[i].error), rows[i].status);
}

START_TEST(what_vfiod_refuses_is_a_refusal) {
        static const Row rows[] = {
                {"org.vfiod1.Error.NotViable", STATUS_REFUSED},
                {"org.vfiod1.Error.StillHeld", STATUS_REFUSED},
                {"org.vfiod1.Error.Stuck", STATUS_REFUSED},
                {"org.vfiod1.Error.NoTargets", STATUS_REFUSED},
                {"org.vfiod1.Error.AddedByALaterDaemon", STATUS_REFUSED},
                {"org.vfiod1.Error.FailedOtherwise", STATUS_REFUSED},
                {"org.freedesktop.DBus.Error.UnknownObject", STATUS_REFUSED},
        };

        check_rows(rows, ELEMENTS(rows));
}
END_TEST

START_TEST(what_the_kernel_refuses_is_a_failure) {
        static const Row rows[] = {
                {VFIOD_ERROR_FAILED, STATUS_KERNEL},
                {VFIOD_ERROR_TIMED_OUT, STATUS_KERNEL},
        };

        check_rows(rows, ELEMENTS(rows));
}
END_TEST

START_TEST(no_from_polkit_or_the_bus_is_access_denied) {
        static const Row rows[] = {
                {"org.freedesktop.DBus.Error.AccessDenied", STATUS_DENIED},
                {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", STATUS_DENIED},
                {"org.freedesktop.DBus.Error.AuthFailed", STATUS_DENIED},
        };

        check_rows(rows, ELEMENTS(rows));
}
END_TEST

START_TEST(no_daemon_and_no_answer_are_unreachable) {
        static const Row rows[] = {
                {"org.freedesktop.DBus.Error.ServiceUnknown", STATUS_UNREACHABLE},
                {"org.freedesktop.DBus.Error.NameHasNoOwner", STATUS_UNREACHABLE},
                {"org.freedesktop.DBus.Error.Spawn.ChildExited", STATUS_UNREACHABLE},
                {"org.freedesktop.DBus.Error.NoServer", STATUS_UNREACHABLE},
                {"org.freedesktop.DBus.Error.NoReply", STATUS_UNREACHABLE},
                {"org.freedesktop.DBus.Error.Timeout", STATUS_UNREACHABLE},
                {"org.freedesktop.systemd1.NoSuchUnit", STATUS_UNREACHABLE},
                {"System.Error.ECONNRESET", STATUS_UNREACHABLE},
        };

        check_rows(rows, ELEMENTS(rows));
}
END_TEST

START_TEST(all_else_is_a_failure_without_a_number_of_its_own) {
        static const Row rows[] = {
                {NULL, STATUS_NO},
                {"", STATUS_NO},
                {"org.freedesktop.DBus.Error.NoMemory", STATUS_NO},
                {"org.freedesktop.DBus.Error.AccessDeniedNot", STATUS_NO},
                {"org.freedesktop.DBus.Error.Spawn", STATUS_NO},
                {"org.vfiod1.Error", STATUS_NO},
                {"org.vfiod2.Error.NotViable", STATUS_NO},
                {"System.Error.EIO", STATUS_NO},
        };

        check_rows(rows, ELEMENTS(rows));
}
END_TEST

START_TEST(every_status_from_0_to_6_and_130_has_a_meaning_and_no_other) {
        for (int status = STATUS_OK; status <= STATUS_UNREACHABLE; status++)
                ck_assert_ptr_nonnull(status_meaning((ExitStatus)status));
        for (int status = STATUS_UNREACHABLE + 1; status < 256; status++)
                if (status != STATUS_INTERRUPTED)
                        ck_assert_ptr_null(status_meaning((ExitStatus)status));
        ck_assert_ptr_nonnull(status_meaning(STATUS_INTERRUPTED));
        ck_assert_int_eq(STATUS_INTERRUPTED, 128 + SIGINT);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfioctl-status");

        tcase_add_test(tests, what_vfiod_refuses_is_a_refusal);
        tcase_add_test(tests, what_the_kernel_refuses_is_a_failure);
        tcase_add_test(tests, no_from_polkit_or_the_bus_is_access_denied);
        tcase_add_test(tests, no_daemon_and_no_answer_are_unreachable);
        tcase_add_test(tests, all_else_is_a_failure_without_a_number_of_its_own);
        tcase_add_test(tests, every_status_from_0_to_6_and_130_has_a_meaning_and_no_other);
        return tests_run(tests);
}
