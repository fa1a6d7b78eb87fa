/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A vfiod that takes over from another one: what it finds in the store and in the state file. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/persist/state-file.h"
#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-restart.h"

START_TEST(a_lease_goes_on_as_it_was) {
        _cleanup_grant_ Grant grant = acquire(client_new(), "group/4");
        Client *client;

        expect_store(LEASE_FILES);
        restart();
        client = client_new();
        expect_lease(client, grant.path, "State", "\"held\"");
        expect_lease(client, grant.path, "Owner", "0");
        expect_lease(client, grant.path, "Groups", "[4]");
        expect_lease(client, grant.path, "Devices", "[\"0000:03:00.0\"]");
        expect_store(LEASE_FILES);
        {
                _cleanup_grant_ Grant again =
                        grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));

                ck_assert_uint_eq(again.n_files, grant.n_files);
                for (size_t i = 0; i < again.n_files; i++) {
                        ck_assert_str_eq(again.files[i].name, grant.files[i].name);
                        ck_assert(same_file(again.files[i].fd, grant.files[i].fd));
                }
        }
}
END_TEST

START_TEST(a_lease_that_was_recovered_can_be_released) {
        _cleanup_grant_ Grant grant = acquire(client_new(), "group/4");
        _cleanup_message_ Message *reply = NULL;

        restart();
        grant_done(&grant);
        grant = (Grant){.lease_fd = -EBADF};
        wait_until_over();
        reply = manager(client_new(), "Acquire", "asa{sv}", 1, "group/4", 0);
        expect_text(reply, "/org/vfiod1/lease/2");
}
END_TEST

START_TEST(a_lease_whose_holder_left_meanwhile_ends_at_the_start) {
        Grant grant = acquire(client_new(), "group/4");

        go_down();
        grant_done(&grant);
        come_up();
        wait_until_over();
        ck_assert(!fake_machine_group_is_open(4));
}
END_TEST

START_TEST(who_asks_for_a_lease_that_ends_meanwhile_waits_for_its_end) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_message_ Message *reply = NULL;

        grant.lease_fd = fd_close(grant.lease_fd);
        wait_until(count_signals(client, "PropertiesChanged", grant.path, "draining") > 0);
        restart();
        begin(client_new(), &reply, "Unbind", "asa{sv}", 1, "group/4", 0);
        turn_for(100 * 1000);
        ck_assert_ptr_null(reply);
        grant_done(&grant);
        wait_until(reply);
        expect_done(reply);
}
END_TEST

START_TEST(a_lease_that_lacks_a_file_is_over_and_drains_until_its_holder_lets_go) {
        static const char *const files[] = {"lease-1.container", "lease-1.group.4", "lease-1.lease",
                                            "lease-1.device.4.0000=03=00.0"};
        Grant grant = acquire(client_new(), "group/4");

        go_down();
        manager_lose(files[_i]);
        come_up();
        expect_lease(client_new(), grant.path, "State", "\"draining\"");
        ck_assert_uint_eq(fake_journal_said("lease 1 of uid 0 cannot go on"), 1);
        grant_done(&grant);
        wait_until_over();
}
END_TEST

START_TEST(a_file_that_is_not_what_its_name_says_is_dropped_and_the_lease_is_over) {
        Grant grant = acquire(client_new(), "group/4");

        go_down();
        manager_lose("lease-1.group.4");
        manager_have("lease-1.group.4", restart_directory());
        come_up();
        expect_lease(client_new(), grant.path, "State", "\"draining\"");
        grant_done(&grant);
        wait_until_over();
}
END_TEST

START_TEST(a_file_of_no_lease_is_taken_out_of_the_store) {
        _cleanup_grant_ Grant grant = acquire(client_new(), "group/4");
        _cleanup_close_ int stranger = -EBADF;

        go_down();
        manager_have("lease-9.group.4", grant_file(&grant, "group", "4"));
        manager_have("socket", grant_file(&grant, "group", "4"));
        stranger = come_up_with("socket");
        expect_store(LEASE_FILES " socket");
        ck_assert(same_file(stranger, grant_file(&grant, "group", "4")));
}
END_TEST

START_TEST(a_file_that_could_not_be_put_into_the_store_is_put_there_with_the_next_change) {
        _cleanup_free_ char *manager_socket = strdup(getenv("NOTIFY_SOCKET"));
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};
        _cleanup_message_ Message *bound = NULL;

        ck_assert_int_eq(setenv("NOTIFY_SOCKET", "/nowhere", 1), 0);
        grant = acquire(client_new(), "group/4");
        settle();
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", manager_socket, 1), 0);
        expect_store("");
        bound = manager(client_new(), "Bind", "asa{sv}", 1, "group/2", 0);
        expect_done(bound);
        expect_store(LEASE_FILES);
}
END_TEST

START_TEST(what_systemd_cannot_keep_is_not_opened) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_message_ Message *refused = NULL, *plan = NULL;

        ck_assert_int_eq(setenv("FDSTORE", "8", 1), 0);
        refused = manager(client, "Acquire", "asa{sv}", 1, "group/9", 0);
        expect_refusal(refused, "LimitExceeded", "FileDescriptorStoreMax=");
        plan = manager(client, "Plan", "sasa{sv}", "acquire", 1, "group/9", 0);
        expect_refusal(plan, "LimitExceeded", "FileDescriptorStoreMax=");
        grant_done(&grant);
        wait_until_over();
        grant = acquire(client, "group/9");
        ck_assert_int_eq(unsetenv("FDSTORE"), 0);
}
END_TEST

