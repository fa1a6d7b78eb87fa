/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The Lease object: GetFds, Add, Remove, Release, and its properties. */

#include <errno.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/bus/fixture-bus.h"

#define NOBODY 65534U

static Grant acquire(Client *client, const char *target) {
        return grant_of(manager(client, "Acquire", "asa{sv}", 1, target, 0));
}

START_TEST(a_lease_says_whose_it_is_and_of_what) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 2, "group/9", "group/8", 0));
        _cleanup_free_ char *since = NULL;

        expect_lease(client, grant.path, "Id", "1");
        expect_lease(client, grant.path, "Owner", "0");
        expect_lease(client, grant.path, "Label", "\"\"");
        expect_lease(client, grant.path, "Mode", "\"group\"");
        expect_lease(client, grant.path, "Groups", "[8 9]");
        expect_lease(client, grant.path, "Devices", "[\"0000:06:00.0\" \"0000:07:00.0\"]");
        expect_lease(client, grant.path, "State", "\"held\"");
        expect_lease(client, grant.path, "Deadline", "0");
        since = property(client, grant.path, VFIOD_INTERFACE_LEASE, "Since");
        ck_assert_uint_gt(strtoull(since, NULL, 10) / 1000000, 1700000000);
}
END_TEST

START_TEST(get_fds_pages_through_all_files_in_one_order) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 2, "group/4", "group/9", 0));

        ck_assert_uint_eq(grant.n_files, 5);
        for (uint32_t first = 0; first < 5; first += 2) {
                _cleanup_grant_ Grant page =
                        grant_of_files(lease(client, grant.path, "GetFds", "uu", first, 2));

                ck_assert_uint_eq(page.total, 5);
                ck_assert_uint_eq(page.n_files, first == 4 ? 1 : 2);
                for (size_t i = 0; i < page.n_files; i++) {
                        ck_assert_str_eq(page.files[i].name, grant.files[first + i].name);
                        ck_assert(same_file(page.files[i].fd, grant.files[first + i].fd));
                }
        }
}
END_TEST

START_TEST(get_fds_beyond_the_last_file_gives_none) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        static const uint32_t beyond[] = {3, 4, 4294967295U};

        for (size_t i = 0; i < ELEMENTS(beyond); i++) {
                _cleanup_grant_ Grant page =
                        grant_of_files(lease(client, grant.path, "GetFds", "uu", beyond[i], 2));

                ck_assert_uint_eq(page.n_files, 0);
                ck_assert_uint_eq(page.total, 3);
        }
}
END_TEST

START_TEST(get_fds_of_more_than_a_message_carries_is_refused) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_message_ Message *reply = lease(client, grant.path, "GetFds", "uu", 0, 254);

        expect_refusal(reply, "TooManyFds", "253");
}
END_TEST

START_TEST(get_fds_add_and_remove_are_for_the_owner_alone) {
        Client *owner = client_new(), *other = client_new_as(NOBODY);
        _cleanup_grant_ Grant grant = acquire(owner, "group/4");
        _cleanup_message_ Message *fds = lease(other, grant.path, "GetFds", "uu", 0, 0);
        _cleanup_message_ Message *removed = lease(other, grant.path, "Remove", "as", 1, "group/4");

        expect_refusal(fds, "NotOwner", "lease 1 belongs to uid 0");
        expect_refusal(removed, "NotOwner", "lease 1 belongs to uid 0");
        expect_lease(owner, grant.path, "Groups", "[4]");
}
END_TEST

START_TEST(add_gives_the_new_files_only) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_grant_ Grant added =
                grant_of_files(lease(client, grant.path, "Add", "asa{sv}", 1, "group/9", 0));
        _cleanup_free_ char *calls = fake_machine_calls();

        expect_files(&added, "group:9,device:0000:07:00.0");
        expect_lease(client, grant.path, "Groups", "[4 9]");
        expect_lease(client, grant.path, "Devices", "[\"0000:03:00.0\" \"0000:07:00.0\"]");
        expect_part(calls, "put group 9 into the container");
        settle();
        ck_assert_uint_ge(
                count_signals(client, "PropertiesChanged", grant.path, "\"Groups\" <[4 9]>"), 1);
        ck_assert_uint_ge(count_signals(client, "PropertiesChanged", "/group/9",
                                        "\"Lease\" <\"/org/vfiod1/lease/1\">"),
                          1);
}
END_TEST

