/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* client/holder-text.h and client/live-line.h: who holds, for given rows. */

#include "client/holder-text.h"

#include <stdlib.h>
#include <string.h>

#include "client/live-line.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

#define N "0000:01:00.0"
#define SECOND UINT64_C(1000000)
#define LEASE "/org/vfiod1/lease/7"
#define FILES(...)                                                                                 \
        .files = (HeldFile[]) {                                                                    \
                __VA_ARGS__                                                                        \
        }

static const Style plain = {.width = 80};

/* As ListHolders lists them: files in the order of its kinds, fds ascending. */
static HeldFile qemu_files[] = {
        {"container", "", 5}, {"group", "3", 6},  {"device", N, 7},  {"device", N, 9},
        {"mapping", N, -1},   {"mapping", N, -1}, {"lease", "7", 4},
};

static Holder qemu(void) {
        return (Holder){
                .pid = 812,
                .uid = 1001,
                .user = (char *)"alice",
                .command = "qemu-system-x86",
                .unit = "vm1.service",
                .lease = LEASE,
                .files = qemu_files,
                .n_files = ELEMENTS(qemu_files),
        };
}

static Holder with_file(uint32_t pid, HeldFile *file) {
        return (Holder){.pid = pid,
                        .uid = 1002,
                        .command = "dpdk",
                        .unit = "",
                        .lease = "/",
                        .files = file,
                        .n_files = 1};
}

static char *print_list(const HolderList *list) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(holders_print(f, &plain, list), 0);
        ck_assert_int_eq(fclose(f), 0);
        return text;
}

static char *print(Holder *holders, size_t n) {
        return print_list(&(HolderList){.holders = holders, .n_holders = n});
}

/* Text and rest with a '|' between them. */
static char *live(Holder *holders, size_t n, bool revoke, uint64_t deadline) {
        HolderList list = {.holders = holders, .n_holders = n};
        _cleanup_free_ char *text = NULL, *rest = NULL;

        ck_assert_int_eq(holders_live_text(&list, revoke, deadline, 100 * SECOND, &text, &rest), 0);
        return string_format("%s|%s", text, rest);
}

START_TEST(a_file_is_named_once_with_all_its_numbers) {
        static const char *const expected[] = {"container (fd 5)", "group 3 (fd 6)",
                                               ("device " N " (fd 7, 9)"), ("mapping " N),
                                               "lease 7 (fd 4)"};
        _cleanup_strv_ char **texts = NULL;
        Holder holder = qemu();

        ck_assert_int_eq(holder_files_text(&holder, &texts), 0);
        ck_assert_uint_eq(strv_length(texts), ELEMENTS(expected));
        for (size_t i = 0; i < ELEMENTS(expected); i++)
                ck_assert_str_eq(texts[i], expected[i]);
}
END_TEST

START_TEST(the_table_has_a_line_for_each_file) {
        HeldFile cdev = {"cdev", N, 11};
        Holder holders[] = {qemu(), with_file(90001, &cdev)};
        _cleanup_free_ char *text = NULL;

        holders[0].files += 2;
        holders[0].n_files = 3;
        text = print(holders, ELEMENTS(holders));
        ck_assert_str_eq(
                text, "PID    USER   COMMAND          UNIT        LEASE    FILES\n"
                      "812    alice  qemu-system-x86  vm1.ser...  lease/7  device " N " (fd 7...\n"
                      "                                                    mapping " N "\n"
                      "90001  1002   dpdk             -           -        cdev " N " (fd 11)\n");
}
END_TEST

START_TEST(the_table_says_how_many_are_not_in_it) {
        HeldFile device = {"device", N, 7};
        Holder holder = with_file(812, &device);
        HolderList list = {.holders = &holder, .n_holders = 1, .n_more_holders = 2};
        _cleanup_free_ char *table = NULL, *alone = NULL, *line = NULL, *rest = NULL;

        holder.n_more_files = 12;
        table = print_list(&list);
        ck_assert_str_eq(table, "PID  USER  COMMAND  UNIT  LEASE  FILES\n"
                                "812  1002  dpdk     -     -      device " N " (fd 7)\n"
                                "                                 and 12 more\n"
                                "and 2 processes that are not listed\n");
        ck_assert_int_eq(holders_live_text(&list, false, 0, SECOND, &line, &rest), 0);
        ck_assert_str_eq(line, "waiting for pid 812 (dpdk, uid 1002) and 2 others to give back " N);
        list = (HolderList){.n_more_holders = 1};
        alone = print_list(&list);
        ck_assert_str_eq(alone, "1 process that is not listed\n");
}
END_TEST