START_TEST(originals_are_put_back_by_the_next_vfiod) {
        _cleanup_message_ Message *bound =
                manager(client_new(), "Bind", "asa{sv}", 1, "group/2", 0);
        _cleanup_message_ Message *unbound = NULL;
        _cleanup_free_ char *driver = fake_machine_driver("0000:01:00.0");

        expect_done(bound);
        expect_part(driver, "vfio");
        restart();
        unbound = manager(client_new(), "Unbind", "asa{sv}", 1, "group/2", 0);
        expect_done(unbound);
        expect_driver("0000:01:00.0", "e1000e");
}
END_TEST

START_TEST(what_somebody_has_moved_meanwhile_is_said_and_stays_there) {
        _cleanup_message_ Message *bound =
                manager(client_new(), "Bind", "asa{sv}", 1, "group/2", 0);
        _cleanup_message_ Message *unbound = NULL;

        expect_done(bound);
        go_down();
        fake_machine_set_override("0000:01:00.0", "nvme");
        ck_assert_int_eq(fake_machine_unbind("0000:01:00.0", "vfio-pci"), 0);
        ck_assert_int_eq(fake_machine_bind("0000:01:00.0", "nvme"), 0);
        fake_journal_forget();
        come_up();
        settle();
        ck_assert_uint_eq(fake_journal_count(), 1);
        expect_part(fake_journal_record(0), "MESSAGE=0000:01:00.0 was moved from vfio-pci to nvme "
                                            "by somebody else than vfiod");
        unbound = manager(client_new(), "Unbind", "asa{sv}", 1, "group/2", 0);
        expect_done(unbound);
        expect_driver("0000:01:00.0", "nvme");
        expect_driver("0000:01:00.1", "snd_hda_intel");
}
END_TEST

START_TEST(nothing_is_closed_before_it_is_out_of_the_store) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_message_ Message *reply = NULL;

        manager_hold_barriers(true);
        begin_at_object(client, &reply, grant.path, VFIOD_INTERFACE_LEASE, "Release", "");
        expect_store("");
        ck_assert_ptr_null(reply);
        manager_hold_barriers(false);
        wait_until(reply);
        expect_done(reply);
}
END_TEST

START_TEST(a_state_that_cannot_be_read_is_put_aside_and_said_and_nothing_is_kept_open) {
        Grant grant = acquire(client_new(), "group/4");

        go_down();
        ck_assert_int_eq(state_file_write(restart_directory(), "state.json", "{\"version\":1"), 0);
        fake_journal_forget();
        come_up();
        ck_assert_uint_ge(fake_journal_count(), 1);
        expect_part(fake_journal_record(0),
                    "the state that was left for this start cannot be used");
        ck_assert_int_eq(faccessat(restart_directory(), "state.json.bad", F_OK, 0), 0);
        expect_store("");
        grant_done(&grant);
        { _cleanup_grant_ Grant next = acquire(client_new(), "group/4"); }
        wait_until_over();
}
END_TEST

START_TEST(a_state_that_cannot_be_written_is_said_once_and_again_when_it_can) {
        Client *client = client_new();

        ck_assert_int_eq(mkdirat(restart_directory(), "state.json.new", 0700), 0);
        fake_journal_forget();
        { _cleanup_grant_ Grant grant = acquire(client, "group/4"); }
        wait_until_over();
        ck_assert_int_eq(unlinkat(restart_directory(), "state.json.new", AT_REMOVEDIR), 0);
        { _cleanup_grant_ Grant grant = acquire(client, "group/4"); }
        wait_until_over();
        for (size_t i = 0, said = 0; i < fake_journal_count(); i++) {
                const char *record = fake_journal_record(i);

                said += strstr(record, "the state could not be written") != NULL;
                ck_assert_uint_le(said, 1);
                if (i == fake_journal_count() - 1)
                        ck_assert_uint_eq(said, 1);
        }
}
END_TEST

int main(void) {
        TCase *tests = tcase_create("restart");

        tcase_add_checked_fixture(tests, restart_setup, restart_teardown);
        tcase_set_timeout(tests, 180);
        tcase_add_test(tests, a_lease_goes_on_as_it_was);
        tcase_add_test(tests, a_lease_that_was_recovered_can_be_released);
        tcase_add_test(tests, who_asks_for_a_lease_that_ends_meanwhile_waits_for_its_end);
        tcase_add_test(tests, a_lease_whose_holder_left_meanwhile_ends_at_the_start);
        tcase_add_loop_test(
                tests, a_lease_that_lacks_a_file_is_over_and_drains_until_its_holder_lets_go, 0, 4);
        tcase_add_test(tests,
                       a_file_that_is_not_what_its_name_says_is_dropped_and_the_lease_is_over);
        tcase_add_test(tests, a_file_of_no_lease_is_taken_out_of_the_store);
        tcase_add_test(
                tests,
                a_file_that_could_not_be_put_into_the_store_is_put_there_with_the_next_change);
        tcase_add_test(tests, what_systemd_cannot_keep_is_not_opened);
        tcase_add_test(tests, originals_are_put_back_by_the_next_vfiod);
        tcase_add_test(tests, what_somebody_has_moved_meanwhile_is_said_and_stays_there);
        tcase_add_test(tests, nothing_is_closed_before_it_is_out_of_the_store);
        tcase_add_test(tests,
                       a_state_that_cannot_be_read_is_put_aside_and_said_and_nothing_is_kept_open);
        tcase_add_test(tests, a_state_that_cannot_be_written_is_said_once_and_again_when_it_can);
        return bus_tests_run(tests);
}
