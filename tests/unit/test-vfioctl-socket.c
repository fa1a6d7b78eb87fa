/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vfioctl without a bus: --socket, where it goes by itself, and what it says when it cannot. */

#include <string.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-vfioctl.h"

#define LINE(...) ((char **)(const char *[]){__VA_ARGS__, NULL})
#define N SCRIPT_DEVICE
#define NOBODY_THERE "nobody listens at /nonexistent/socket: is vfiod.socket started?"
#define UNREACHABLE 6

static void check(const Script *script, char *const *arguments, int status, const char *err,
                  const char *heard) {
        _cleanup_vfioctl_ Vfioctl v;

        vfioctl_start(&v, script, arguments);
        vfioctl_finish(&v);
        ck_assert_msg(v.status == status, "%d: %s", v.status, vfioctl_stderr(&v));
        ck_assert_msg(strstr(vfioctl_stderr(&v), err), "it said: %s", vfioctl_stderr(&v));
        ck_assert_str_eq(v.heard, heard);
}

START_TEST(the_socket_is_asked_when_that_is_wanted_and_where_there_is_no_bus) {
        check(&(Script){.peer = true}, LINE("bind", "--socket", N), 0, "",
              "Bind [\"" N "\"] {}\nleft\n");
        check(&(Script){.peer = true}, LINE("bind", N), 0, "", "Bind [\"" N "\"] {}\nleft\n");
}
END_TEST

START_TEST(many_calls_at_once_go_through_the_socket) {
        check(&(Script){.peer = true}, LINE("--socket", "list"), 0, "", "Overview\nleft\n");
}
END_TEST

START_TEST(what_exec_hands_on_is_the_same) {
        check(&(Script){.peer = true, .n_devices = 1},
              LINE("--socket", "exec", N, "--", "sh", "-c", "readlink /proc/self/fd/$0 >&2",
                   "{device}"),
              0, "/dev/null\n", "Acquire [\"" N "\"] {\"mode\":\"group\"}\nleft\n");
}
END_TEST

START_TEST(waiting_works_through_the_socket) {
        check(&(Script){.peer = true, .holders_until = 100000, .answer_at = 300},
              LINE("--socket", "unbind", "--wait", N), 0, "waiting for pid 812",
              "Unbind [\"" N "\"] {\"policy\":\"wait\"}\nListHolders [\"" N "\"]\nleft\n");
}
END_TEST

START_TEST(a_socket_that_is_not_there_names_its_unit) {
        check(&(Script){.unasked = true}, LINE("leases", "--socket=/nonexistent/socket"),
              UNREACHABLE, "vfioctl: " NOBODY_THERE " [org.freedesktop.DBus.Error.NoServer]\n", "");
}
END_TEST

START_TEST(a_socket_without_a_path_is_wrong_usage) {
        check(&(Script){.unasked = true}, LINE("leases", "--socket="), 2,
              "vfioctl: --socket: '' is no path", "");
}
END_TEST

START_TEST(a_bus_without_vfiod_brings_the_socket_to_mind) {
        check(&(Script){.failing = "Bind", .error = "org.freedesktop.DBus.Error.ServiceUnknown"},
              LINE("bind", N), UNREACHABLE,
              "vfioctl: as scripted; is vfiod installed? Through its socket, it is asked with "
              "--socket [org.freedesktop.DBus.Error.ServiceUnknown]\n",
              "Bind [\"" N "\"] {}\nleft\n");
}
END_TEST

START_TEST(a_connection_that_is_hung_up_says_why_that_may_be) {
        check(&(Script){.peer = true, .hangs_up = true}, LINE("--socket", "list"), UNREACHABLE,
              "vfioctl: vfiod closed the connection: it was stopped, or its limits", "");
}
END_TEST

int main(int argc, char **argv) {
        TCase *tests = tests_new("vfioctl-socket");

        vfioctl_set_program(argc > 1 ? argv[1] : "vfioctl");
        tcase_add_test(tests, the_socket_is_asked_when_that_is_wanted_and_where_there_is_no_bus);
        tcase_add_test(tests, many_calls_at_once_go_through_the_socket);
        tcase_add_test(tests, what_exec_hands_on_is_the_same);
        tcase_add_test(tests, waiting_works_through_the_socket);
        tcase_add_test(tests, a_socket_that_is_not_there_names_its_unit);
        tcase_add_test(tests, a_socket_without_a_path_is_wrong_usage);
        tcase_add_test(tests, a_bus_without_vfiod_brings_the_socket_to_mind);
        tcase_add_test(tests, a_connection_that_is_hung_up_says_why_that_may_be);
        return tests_run(tests);
}
