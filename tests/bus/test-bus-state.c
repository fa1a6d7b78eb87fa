/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * State files that cannot be used, or written: the daemon starts, says what is wrong and what it
 * has done, and nobody is given a device that somebody may still have.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/persist/state-file.h"
#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-restart.h"

#define NAME "state.json"
#define DEVICE "0000:03:00.0"

static char *read_state(void) {
        char *text = NULL;

        ck_assert_int_eq(state_file_read(restart_directory(), NAME, geteuid(), &text), 0);
        return text;
}

static void write_state(const char *text) {
        ck_assert_int_eq(state_file_write(restart_directory(), NAME, text), 0);
}

static void make_empty(void) {
        write_state("");
}

static void make_newer(void) {
        write_state("{\"version\":2,\"leases\":{}}\n");
}

static void give_away(void) {
        ck_assert_int_eq(fchownat(restart_directory(), NAME, 1, 1, 0), 0);
}

static void let_others_write(void) {
        ck_assert_int_eq(fchmodat(restart_directory(), NAME, 0666, 0), 0);
}

static void make_link(void) {
        ck_assert_int_eq(unlinkat(restart_directory(), NAME, 0), 0);
        ck_assert_int_eq(symlinkat("/dev/null", restart_directory(), NAME), 0);
}

static void make_large(void) {
        _cleanup_close_ int fd = openat(restart_directory(), NAME, O_WRONLY | O_CLOEXEC);

        ck_assert_int_eq(ftruncate(fd, (off_t)STATE_FILE_MAX + 1), 0);
}

static void add_nul(void) {
        _cleanup_close_ int fd = openat(restart_directory(), NAME, O_WRONLY | O_APPEND | O_CLOEXEC);

        ck_assert_int_eq(write(fd, "", 1), 1);
}

static const struct {
        void (*spoil)(void);
        const char *words;
} unusable[] = {
        {make_empty, "it is empty; "},
        {make_newer, "version: 2, written by a newer vfiod than this one, which reads 1; "},
        {give_away, "it is no plain file of vfiod's own that nobody else may write to; "},
        {let_others_write, "it is no plain file of vfiod's own that nobody else may write to; "},
        {make_link, "it is no plain file of vfiod's own that nobody else may write to; "},
        {make_large, "it is too large to be one; "},
        {add_nul, "it has a NUL byte in it; "},
};

START_TEST(a_state_that_cannot_be_used_is_put_aside_and_its_leases_endanger_nobody) {
        Grant grant = acquire(client_new(), "group/4");
        _cleanup_message_ Message *refused = NULL;
        _cleanup_free_ char *words = NULL;

        go_down();
        unusable[_i].spoil();
        fake_journal_forget();
        come_up();
        words = string_format("the state that was left for this start cannot be used: %sit was put "
                              "aside as state.json.bad, and leases and original drivers are "
                              "forgotten\n",
                              unusable[_i].words);
        ck_assert_msg(fake_journal_said(words) == 1, "%s, not %s", fake_journal_record(0), words);
        ck_assert_uint_eq(
                fake_journal_said("4 files of leases that nothing is known of were closed"), 1);
        ck_assert_int_eq(faccessat(restart_directory(), NAME ".bad", F_OK, AT_SYMLINK_NOFOLLOW), 0);
        expect_store("");
        refused = manager(client_new(), "Acquire", "asa{sv}", 1, "group/4", 0);
        expect_refusal(refused, "HeldOutside", "group 4");
        grant_done(&grant);
        /* The worker that closes ours may take longer. */
        wait_until(!fake_machine_group_is_open(4));
        { _cleanup_grant_ Grant next = acquire(client_new(), "group/4"); }
        wait_until_over();
}
END_TEST

