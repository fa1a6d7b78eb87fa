/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * vfioctl as a whole, against a scripted daemon: holders, unbind --wait and --revoke, leases and
 * acquire when the lease is asked back, list with a stuck device.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-vfioctl.h"

#define LINE(...) ((char **)(const char *[]){__VA_ARGS__, NULL})
#define N SCRIPT_DEVICE
#define DENIED "org.freedesktop.DBus.Error.AccessDenied"
#define STILL_HELD "org.vfiod1.Error.StillHeld"
/* For ever, as far as a test goes. */
#define LONG 100000
#define WAITING "waiting for pid 812 (qemu, uid 4294967294) to give back " N
#define TAKING "taking " N " back from pid 812 (qemu, uid 4294967294)"

static void run(Vfioctl *v, const Script *script, char *const *arguments) {
        vfioctl_start(v, script, arguments);
        vfioctl_finish(v);
}

static void assert_part(const char *text, const char *part) {
        ck_assert_msg(strstr(text, part), "'%s' is not in: %s", part, text);
}

static void assert_end(const char *text, const char *end) {
        const char *last = strrchr(text, end[0]);

        ck_assert_msg(last && string_equal(last, end), "this does not end in '%s': %s", end, text);
}

static void assert_lacks(const char *text, const char *part) {
        ck_assert_msg(!strstr(text, part), "'%s' is in: %s", part, text);
}

START_TEST(holders_are_a_table) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.holders_until = LONG}, LINE("holders", N));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(vfioctl_stdout(&v),
                         "PID  USER        COMMAND  UNIT         LEASE    FILES\n"
                         "812  4294967294  qemu     vm1.service  lease/7  device " N " (fd 7)\n"
                         "                                                mapping " N "\n");
        ck_assert_str_eq(v.heard, "ListHolders [\"" N "\"]\nleft\n");
}
END_TEST

START_TEST(nobody_is_an_answer_and_no_failure) {
        _cleanup_vfioctl_ Vfioctl v, json;

        run(&v, &(Script){0}, LINE("holders", N, "group/4"));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(vfioctl_stdout(&v), "nobody has " N " or group/4 open or mapped\n");
        run(&json, &(Script){0}, LINE("holders", N, "--json"));
        ck_assert_int_eq(json.status, 0);
        ck_assert_int_eq(vfioctl_stdout(&json)[0], '[');
}
END_TEST

START_TEST(holders_in_json_are_what_the_daemon_said) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.holders_until = LONG}, LINE("holders", N, "-j"));
        ck_assert_int_eq(v.status, 0);
        assert_part(vfioctl_stdout(&v), "\"Pid\": 812");
        assert_part(vfioctl_stdout(&v), "\"Lease\": \"" SCRIPT_LEASE "\"");
        assert_part(vfioctl_stdout(&v), "\"AddedByALaterDaemon\"");
        assert_part(vfioctl_stdout(&v), "\"mapping\"");
}
END_TEST

START_TEST(holders_that_may_not_be_seen_are_denied) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.holders_error = DENIED}, LINE("holders", N));
        ck_assert_int_eq(v.status, 4);
        ck_assert_str_eq(vfioctl_stderr(&v), "vfioctl: as scripted [" DENIED "]\n");
}
END_TEST

START_TEST(what_one_may_do_is_a_table_and_the_status_says_whether_it_is_all) {
        _cleanup_vfioctl_ Vfioctl all, some;

        run(&all, &(Script){0},
            LINE("auth", N, "--label=x", "-a", "acquire", "--action=org.vfiod1.list"));
        ck_assert_int_eq(all.status, 0);
        assert_part(all.heard, "CheckAuthorization [\"" N "\"] {\"label\":\"x\",\"actions\":"
                               "[\"org.vfiod1.acquire\",\"org.vfiod1.list\"]}\n");
        run(&some, &(Script){.failing = "auth"}, LINE("auth"));
        ck_assert_int_eq(some.status, 1);
        ck_assert_str_eq(vfioctl_stdout(&some),
                         "FOR           ACTION             MAY       BECAUSE\n"
                         "-             list               yes       as scripted\n" N
                         "  acquire            password  as scripted\n"
                         "              org.example.later  no        as scripted\n"
                         "lease/7       release-other      yes       as scripted\n");
        ck_assert_str_eq(some.heard, "CheckAuthorization [] {}\nleft\n");
}
END_TEST

