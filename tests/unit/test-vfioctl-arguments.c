/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* client/arguments.h, client/help.h: command lines, right and wrong, and the help, against a small
 * table of verbs. */

#include "client/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/help.h"
#include "client/options.h"
#include "client/output.h"
#include "client/size.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static const Verb verbs[] = {
        {.name = "list", .synopsis = "[TARGET...]", .summary = "Lists", .most = SIZE_MAX},
        {.name = "bind",
         .synopsis = "TARGET...",
         .summary = "Binds",
         .least = 1,
         .most = SIZE_MAX,
         .options = OPTION_DRIVER | OPTION_DRY_RUN},
        {.name = "exec",
         .synopsis = "TARGET... -- PROGRAM",
         .summary = "Runs",
         .least = 1,
         .most = SIZE_MAX,
         .options = OPTIONS_ACQUIRE,
         .command = true,
         .details = "More.\n"},
        {.name = "unbind",
         .synopsis = "TARGET...",
         .summary = "Unbinds",
         .least = 1,
         .most = SIZE_MAX,
         .options = OPTIONS_UNBIND | OPTION_DRY_RUN},
        {.name = "leases", .synopsis = "", .summary = "Shows"},
        {.name = NULL},
};

#define LINE(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

static Arguments right(char **argv) {
        _cleanup_free_ char *sentence = NULL;
        Arguments a;
        int r;

        r = arguments_parse(verbs, argv, &a, &sentence);
        ck_assert_msg(r == 0, "%s", string_or_empty(sentence));
        return a;
}

START_TEST(a_verb_takes_its_operands) {
        _cleanup_arguments_ Arguments a = right(LINE("list", "group/3", "eth0"));

        ck_assert_str_eq(a.verb->name, "list");
        ck_assert_uint_eq(strv_length(a.operands), 2);
        ck_assert_str_eq(a.operands[0], "group/3");
        ck_assert_str_eq(a.operands[1], "eth0");
        ck_assert(!a.json);
        ck_assert_uint_eq(a.timeout_ms, TIMEOUT_DEFAULT_MS);
}
END_TEST

START_TEST(options_may_stand_anywhere_and_in_three_spellings) {
        _cleanup_arguments_ Arguments a =
                right(LINE("--json", "bind", "--driver=x", "group/3", "-n", "--timeout", "5"));
        _cleanup_arguments_ Arguments b = right(LINE("bind", "a", "-d", "y", "-j"));

        ck_assert(a.json && a.dry_run);
        ck_assert_str_eq(a.acquire.driver, "x");
        ck_assert_uint_eq(a.timeout_ms, 5000);
        ck_assert_uint_eq(strv_length(a.operands), 1);
        ck_assert(b.json && !b.dry_run);
        ck_assert_str_eq(b.acquire.driver, "y");
}
END_TEST

START_TEST(every_verb_may_go_through_the_socket) {
        _cleanup_arguments_ Arguments none = right(LINE("list")),
                                      usual = right(LINE("--socket", "list", "group/3")),
                                      named = right(LINE("leases", "--socket=/run/x"));

        ck_assert(!none.socket);
        ck_assert(usual.socket);
        ck_assert_ptr_null(usual.socket_path);
        ck_assert_str_eq(usual.operands[0], "group/3");
        ck_assert(named.socket);
        ck_assert_str_eq(named.socket_path, "/run/x");
}
END_TEST

START_TEST(the_options_of_acquire_reach_the_daemon_unjudged) {
        _cleanup_arguments_ Arguments a =
                right(LINE("exec", "--bind", "--label", "", "--prepare=nonsense", "--mode=x", "a",
                           "--no-ask-password", "--", "true"));

        ck_assert(a.acquire.bind && a.no_ask_password);
        ck_assert_str_eq(a.acquire.label, "");
        ck_assert_str_eq(a.acquire.prepare, "nonsense");
        ck_assert_str_eq(a.acquire.mode, "x");
        ck_assert_ptr_null(a.acquire.driver);
}
END_TEST