/* Only sealing shows that somebody has a copy of a cdev that is bound to no iommufd. */
START_TEST(a_copy_of_a_cdev_of_a_lost_lease_keeps_its_device_from_others) {
        Grant grant;
        _cleanup_message_ Message *refused = NULL;

        fake_machine_set_iommufd(true);
        grant = grant_of(manager(client_new(), "Acquire", "asa{sv}", 1, "group/4", 2, "mode", "s",
                                 "iommufd", "prepare", "s", "open"));
        ck_assert(!fake_machine_cdev_is(DEVICE, FAKE_CDEV_BOUND));
        go_down();
        make_empty();
        come_up();
        wait_until(fake_machine_cdev_is(DEVICE, FAKE_CDEV_BOUND));
        refused = manager(client_new(), "Acquire", "asa{sv}", 1, "group/4", 0);
        expect_refusal(refused, "HeldOutside", "group 4");
        grant_done(&grant);
        settle();
        fake_machine_set_iommufd(false);
}
END_TEST

START_TEST(a_state_that_was_cut_off_at_any_byte_is_put_aside_and_vfiod_starts) {
        _cleanup_free_ char *text = NULL;
        _cleanup_message_ Message *bound =
                manager(client_new(), "Bind", "asa{sv}", 1, "group/2", 0);

        expect_done(bound);
        settle();
        text = read_state();
        go_down_now();
        /* Without its last newline it is whole. */
        for (size_t n = strlen(text) - 2; n > 0; n--) {
                text[n] = '\0';
                write_state(text);
                fake_journal_forget();
                come_up();
                ck_assert_msg(fake_journal_said("cannot be used: byte ") == 1, "cut off at %zu", n);
                fixture_stop();
        }
        come_up();
}
END_TEST

START_TEST(a_state_that_cannot_be_put_aside_is_said_so_and_replaced_all_the_same) {
        _cleanup_free_ char *text = NULL;

        go_down();
        make_empty();
        ck_assert_int_eq(mkdirat(restart_directory(), NAME ".bad", 0700), 0);
        fake_journal_forget();
        come_up();
        ck_assert_uint_eq(
                fake_journal_said("it could not be put aside: Is a directory, and leases"), 1);
        ck_assert_int_eq(unlinkat(restart_directory(), NAME ".bad", AT_REMOVEDIR), 0);
        text = read_state();
        expect_part(text, "\"version\"");
}
END_TEST

START_TEST(a_state_that_could_not_be_written_is_written_as_soon_as_it_can_be) {
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};
        Client *client;

        ck_assert_int_eq(mkdirat(restart_directory(), NAME ".new", 0700), 0);
        fake_journal_forget();
        grant = acquire(client_new(), "group/4");
        ck_assert_uint_eq(fake_journal_said("the state could not be written: Is a directory; "), 1);
        ck_assert_int_eq(unlinkat(restart_directory(), NAME ".new", AT_REMOVEDIR), 0);
        wait_until(fake_journal_said("the state can be written again") > 0);
        go_down_now();
        come_up();
        client = client_new();
        expect_lease(client, grant.path, "State", "\"held\"");
        ck_assert_uint_eq(fake_journal_said("the state could not be written"), 1);
}
END_TEST

START_TEST(what_could_not_be_written_is_tried_a_last_time_at_the_end) {
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        ck_assert_int_eq(mkdirat(restart_directory(), NAME ".new", 0700), 0);
        grant = acquire(client_new(), "group/4");
        ck_assert_int_eq(unlinkat(restart_directory(), NAME ".new", AT_REMOVEDIR), 0);
        restart();
        expect_lease(client_new(), grant.path, "State", "\"held\"");
}
END_TEST