START_TEST(what_one_may_do_in_json_is_what_the_daemon_said) {
        _cleanup_vfioctl_ Vfioctl v, refused;

        run(&v, &(Script){.failing = "auth"}, LINE("auth", N, "--json"));
        ck_assert_int_eq(v.status, 1);
        assert_part(vfioctl_stdout(&v), "\"Result\": \"challenge\"");
        assert_part(vfioctl_stdout(&v), "\"AddedByALaterDaemon\"");
        run(&refused, &(Script){.failing = "CheckAuthorization", .error = DENIED},
            LINE("auth", N, "--json"));
        ck_assert_int_eq(refused.status, 4);
        assert_part(vfioctl_stderr(&refused), "\"Error\":\"" DENIED "\"");
}
END_TEST

START_TEST(what_one_may_do_is_asked_again_where_vfiod_was_restarted) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v,
            &(Script){.failing = "CheckAuthorization",
                      .error = "org.freedesktop.DBus.Error.NoReply",
                      .failures = 1},
            LINE("auth"));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(v.heard, "CheckAuthorization [] {}\nCheckAuthorization [] {}\nleft\n");
}
END_TEST

START_TEST(what_is_asked_beside_others_is_asked_again_where_vfiod_was_restarted) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v,
            &(Script){.failing = "Overview",
                      .error = "org.freedesktop.DBus.Error.NoReply",
                      .failures = 1},
            LINE("list"));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(v.heard, "Overview\nOverview\nleft\n");
}
END_TEST

START_TEST(a_refusal_of_what_is_asked_beside_others_is_the_end_of_it) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.failing = "Overview", .error = DENIED}, LINE("list"));
        ck_assert_int_eq(v.status, 4);
        ck_assert_str_eq(v.heard, "Overview\nleft\n");
}
END_TEST

START_TEST(the_help_of_an_option_is_what_it_means_to_that_verb) {
        static const struct {
                const char *verb, *says, *not;
        } rows[] = {
                {"qemu-args", "moves nothing", "move the groups"},
                {"acquire", "raise the limit of locked memory", "PROGRAM"},
                {"exec", "PROGRAM too: 4G", "moves nothing"},
                {"auth", "that would be asked for", "raise the limit"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_vfioctl_ Vfioctl v;

                run(&v, &(Script){.unasked = true}, LINE(rows[i].verb, "--help"));
                ck_assert_int_eq(v.status, 0);
                assert_part(vfioctl_stdout(&v), rows[i].says);
                ck_assert_ptr_null(strstr(vfioctl_stdout(&v), rows[i].not));
        }
}
END_TEST

START_TEST(a_lease_that_is_not_there_is_named_as_it_was_typed) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){0}, LINE("release", "99"));
        ck_assert_int_eq(v.status, 3);
        ck_assert_str_eq(vfioctl_stderr(&v), "vfioctl: there is no lease 99; see 'vfioctl leases' "
                                             "[org.freedesktop.DBus.Error.UnknownObject]\n");
}
END_TEST

START_TEST(unbind_that_is_refused_because_somebody_has_it_names_what_asks_and_what_takes) {
        static const char *const errors[] = {"Leased", "HeldOutside", "Busy"};

        for (size_t i = 0; i < ELEMENTS(errors); i++) {
                _cleanup_free_ char *name = string_format(VFIOD_ERROR_PREFIX "%s", errors[i]);
                _cleanup_vfioctl_ Vfioctl v;
                bool names;

                run(&v, &(Script){.failing = "Unbind", .error = name}, LINE("unbind", N));
                ck_assert_int_eq(v.status, 3);
                names = strstr(vfioctl_stderr(&v), "as scripted; 'vfioctl unbind --wait' asks for "
                                                   "it and waits, '--revoke' takes it [");
                ck_assert_msg(names == (i < 2), "%s", vfioctl_stderr(&v));
        }
}
END_TEST

START_TEST(unbind_without_a_policy_asks_for_none_and_for_no_holders) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.answer_at = 1}, LINE("unbind", N));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(v.heard, "Unbind [\"" N "\"] {}\nOverview\nExplain [\"" N "\"]\nleft\n");
        ck_assert_str_eq(vfioctl_stderr(&v), "");
}
END_TEST