START_TEST(memory_cookies_and_flags_of_acquire_are_read) {
        _cleanup_arguments_ Arguments a =
                right(LINE("exec", "--memlock=4G", "--cookie", "0000:01:00.0=18446744073709551615",
                           "--cookie=b=0", "--hot-reset", "a", "--", "true"));
        _cleanup_arguments_ Arguments b = right(LINE("exec", "a", "--", "true"));

        ck_assert_uint_eq(a.acquire.memlock, UINT64_C(4) << 30);
        ck_assert(a.acquire.hot_reset);
        ck_assert_uint_eq(a.acquire.n_cookies, 2);
        ck_assert_str_eq(a.acquire.cookies[0].name, "0000:01:00.0");
        ck_assert_uint_eq(a.acquire.cookies[0].cookie, UINT64_MAX);
        ck_assert_str_eq(a.acquire.cookies[1].name, "b");
        ck_assert_uint_eq(a.acquire.cookies[1].cookie, 0);
        ck_assert_uint_eq(b.acquire.size, sizeof(b.acquire));
        ck_assert(!b.acquire.hot_reset && b.acquire.memlock == 0 && b.acquire.n_cookies == 0);
}
END_TEST

START_TEST(sizes_have_units_of_1024) {
        static const struct {
                const char *text;
                int r;
                uint64_t expected;
        } rows[] = {
                {"1", 0, 1},
                {"4096", 0, 4096},
                {"64K", 0, 65536},
                {"512M", 0, UINT64_C(512) << 20},
                {"4G", 0, UINT64_C(4) << 30},
                {"16777215T", 0, UINT64_C(16777215) << 40},
                {"18446744073709551615", 0, UINT64_MAX},
                {"16777216T", -ERANGE, 0},
                {"18446744073709551616", -ERANGE, 0},
                {"", -EINVAL, 0},
                {"0", -EINVAL, 0},
                {"0G", -EINVAL, 0},
                {"G", -EINVAL, 0},
                {"4g", -EINVAL, 0},
                {"4GB", -EINVAL, 0},
                {"-1", -EINVAL, 0},
                {"1.5G", -EINVAL, 0},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                uint64_t size = 0;

                ck_assert_msg(size_parse(rows[i].text, &size) == rows[i].r, "%s", rows[i].text);
                ck_assert_uint_eq(size, rows[i].expected);
        }
}
END_TEST

START_TEST(behind_two_dashes_the_command_is_left_alone) {
        _cleanup_arguments_ Arguments a =
                right(LINE("exec", "group/3", "--", "sh", "--json", "--", "-c"));

        ck_assert(!a.json);
        ck_assert_uint_eq(strv_length(a.operands), 1);
        ck_assert_uint_eq(strv_length(a.command), 4);
        ck_assert_str_eq(a.command[0], "sh");
        ck_assert_str_eq(a.command[1], "--json");
        ck_assert_str_eq(a.command[2], "--");
}
END_TEST

START_TEST(two_dashes_end_the_options_of_other_verbs) {
        _cleanup_arguments_ Arguments a = right(LINE("list", "--", "--json", "-"));
        _cleanup_arguments_ Arguments b = right(LINE("list", "-"));

        ck_assert(!a.json);
        ck_assert_uint_eq(strv_length(a.operands), 2);
        ck_assert_str_eq(a.operands[0], "--json");
        ck_assert_str_eq(b.operands[0], "-");
}
END_TEST

START_TEST(help_and_version_need_nothing_else) {
        _cleanup_arguments_ Arguments a = right(LINE("--help"));
        _cleanup_arguments_ Arguments b = right(LINE("bind", "-h"));
        _cleanup_arguments_ Arguments c = right(LINE("--version"));

        ck_assert(a.help && !a.verb);
        ck_assert(b.help && string_equal(b.verb->name, "bind"));
        ck_assert(c.version && !c.verb);
}
END_TEST

START_TEST(a_policy_may_have_a_time_which_comes_by_an_equals_sign) {
        _cleanup_arguments_ Arguments none = right(LINE("unbind", "a"));
        _cleanup_arguments_ Arguments for_ever = right(LINE("unbind", "--wait", "30"));
        _cleanup_arguments_ Arguments timed = right(LINE("unbind", "--wait=500ms", "a"));
        _cleanup_arguments_ Arguments revoke = right(LINE("unbind", "a", "--revoke=2m", "-n"));

        ck_assert_ptr_null(none.policy);
        ck_assert_str_eq(for_ever.policy, "wait");
        ck_assert_uint_eq(for_ever.policy_ms, VFIOD_TIMEOUT_NONE);
        ck_assert_str_eq(for_ever.operands[0], "30");
        ck_assert_uint_eq(timed.policy_ms, 500);
        ck_assert_str_eq(revoke.policy, "revoke");
        ck_assert_uint_eq(revoke.policy_ms, 120000);
        ck_assert(revoke.dry_run);
        ck_assert_uint_eq(revoke.timeout_ms, TIMEOUT_DEFAULT_MS);
}
END_TEST