START_TEST(a_long_unit_gives_way_to_the_files) {
        HeldFile device = {"device", N, 7};
        Holder holder = qemu();
        _cleanup_free_ char *text = NULL;

        holder.command = "qemu";
        holder.unit = "machine-qemu\\x2d1\\x2dvm1.scope";
        holder.files = &device;
        holder.n_files = 1;
        text = print(&holder, 1);
        ck_assert_str_eq(text, "PID  USER   COMMAND  UNIT                    LEASE    FILES\n"
                               "812  alice  qemu     machine-qemu\\x2d1\\x...  lease/7  "
                               "device " N " (fd 7)\n");
}
END_TEST

START_TEST(what_a_process_says_of_itself_has_no_control_characters) {
        HeldFile device = {"device", N, 7};
        Holder holder = with_file(1, &device);
        _cleanup_free_ char *table = NULL, *line = NULL;

        holder.command = "\033[31mx";
        holder.unit = "a\nb";
        table = print(&holder, 1);
        line = live(&holder, 1, false, 0);
        ck_assert_ptr_nonnull(strstr(table, "?[31mx"));
        ck_assert_ptr_nonnull(strstr(table, "a?b"));
        ck_assert_ptr_nonnull(strstr(line, "(?[31mx, "));
}
END_TEST

START_TEST(the_live_line_says_who_what_and_how_long) {
        _cleanup_free_ char *timed = NULL, *for_ever = NULL, *late = NULL, *taking = NULL;
        Holder holder = qemu();

        timed = live(&holder, 1, false, 112 * SECOND);
        for_ever = live(&holder, 1, false, 0);
        late = live(&holder, 1, false, 100 * SECOND);
        taking = live(&holder, 1, true, 100 * SECOND);
        ck_assert_str_eq(timed, "waiting for pid 812 (qemu-system-x86, alice) to give back " N
                                "|; 12 s left");
        ck_assert_str_eq(for_ever,
                         "waiting for pid 812 (qemu-system-x86, alice) to give back " N "|");
        ck_assert_str_eq(late, for_ever);
        ck_assert_str_eq(taking, "taking " N " back from pid 812 (qemu-system-x86, alice)|");
}
END_TEST

START_TEST(revoking_waits_first_and_says_so) {
        _cleanup_free_ char *before = NULL, *unknown = NULL;
        Holder holder = qemu();

        before = live(&holder, 1, true, 101 * SECOND);
        unknown = live(&holder, 1, true, 0);
        ck_assert_str_eq(before, "waiting for pid 812 (qemu-system-x86, alice) to give back " N
                                 "|; 1 s left");
        ck_assert_str_eq(unknown,
                         "waiting for pid 812 (qemu-system-x86, alice) to give back " N "|");
}
END_TEST

START_TEST(the_holder_of_a_device_is_named_before_the_others) {
        HeldFile container = {"container", "", 3}, lease = {"lease", "7", 4},
                 group = {"group", "3", 5};
        HeldFile device = {"device", N, 6};
        Holder holders[] = {with_file(1, &container), with_file(2, &lease), with_file(3, &group),
                            with_file(4, &device)};
        static const char *const expected[] = {
                "waiting for pid 1 (dpdk, uid 1002) to give back the container|",
                "waiting for pid 2 (dpdk, uid 1002) and 1 other to give back lease 7|",
                "waiting for pid 3 (dpdk, uid 1002) and 2 others to give back group 3|",
                "waiting for pid 4 (dpdk, uid 1002) and 3 others to give back " N "|",
        };

        for (size_t i = 0; i < ELEMENTS(holders); i++) {
                _cleanup_free_ char *text = live(holders, i + 1, false, 0);

                ck_assert_str_eq(text, expected[i]);
        }
}
END_TEST

START_TEST(several_devices_are_two_names_or_a_number) {
        HeldFile files[] = {
                {"device", "a", 3}, {"mapping", "a", -1}, {"cdev", "b", 4}, {"device", "c", 5}};
        Holder holder = with_file(1, files);
        _cleanup_free_ char *one = NULL, *two = NULL, *more = NULL;

        holder.n_files = 2;
        one = live(&holder, 1, false, 0);
        holder.n_files = 3;
        two = live(&holder, 1, false, 0);
        holder.n_files = 4;
        more = live(&holder, 1, false, 0);
        ck_assert_ptr_nonnull(strstr(one, " give back a|"));
        ck_assert_ptr_nonnull(strstr(two, " give back a and b|"));
        ck_assert_ptr_nonnull(strstr(more, " give back a and 2 more|"));
}
END_TEST