START_TEST(unbind_says_of_what_is_assigned_that_it_stays_so) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.answer_at = 1, .device_assignment = "assigned, but on e1000e: bind it"},
            LINE("unbind", N));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(vfioctl_stderr(&v),
                         "vfioctl: " N " stays assigned, and is on a vfio driver again from the "
                         "next boot on unless 'vfioctl unassign " N "'\n");
}
END_TEST

START_TEST(list_marks_what_is_assigned_and_says_what_is_wrong_with_it) {
        _cleanup_vfioctl_ Vfioctl assigned, moved;

        run(&assigned, &(Script){.device_assignment = "assigned"}, LINE("list"));
        assert_part(vfioctl_stdout(&assigned), "(assigned) Intel 82574L");
        run(&moved, &(Script){.device_assignment = "mismatch: another card"}, LINE("list"));
        assert_part(vfioctl_stdout(&moved), "mismatch: another card\n");
        ck_assert_ptr_null(strstr(vfioctl_stdout(&moved), "(assigned)"));
}
END_TEST

START_TEST(waiting_says_who_holds_until_it_is_unbound) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.holders_until = 1500, .answer_at = 2500}, LINE("unbind", "--wait", N));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(vfioctl_stdout(&v), "");
        ck_assert_str_eq(vfioctl_stderr(&v), WAITING "\nno holder is to be seen any more\n");
        assert_part(v.heard, "Unbind [\"" N "\"] {\"policy\":\"wait\"}\n");
        ck_assert_uint_eq(vfioctl_count_heard(&v, "ListHolders"), 3);
        ck_assert_uint_eq(vfioctl_count_heard(&v, "Get "), 0);
}
END_TEST

START_TEST(what_is_free_is_unbound_without_a_word) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.answer_at = 300}, LINE("unbind", "--wait", N));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(vfioctl_stderr(&v), "");
}
END_TEST

START_TEST(the_time_is_sent_and_shown_running_down) {
        _cleanup_vfioctl_ Vfioctl v;

        vfioctl_start_on_terminal(&v, &(Script){.holders_until = LONG, .answer_at = 1500},
                                  LINE("unbind", "--wait=8s", N));
        vfioctl_finish(&v);
        ck_assert_int_eq(v.status, 0);
        assert_part(v.heard, "{\"policy\":\"wait\",\"timeout\":8000}");
        assert_part(vfioctl_stderr(&v),
                    "\r\033[K" WAITING "; 8 s left\r\033[K" WAITING "; 7 s left");
        assert_lacks(vfioctl_stderr(&v), "\n");
        assert_end(vfioctl_stderr(&v), "\r\033[K");
}
END_TEST

START_TEST(off_a_terminal_the_time_alone_is_no_new_line) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.holders_until = LONG, .answer_at = 2500},
            LINE("unbind", "--wait=8000ms", N));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(vfioctl_stderr(&v), WAITING "; 8 s left\n");
}
END_TEST

START_TEST(holders_that_stay_are_the_daemons_refusal) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.holders_until = LONG, .answer_at = 1000, .answer_error = STILL_HELD},
            LINE("unbind", "--wait=1", N));
        ck_assert_int_eq(v.status, 3);
        ck_assert_str_eq(vfioctl_stderr(&v), WAITING "; 1 s left\n"
                                                     "vfioctl: as scripted [" STILL_HELD "]\n");
}
END_TEST

START_TEST(an_error_behind_the_line_stands_alone_on_a_terminal) {
        _cleanup_vfioctl_ Vfioctl v;

        vfioctl_start_on_terminal(
                &v, &(Script){.holders_until = LONG, .answer_at = 500, .answer_error = STILL_HELD},
                LINE("unbind", "--wait=1", N));
        vfioctl_finish(&v);
        ck_assert_int_eq(v.status, 3);
        assert_part(vfioctl_stderr(&v), "\r\033[Kvfioctl: as scripted [" STILL_HELD "]\r\n");
}
END_TEST

START_TEST(no_time_limit_of_a_call_ends_the_wait) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.holders_until = LONG, .answer_at = 1800},
            LINE("unbind", "--wait", "--timeout=1", N));
        ck_assert_int_eq(v.status, 0);
}
END_TEST