START_TEST(of_the_same_policy_twice_the_last_counts) {
        _cleanup_arguments_ Arguments a = right(LINE("unbind", "--wait=5", "--wait=7", "a"));
        _cleanup_arguments_ Arguments b = right(LINE("unbind", "--wait=5", "--wait", "a"));

        ck_assert_uint_eq(a.policy_ms, 7000);
        ck_assert_uint_eq(b.policy_ms, VFIOD_TIMEOUT_NONE);
}
END_TEST

START_TEST(what_is_wrong_is_told_in_a_sentence) {
        static const struct {
                const char *argv[6];
                const char *sentence;
        } rows[] = {
                {{"lost"}, "unknown verb 'lost'"},
                {{"lost", "--wrong", "x"}, "unknown verb 'lost'"},
                {{"list", "--wrong"}, "unknown option '--wrong'"},
                {{"list", "-x"}, "unknown option '-x'"},
                {{"list", "-jn"}, "unknown option '-jn'"},
                {{"list", "--jso"}, "unknown option '--jso'"},
                {{"list", "--jsonx"}, "unknown option '--jsonx'"},
                {{"list", "--json=yes"}, "--json takes no value"},
                {{"bind", "a", "--driver"}, "--driver needs a value"},
                {{"list", "--driver", "x"}, "'list' has no option --driver"},
                {{"list", "-n"}, "'list' has no option --dry-run"},
                {{"bind"}, "too few arguments; usage: vfioctl bind TARGET..."},
                {{"leases", "7"}, "'leases' has no place for '7'"},
                {{"exec", "a"}, "'exec' needs '--' and a program to run"},
                {{"exec", "a", "--"}, "'exec' needs '--' and a program to run"},
                {{"bind", "a", "--wait"}, "'bind' has no option --wait"},
                {{"list", "--revoke=5"}, "'list' has no option --revoke"},
                {{"unbind", "--wait", "a", "--revoke=5"}, "--wait and --revoke exclude each other"},
                {{"unbind", "--revoke", "--wait", "a"}, "--wait and --revoke exclude each other"},
                {{"unbind", "a", "--wait="}, "--wait: '' is no time: write 90, 500ms, 10s or 2m"},
                {{"unbind", "a", "--wait=-1"},
                 "--wait: '-1' is no time: write 90, 500ms, 10s or 2m"},
                {{"unbind", "a", "--revoke=soon"},
                 "--revoke: 'soon' is no time: write 90, 500ms, 10s or 2m"},
                {{"unbind", "a", "--revoke=18446744073709551616"},
                 "--revoke: '18446744073709551616' is longer than 1000000 seconds"},
                {{"exec", "a", "--memlock=much"},
                 "--memlock: 'much' is no size: write 4G, 512M or a number of bytes"},
                {{"exec", "a", "--memlock=16777216T"},
                 "--memlock: '16777216T' is more than there can be"},
                {{"exec", "a", "--cookie=a"}, "--cookie: 'a' is no DEV=N: a device and a number"},
                {{"exec", "a", "--cookie==1"}, "--cookie: '=1' is no DEV=N: a device and a number"},
                {{"exec", "a", "--cookie=a=x"},
                 "--cookie: 'a=x' is no DEV=N: a device and a number"},
                {{"bind", "a", "--hot-reset"}, "'bind' has no option --hot-reset"},
                {{"list", "--timeout", "0"},
                 "--timeout: '0' is no number of seconds from 1 to 1000000"},
                {{"list", "--timeout=x"},
                 "--timeout: 'x' is no number of seconds from 1 to 1000000"},
                {{"list", "--timeout=1000001"},
                 "--timeout: '1000001' is no number of seconds from 1 to 1000000"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_arguments_ Arguments a = ARGUMENTS_NULL;
                _cleanup_free_ char *sentence = NULL;

                ck_assert_int_eq(arguments_parse(verbs, (char **)rows[i].argv, &a, &sentence),
                                 -EINVAL);
                assert_row_str(rows[i].argv[0], sentence, rows[i].sentence);
        }
}
END_TEST

START_TEST(json_behind_a_mistake_still_counts) {
        _cleanup_arguments_ Arguments a = ARGUMENTS_NULL;
        _cleanup_free_ char *sentence = NULL;

        ck_assert_int_eq(arguments_parse(verbs, LINE("list", "--wrong", "--json"), &a, &sentence),
                         -EINVAL);
        ck_assert(a.json);
        ck_assert_str_eq(a.verb->name, "list");
}
END_TEST

static char *help_of(const Verb *verb) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(f);
        if (verb)
                help_print_verb(f, verb);
        else
                help_print(f, verbs);
        ck_assert_int_eq(fclose(f), 0);
        return text;
}