START_TEST(add_binds_and_defers_when_told_to) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_grant_ Grant added =
                grant_of_files(lease(client, grant.path, "Add", "asa{sv}", 1, "group/2", 3, "bind",
                                     "b", true, "driver", "s", "vfio-pci", "defer_fds", "b", true));
        _cleanup_grant_ Grant all = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));

        ck_assert_uint_eq(added.n_files, 0);
        expect_files(&all, "container:,group:4,device:0000:03:00.0,group:2,"
                           "device:0000:01:00.0,device:0000:01:00.1");
}
END_TEST

START_TEST(add_to_a_lease_that_was_only_opened_opens_only) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = grant_of(
                manager(client, "Acquire", "asa{sv}", 1, "group/4", 1, "prepare", "s", "open"));
        _cleanup_grant_ Grant added =
                grant_of_files(lease(client, grant.path, "Add", "asa{sv}", 1, "group/9", 0));

        expect_files(&added, "group:9");
}
END_TEST

START_TEST(add_that_fails_leaves_the_lease_as_it_was) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        size_t before = count_open_fds();
        _cleanup_message_ Message *failed = NULL, *own = NULL, *not_bound = NULL;

        fake_machine_fault("get-device", "0000:07:00.0", EIO);
        failed = lease(client, grant.path, "Add", "asa{sv}", 1, "group/9", 0);
        expect_refusal(failed, "Failed", "0000:07:00.0");
        expect_lease(client, grant.path, "Groups", "[4]");
        expect_lease(client, grant.path, "Devices", "[\"0000:03:00.0\"]");
        own = lease(client, grant.path, "Add", "asa{sv}", 1, "group/4", 0);
        expect_refusal(own, "Leased", "group 4");
        not_bound = lease(client, grant.path, "Add", "asa{sv}", 1, "group/5", 0);
        expect_refusal(not_bound, "NotBound", "0000:04:00.0");
        settle();
        expect_open_fds(before);
        {
                _cleanup_free_ char *of_group = group_property(client, 9, "Lease");

                ck_assert_str_eq(of_group, "\"/\"");
        }
}
END_TEST

START_TEST(remove_takes_a_group_out_of_lease_and_container) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 2, "group/4", "group/9", 0));
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *calls = NULL;
        _cleanup_grant_ Grant again = {.lease_fd = -EBADF};

        for (size_t i = 0; i < grant.n_files; i++)
                if (strcmp(grant.files[i].kind, "container") != 0)
                        grant.files[i].fd = fd_close(grant.files[i].fd);
        reply = lease(client, grant.path, "Remove", "as", 1, "0000:07:00.0");
        expect_done(reply);
        expect_lease(client, grant.path, "Groups", "[4]");
        expect_lease(client, grant.path, "Devices", "[\"0000:03:00.0\"]");
        calls = fake_machine_calls();
        expect_part(calls, "take group 9 out of the container");
        settle();
        ck_assert_uint_ge(
                count_signals(client, "PropertiesChanged", grant.path, "\"Groups\" <[4]>"), 1);
        ck_assert_uint_ge(
                count_signals(client, "PropertiesChanged", "/group/9", "\"Lease\" <\"/\">"), 1);
        /* Our file of it is closed behind the reply. */
        wait_until(!fake_machine_group_is_open(9));
        again = acquire(client, "group/9");
        ck_assert_str_eq(again.path, "/org/vfiod1/lease/2");
}
END_TEST

START_TEST(remove_of_a_group_whose_device_is_open_is_refused_and_changes_nothing) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 2, "group/4", "group/9", 0));
        _cleanup_message_ Message *reply = lease(client, grant.path, "Remove", "as", 1, "group/9");
        _cleanup_grant_ Grant all = {.lease_fd = -EBADF};

        expect_refusal(reply, "InUse", "group 9");
        expect_lease(client, grant.path, "Groups", "[4 9]");
        all = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        ck_assert_uint_eq(all.n_files, 5);
        ck_assert(fake_machine_device_is_open("0000:07:00.0"));
}
END_TEST

START_TEST(remove_of_what_is_not_in_the_lease_or_its_last_group_is_refused) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_message_ Message *other = lease(client, grant.path, "Remove", "as", 1, "group/9");
        _cleanup_message_ Message *last = lease(client, grant.path, "Remove", "as", 1, "group/4");

        expect_refusal(other, "NotInLease", "lease 1 does not have group 9");
        expect_refusal(last, "NotInLease", "no group left");
}
END_TEST