static void stop_by(int signal) {
        _cleanup_vfioctl_ Vfioctl v;

        vfioctl_start(&v, &(Script){.holders_until = LONG}, LINE("unbind", "--wait", N));
        vfioctl_wait_for(&v, "waiting for");
        ck_assert_int_eq(kill(v.pid, signal), 0);
        vfioctl_finish(&v);
        ck_assert_int_eq(v.status, 130);
        ck_assert_str_eq(vfioctl_stderr(&v),
                         WAITING "\nvfioctl: stopped waiting; nothing was changed\n");
        assert_part(v.heard, "left\n");
}

START_TEST(an_interrupt_ends_the_wait_by_leaving_the_bus) {
        stop_by(SIGINT);
}
END_TEST

START_TEST(termination_ends_the_wait_in_the_same_way) {
        stop_by(SIGTERM);
}
END_TEST

START_TEST(whether_something_was_changed_is_said_only_when_it_is_known) {
        static const struct {
                Script script;
                const char *option, *wait_for, *said;
        } rows[] = {
                {{.holders_until = LONG}, "--revoke=60", "left", "nothing was changed"},
                {{.holders_until = LONG, .deadline_in = 60000}, "--revoke", "left", "nothing was"},
                {{.holders_until = LONG}, "--revoke=0", "taking", "what vfiod may have begun"},
                {{.holders_until = LONG}, "--revoke", "waiting", "what vfiod may have begun"},
                {{.holders_until = 500}, "--wait", "no holder is", "what vfiod may have begun"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_vfioctl_ Vfioctl v;

                vfioctl_start_on_terminal(&v, &rows[i].script, LINE("unbind", rows[i].option, N));
                vfioctl_wait_for(&v, rows[i].wait_for);
                ck_assert_int_eq(kill(v.pid, SIGINT), 0);
                vfioctl_finish(&v);
                ck_assert_int_eq(v.status, 130);
                assert_part(vfioctl_stderr(&v), rows[i].said);
        }
}
END_TEST

START_TEST(who_may_not_see_the_holders_waits_without_a_line) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.holders_error = DENIED, .answer_at = 1500}, LINE("unbind", "--wait", N));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(vfioctl_stderr(&v), "");
        ck_assert_uint_eq(vfioctl_count_heard(&v, "ListHolders"), 1);
}
END_TEST

START_TEST(looking_who_holds_never_asks_for_a_password) {
        _cleanup_vfioctl_ Vfioctl v;

        /* With stdin on a terminal, which is when polkit may ask. */
        vfioctl_start_on_terminal(&v, &(Script){.holders_until = LONG, .answer_at = 500},
                                  LINE("unbind", "--wait", N));
        vfioctl_finish(&v);
        ck_assert_uint_eq(vfioctl_count_heard(&v, "interactive"), 1);
        assert_part(v.heard, "{\"policy\":\"wait\"} interactive\n");
}
END_TEST

START_TEST(in_json_there_is_no_line_and_the_end_is_an_object) {
        _cleanup_vfioctl_ Vfioctl v, stopped;

        run(&v, &(Script){.holders_until = LONG, .answer_at = 1500},
            LINE("unbind", "--wait", N, "--json"));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(vfioctl_stderr(&v), "");
        ck_assert_uint_eq(vfioctl_count_heard(&v, "ListHolders"), 0);

        run(&stopped, &(Script){.answer_at = 500, .answer_error = STILL_HELD},
            LINE("unbind", "--wait", N, "--json"));
        ck_assert_int_eq(stopped.status, 3);
        ck_assert_str_eq(vfioctl_stderr(&stopped),
                         "{\"Error\":\"" STILL_HELD
                         "\",\"Message\":\"as scripted\",\"Status\":3}\n");
}
END_TEST

START_TEST(revoking_says_when_it_takes) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.holders_until = 2500, .answer_at = 3500},
            LINE("unbind", "--revoke=1", N));
        ck_assert_int_eq(v.status, 0);
        assert_part(v.heard, "{\"policy\":\"revoke\",\"timeout\":1000}");
        ck_assert_str_eq(vfioctl_stderr(&v),
                         WAITING "; 1 s left\n" TAKING "\nno holder is to be seen any more\n");
}
END_TEST