/* The disk was full meanwhile, and what is written down is long over. */
START_TEST(a_state_of_long_ago_does_no_harm) {
        _cleanup_message_ Message *bound =
                manager(client_new(), "Bind", "asa{sv}", 1, "group/2", 0);
        _cleanup_message_ Message *unbound = NULL;
        _cleanup_free_ char *text = NULL, *driver = NULL, *override = NULL;

        expect_done(bound);
        {
                _cleanup_grant_ Grant grant = acquire(client_new(), "group/2");

                settle();
                text = read_state();
        }
        wait_until_over();
        unbound = manager(client_new(), "Unbind", "asa{sv}", 1, "group/2", 0);
        expect_done(unbound);
        go_down();
        write_state(text);
        come_up();
        wait_until_over();
        driver = fake_machine_driver("0000:01:00.0");
        ck_assert_str_eq(driver, "e1000e");
        override = fake_machine_override("0000:01:00.0");
        ck_assert_str_eq(override, "");
        { _cleanup_grant_ Grant next = acquire(client_new(), "group/4"); }
        wait_until_over();
}
END_TEST

/* As a vfiod leaves it that is killed between the last step of Bind and writing that down. */
START_TEST(where_bind_has_put_a_device_is_known_also_if_that_was_not_written_down) {
        _cleanup_message_ Message *bound =
                manager(client_new(), "Bind", "asa{sv}", 1, "group/2", 0);
        _cleanup_message_ Message *unbound = NULL;
        _cleanup_free_ char *text = NULL, *changed = NULL, *override = NULL;
        static const char where[] = "\"bound\":\"vfio-pci\"";
        const char *at;

        expect_done(bound);
        settle();
        text = read_state();
        at = strstr(text, where);
        ck_assert_ptr_nonnull(at);
        changed = string_format("%.*s\"bound\":null%s", (int)(at - text), text, at + strlen(where));
        go_down();
        write_state(changed);
        come_up();
        ck_assert_int_eq(fake_machine_unbind("0000:01:00.0", "vfio-pci"), 0);
        unbound = manager(client_new(), "Unbind", "asa{sv}", 1, "group/2", 0);
        expect_done(unbound);
        override = fake_machine_override("0000:01:00.0");
        ck_assert_str_eq(override, "");
}
END_TEST

/* Not every json-c reads what another one has written of such. */
START_TEST(an_override_that_is_no_text_is_written_down_as_text_and_given_back) {
        _cleanup_message_ Message *bound = NULL, *unbound = NULL;
        _cleanup_free_ char *text = NULL, *override = NULL;

        fake_machine_set_override("0000:04:00.0", "none\xff");
        bound = manager(client_new(), "Bind", "asa{sv}", 1, "group/5", 0);
        expect_done(bound);
        settle();
        text = read_state();
        expect_part(text, "\"override\":\"none?\"");
        fake_journal_forget();
        go_down();
        come_up();
        ck_assert_uint_eq(fake_journal_count(), 0);
        unbound = manager(client_new(), "Unbind", "asa{sv}", 1, "group/5", 0);
        expect_done(unbound);
        override = fake_machine_override("0000:04:00.0");
        ck_assert_str_eq(override, "none?");
}
END_TEST

int main(void) {
        TCase *tests = tcase_create("bus-state");

        tcase_add_checked_fixture(tests, restart_setup, restart_teardown);
        tcase_set_timeout(tests, 180);
        tcase_add_loop_test(tests,
                            a_state_that_cannot_be_used_is_put_aside_and_its_leases_endanger_nobody,
                            0, ELEMENTS(unusable));
        tcase_add_test(tests, a_copy_of_a_cdev_of_a_lost_lease_keeps_its_device_from_others);
        tcase_add_test(tests, a_state_that_was_cut_off_at_any_byte_is_put_aside_and_vfiod_starts);
        tcase_add_test(tests,
                       a_state_that_cannot_be_put_aside_is_said_so_and_replaced_all_the_same);
        tcase_add_test(tests, a_state_that_could_not_be_written_is_written_as_soon_as_it_can_be);
        tcase_add_test(tests, what_could_not_be_written_is_tried_a_last_time_at_the_end);
        tcase_add_test(tests, a_state_of_long_ago_does_no_harm);
        tcase_add_test(tests,
                       where_bind_has_put_a_device_is_known_also_if_that_was_not_written_down);
        tcase_add_test(tests, an_override_that_is_no_text_is_written_down_as_text_and_given_back);
        return bus_tests_run(tests);
}