START_TEST(a_device_that_the_kernel_does_not_name_has_no_name) {
        HeldFile device = {"device", "", 7};
        Holder holder = with_file(1, &device);
        _cleanup_free_ char *line = live(&holder, 1, false, 0);
        _cleanup_strv_ char **texts = NULL;

        ck_assert_ptr_nonnull(strstr(line, " give back a device|"));
        ck_assert_int_eq(holder_files_text(&holder, &texts), 0);
        ck_assert_str_eq(texts[0], "device (fd 7)");
}
END_TEST

START_TEST(with_nobody_left_the_line_says_that) {
        _cleanup_free_ char *text = live(NULL, 0, true, 101 * SECOND);

        ck_assert_str_eq(text, "no holder is to be seen any more|; 1 s left");
}
END_TEST

/* --- the line */

static char *shown(LiveLine line, const char *const (*steps)[2], size_t n) {
        char *text = NULL;
        size_t size;

        line.f = open_memstream(&text, &size);
        ck_assert_ptr_nonnull(line.f);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(live_line_show(&line, steps[i][0], steps[i][1]), 0);
        live_line_done(&line);
        ck_assert_int_eq(fclose(line.f), 0);
        return text;
}

static const char *const steps[][2] = {
        {"waiting for a", "; 3 s left"},
        {"waiting for a", "; 2 s left"},
        {"waiting for b", "; 1 s left"},
        {"waiting for b", NULL},
};

START_TEST(off_a_terminal_a_line_is_written_when_its_text_changes) {
        _cleanup_free_ char *text = shown((LiveLine){.style = {.width = 10}}, steps, 4);

        ck_assert_str_eq(text, "waiting for a; 3 s left\nwaiting for b; 1 s left\n");
}
END_TEST

START_TEST(on_a_terminal_one_line_is_rewritten_and_erased) {
        _cleanup_free_ char *text =
                shown((LiveLine){.style = {.width = 80}, .rewritten = true}, steps, 4);

        ck_assert_str_eq(text, "\r\033[Kwaiting for a; 3 s left"
                               "\r\033[Kwaiting for a; 2 s left"
                               "\r\033[Kwaiting for b; 1 s left"
                               "\r\033[Kwaiting for b"
                               "\r\033[K");
}
END_TEST

START_TEST(on_a_narrow_terminal_the_line_stays_one_line) {
        _cleanup_free_ char *text =
                shown((LiveLine){.style = {.width = 16}, .rewritten = true}, steps, 1);

        ck_assert_str_eq(text, "\r\033[Kwaiting for ...\r\033[K");
}
END_TEST

START_TEST(a_line_that_was_never_shown_is_not_erased) {
        _cleanup_free_ char *text = shown((LiveLine){.rewritten = true}, NULL, 0);

        ck_assert_str_eq(text, "");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfioctl-holders");

        tcase_add_test(tests, a_file_is_named_once_with_all_its_numbers);
        tcase_add_test(tests, the_table_has_a_line_for_each_file);
        tcase_add_test(tests, the_table_says_how_many_are_not_in_it);
        tcase_add_test(tests, a_long_unit_gives_way_to_the_files);
        tcase_add_test(tests, what_a_process_says_of_itself_has_no_control_characters);
        tcase_add_test(tests, the_live_line_says_who_what_and_how_long);
        tcase_add_test(tests, revoking_waits_first_and_says_so);
        tcase_add_test(tests, the_holder_of_a_device_is_named_before_the_others);
        tcase_add_test(tests, several_devices_are_two_names_or_a_number);
        tcase_add_test(tests, a_device_that_the_kernel_does_not_name_has_no_name);
        tcase_add_test(tests, with_nobody_left_the_line_says_that);
        tcase_add_test(tests, off_a_terminal_a_line_is_written_when_its_text_changes);
        tcase_add_test(tests, on_a_terminal_one_line_is_rewritten_and_erased);
        tcase_add_test(tests, on_a_narrow_terminal_the_line_stays_one_line);
        tcase_add_test(tests, a_line_that_was_never_shown_is_not_erased);
        return tests_run(tests);
}