START_TEST(the_time_of_the_configuration_comes_from_the_lease) {
        _cleanup_vfioctl_ Vfioctl v;

        vfioctl_start_on_terminal(
                &v, &(Script){.holders_until = LONG, .answer_at = 1500, .deadline_in = 8000},
                LINE("unbind", "--revoke", N));
        vfioctl_finish(&v);
        ck_assert_int_eq(v.status, 0);
        assert_part(v.heard, "{\"policy\":\"revoke\"}");
        assert_part(vfioctl_stderr(&v), WAITING "; 8 s left\r");
}
END_TEST

START_TEST(a_lease_that_ends_takes_no_deadline_with_it) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v,
            &(Script){.holders_until = LONG,
                      .answer_at = 2500,
                      .deadline_in = 1500,
                      .deadline_until = 500},
            LINE("unbind", "--revoke", N));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(vfioctl_stderr(&v), WAITING "\n" TAKING "\n");
}
END_TEST

START_TEST(a_daemon_that_dies_ends_the_wait) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.holders_until = LONG, .die_at = 500}, LINE("unbind", "--wait", N));
        ck_assert_int_eq(v.status, 6);
        assert_part(vfioctl_stderr(&v), WAITING "\nvfioctl: ");
}
END_TEST

START_TEST(a_dry_run_has_the_policy_too) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){0}, LINE("unbind", "--dry-run", "--revoke=500ms", N));
        ck_assert_int_eq(v.status, 0);
        ck_assert_str_eq(vfioctl_stdout(&v), "1. ask for it\n");
        ck_assert_str_eq(v.heard, "Plan \"unbind\" [\"" N "\"] "
                                  "{\"policy\":\"revoke\",\"timeout\":500}\nleft\n");
}
END_TEST

START_TEST(leases_say_how_long_one_that_is_asked_back_has) {
        _cleanup_vfioctl_ Vfioctl timed, for_ever;

        run(&timed, &(Script){.deadline_in = 3590000}, LINE("leases"));
        assert_part(vfioctl_stdout(&timed), "  releasing, 59 min left  ");
        run(&for_ever, &(Script){0}, LINE("leases"));
        assert_part(vfioctl_stdout(&for_ever), "  releasing  ");
}
END_TEST

static void acquire_asked_back(const Script *script, const char *said) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, script, LINE("acquire", N));
        ck_assert_int_eq(v.status, 1);
        ck_assert_str_eq(vfioctl_stderr(&v), said);
        ck_assert_uint_eq(vfioctl_count_heard(&v, "Release\n"), 1);
}

START_TEST(acquire_gives_back_what_is_asked_for_and_says_why) {
        acquire_asked_back(&(Script){.ask_back_at = 300, .reason = "uid 0 wants to unbind group 3"},
                           "vfioctl: vfiod asked for " SCRIPT_LEASE
                           " back: uid 0 wants to unbind group 3; given back\n");
}
END_TEST

START_TEST(acquire_gives_back_also_without_being_told_why) {
        acquire_asked_back(&(Script){.ask_back_at = 300},
                           "vfioctl: vfiod asked for " SCRIPT_LEASE " back: given back\n");
}
END_TEST

START_TEST(acquire_believes_no_reason_but_the_daemons) {
        acquire_asked_back(&(Script){.ask_back_at = 300, .forged_first = true, .reason = "true"},
                           "vfioctl: vfiod asked for " SCRIPT_LEASE " back: true; given back\n");
}
END_TEST

START_TEST(list_says_why_a_device_is_stuck_or_rebound) {
        _cleanup_vfioctl_ Vfioctl stuck, rebound, idle;

        run(&stuck, &(Script){.device_state = "stuck"}, LINE("list"));
        ck_assert_int_eq(stuck.status, 0);
        ck_assert_str_eq(vfioctl_stdout(&stuck), "group/3  bound  DMA\n"
                                                 "`-- " N "  vfio-pci  (stuck) Intel 82574L\n"
                                                 "      nobody knows why\n");
        run(&rebound, &(Script){.device_state = "rebound"}, LINE("list"));
        ck_assert_str_eq(vfioctl_stdout(&rebound), "group/3  bound  DMA\n"
                                                   "`-- " N "  vfio-pci  (rebound) Intel 82574L\n"
                                                   "      somebody knows why\n");
        run(&idle, &(Script){0}, LINE("list"));
        ck_assert_str_eq(vfioctl_stdout(&idle), "group/3  bound  DMA\n"
                                                "`-- " N "  vfio-pci  Intel 82574L\n");
        ck_assert_uint_eq(vfioctl_count_heard(&idle, "ListDevices"), 0);
}
END_TEST