START_TEST(release_closes_the_daemons_files_and_frees_the_group) {
        Client *client = client_new();
        _cleanup_message_ Message *warm_up = manager(client, "ListLeases", NULL);
        size_t before = count_open_fds();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_free_ char *path = strdup(grant.path);
        _cleanup_message_ Message *reply = NULL, *again = NULL;

        for (size_t i = 0; i < grant.n_files; i++)
                grant.files[i].fd = fd_close(grant.files[i].fd);
        reply = lease(client, path, "Release", NULL);
        expect_done(reply);
        ck_assert(!fake_machine_device_is_open("0000:03:00.0"));
        settle();
        grant_done(&grant);
        expect_open_fds(before);
        ck_assert_uint_eq(count_signals(client, "InterfacesRemoved", VFIOD_PATH, path), 1);
        again = lease(client, path, "Release", NULL);
        expect_error(again, SD_BUS_ERROR_UNKNOWN_OBJECT, path);
}
END_TEST

START_TEST(a_draining_lease_gives_no_files_and_takes_no_groups) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 2, "group/4", "group/9", 0));
        _cleanup_message_ Message *released = lease(client, grant.path, "Release", NULL);
        _cleanup_message_ Message *added = NULL, *removed = NULL, *fds = NULL, *again = NULL;

        expect_done(released);
        expect_lease(client, grant.path, "State", "\"draining\"");
        added = lease(client, grant.path, "Add", "asa{sv}", 1, "group/8", 0);
        expect_refusal(added, "LeaseEnded", "lease 1");
        removed = lease(client, grant.path, "Remove", "as", 1, "group/9");
        expect_refusal(removed, "LeaseEnded", "lease 1");
        fds = lease(client, grant.path, "GetFds", "uu", 0, 0);
        expect_refusal(fds, "LeaseEnded", "lease 1");
        /* What was asked for has happened already. */
        again = lease(client, grant.path, "Release", NULL);
        expect_done(again);
}
END_TEST

START_TEST(an_id_is_never_used_twice) {
        Client *client = client_new();

        for (unsigned i = 1; i <= 3; i++) {
                _cleanup_grant_ Grant grant = acquire(client, "group/4");
                _cleanup_free_ char *path = string_format("/org/vfiod1/lease/%u", i);

                ck_assert_str_eq(grant.path, path);
                grant_done(&grant);
                wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, path) == 1);
        }
}
END_TEST

START_TEST(what_is_closed_just_after_release_was_asked_for_is_free_when_it_is_answered) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_message_ Message *reply = NULL, *again = NULL;

        begin_at_object(client, &reply, grant.path, VFIOD_INTERFACE_LEASE, "Release", NULL);
        turn_for(100 * 1000);
        ck_assert_ptr_null(reply);
        grant_done(&grant);
        wait_until(reply);
        expect_done(reply);
        again = manager(client, "Acquire", "asa{sv}", 1, "group/4", 1, "defer_fds", "b", true);
        expect_done(again);
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-lease");

        tcase_add_test(tests,
                       what_is_closed_just_after_release_was_asked_for_is_free_when_it_is_answered);
        tcase_add_test(tests, a_lease_says_whose_it_is_and_of_what);
        tcase_add_test(tests, get_fds_pages_through_all_files_in_one_order);
        tcase_add_test(tests, get_fds_beyond_the_last_file_gives_none);
        tcase_add_test(tests, get_fds_of_more_than_a_message_carries_is_refused);
        tcase_add_test(tests, get_fds_add_and_remove_are_for_the_owner_alone);
        tcase_add_test(tests, add_gives_the_new_files_only);
        tcase_add_test(tests, add_binds_and_defers_when_told_to);
        tcase_add_test(tests, add_to_a_lease_that_was_only_opened_opens_only);
        tcase_add_test(tests, add_that_fails_leaves_the_lease_as_it_was);
        tcase_add_test(tests, remove_takes_a_group_out_of_lease_and_container);
        tcase_add_test(tests,
                       remove_of_a_group_whose_device_is_open_is_refused_and_changes_nothing);
        tcase_add_test(tests, remove_of_what_is_not_in_the_lease_or_its_last_group_is_refused);
        tcase_add_test(tests, release_closes_the_daemons_files_and_frees_the_group);
        tcase_add_test(tests, a_draining_lease_gives_no_files_and_takes_no_groups);
        tcase_add_test(tests, an_id_is_never_used_twice);
        return bus_tests_run(tests);
}