START_TEST(help_names_every_verb_and_status_on_80_columns) {
        _cleanup_free_ char *text = help_of(NULL);

        for (const Verb *verb = verbs; verb->name; verb++)
                ck_assert_ptr_nonnull(strstr(text, verb->summary));
        ck_assert_ptr_nonnull(strstr(text, "Exit status:"));
        ck_assert_ptr_nonnull(strstr(text, "--timeout SECONDS"));
        ck_assert_ptr_nonnull(strstr(text, "  6 "));
        ck_assert_ptr_null(strstr(text, "  7 "));
        ck_assert_ptr_nonnull(strstr(text, "  130 "));
        ck_assert_ptr_null(strstr(text, "--driver"));
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
                ck_assert_msg(text_width(line) <= 80, "%s", line);
}
END_TEST

START_TEST(help_of_a_verb_names_its_own_options) {
        _cleanup_free_ char *text = help_of(&verbs[2]);

        ck_assert_ptr_nonnull(strstr(text, "Usage: vfioctl exec TARGET... -- PROGRAM\n"));
        ck_assert_ptr_nonnull(strstr(text, "--prepare open|bind|attach"));
        ck_assert_ptr_nonnull(strstr(text, "More.\n"));
        ck_assert_ptr_nonnull(strstr(text, "--json"));
        ck_assert_ptr_null(strstr(text, "--dry-run"));
}
END_TEST

START_TEST(help_shows_which_values_may_be_left_out) {
        _cleanup_free_ char *text = help_of(&verbs[3]);

        ck_assert_ptr_nonnull(strstr(text, "      --wait[=TIME] "));
        ck_assert_ptr_nonnull(strstr(text, "      --revoke[=TIME] "));
        ck_assert_ptr_nonnull(strstr(text, "      --timeout SECONDS "));
        ck_assert_ptr_nonnull(strstr(text, "  -n, --dry-run "));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfioctl-arguments");

        tcase_add_test(tests, a_verb_takes_its_operands);
        tcase_add_test(tests, options_may_stand_anywhere_and_in_three_spellings);
        tcase_add_test(tests, every_verb_may_go_through_the_socket);
        tcase_add_test(tests, the_options_of_acquire_reach_the_daemon_unjudged);
        tcase_add_test(tests, memory_cookies_and_flags_of_acquire_are_read);
        tcase_add_test(tests, sizes_have_units_of_1024);
        tcase_add_test(tests, behind_two_dashes_the_command_is_left_alone);
        tcase_add_test(tests, two_dashes_end_the_options_of_other_verbs);
        tcase_add_test(tests, help_and_version_need_nothing_else);
        tcase_add_test(tests, a_policy_may_have_a_time_which_comes_by_an_equals_sign);
        tcase_add_test(tests, of_the_same_policy_twice_the_last_counts);
        tcase_add_test(tests, what_is_wrong_is_told_in_a_sentence);
        tcase_add_test(tests, json_behind_a_mistake_still_counts);
        tcase_add_test(tests, help_names_every_verb_and_status_on_80_columns);
        tcase_add_test(tests, help_of_a_verb_names_its_own_options);
        tcase_add_test(tests, help_shows_which_values_may_be_left_out);
        return tests_run(tests);
}