static void add_waiting(TCase *tests) {
        tcase_add_test(tests, waiting_says_who_holds_until_it_is_unbound);
        tcase_add_test(tests, what_is_free_is_unbound_without_a_word);
        tcase_add_test(tests, the_time_is_sent_and_shown_running_down);
        tcase_add_test(tests, off_a_terminal_the_time_alone_is_no_new_line);
        tcase_add_test(tests, holders_that_stay_are_the_daemons_refusal);
        tcase_add_test(tests, an_error_behind_the_line_stands_alone_on_a_terminal);
        tcase_add_test(tests, no_time_limit_of_a_call_ends_the_wait);
        tcase_add_test(tests, an_interrupt_ends_the_wait_by_leaving_the_bus);
        tcase_add_test(tests, termination_ends_the_wait_in_the_same_way);
        tcase_add_test(tests, whether_something_was_changed_is_said_only_when_it_is_known);
        tcase_add_test(tests, who_may_not_see_the_holders_waits_without_a_line);
        tcase_add_test(tests, looking_who_holds_never_asks_for_a_password);
        tcase_add_test(tests, in_json_there_is_no_line_and_the_end_is_an_object);
        tcase_add_test(tests, revoking_says_when_it_takes);
        tcase_add_test(tests, the_time_of_the_configuration_comes_from_the_lease);
        tcase_add_test(tests, a_lease_that_ends_takes_no_deadline_with_it);
        tcase_add_test(tests, a_daemon_that_dies_ends_the_wait);
}

int main(int argc, char **argv) {
        TCase *tests = tests_new("vfioctl-verbs");

        vfioctl_set_program(argc > 1 ? argv[1] : "vfioctl");
        tcase_add_test(tests, holders_are_a_table);
        tcase_add_test(tests, nobody_is_an_answer_and_no_failure);
        tcase_add_test(tests, what_one_may_do_is_a_table_and_the_status_says_whether_it_is_all);
        tcase_add_test(tests, what_one_may_do_in_json_is_what_the_daemon_said);
        tcase_add_test(tests, holders_in_json_are_what_the_daemon_said);
        tcase_add_test(tests, holders_that_may_not_be_seen_are_denied);
        tcase_add_test(tests, what_one_may_do_is_asked_again_where_vfiod_was_restarted);
        tcase_add_test(tests, what_is_asked_beside_others_is_asked_again_where_vfiod_was_restarted);
        tcase_add_test(tests, a_refusal_of_what_is_asked_beside_others_is_the_end_of_it);
        tcase_add_test(tests, the_help_of_an_option_is_what_it_means_to_that_verb);
        tcase_add_test(tests, a_lease_that_is_not_there_is_named_as_it_was_typed);
        tcase_add_test(
                tests,
                unbind_that_is_refused_because_somebody_has_it_names_what_asks_and_what_takes);
        tcase_add_test(tests, unbind_without_a_policy_asks_for_none_and_for_no_holders);
        tcase_add_test(tests, unbind_says_of_what_is_assigned_that_it_stays_so);
        tcase_add_test(tests, list_marks_what_is_assigned_and_says_what_is_wrong_with_it);
        add_waiting(tests);
        tcase_add_test(tests, a_dry_run_has_the_policy_too);
        tcase_add_test(tests, leases_say_how_long_one_that_is_asked_back_has);
        tcase_add_test(tests, acquire_gives_back_what_is_asked_for_and_says_why);
        tcase_add_test(tests, acquire_gives_back_also_without_being_told_why);
        tcase_add_test(tests, acquire_believes_no_reason_but_the_daemons);
        tcase_add_test(tests, list_says_why_a_device_is_stuck_or_rebound);
        return tests_run(tests);
}
