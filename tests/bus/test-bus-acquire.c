/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Acquire: the files, the lease they come with, and how it ends. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

static Grant acquire(Client *client, const char *target) {
        return grant_of(manager(client, "Acquire", "asa{sv}", 1, target, 0));
}

static size_t count_removed(const Client *client, const char *path) {
        return count_signals(client, "InterfacesRemoved", VFIOD_PATH, path);
}

static void expect_untouched(void) {
        _cleanup_free_ char *calls = fake_machine_calls();

        ck_assert_str_eq(calls, "");
}

START_TEST(acquire_hands_over_labelled_files_and_the_lease) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_free_ char *state = NULL, *of_group = NULL;

        ck_assert_str_eq(grant.path, "/org/vfiod1/lease/1");
        ck_assert_int_ge(grant.lease_fd, 0);
        expect_files(&grant, "container:,group:4,device:0000:03:00.0");
        state = property(client, grant.path, VFIOD_INTERFACE_LEASE, "State");
        ck_assert_str_eq(state, "\"held\"");
        of_group = group_property(client, 4, "Lease");
        ck_assert_str_eq(of_group, "\"/org/vfiod1/lease/1\"");
        settle();
        ck_assert_uint_eq(
                count_signals(client, "InterfacesAdded", VFIOD_PATH, "/org/vfiod1/lease/1\""), 1);
}
END_TEST

START_TEST(the_files_are_those_that_the_daemon_keeps) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_grant_ Grant again =
                grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));

        ck_assert_uint_eq(again.n_files, grant.n_files);
        for (size_t i = 0; i < grant.n_files; i++)
                ck_assert(same_file(grant.files[i].fd, again.files[i].fd));
}
END_TEST

START_TEST(lease_fd_is_the_read_end_of_a_pipe_and_ends_with_the_lease) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_message_ Message *reply = NULL;
        char byte;

        ck_assert_int_eq(fcntl(grant.lease_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        ck_assert_int_eq(read(grant.lease_fd, &byte, 1), -1);
        ck_assert_int_eq(errno, EAGAIN);
        reply = lease(client, grant.path, "Release", NULL);
        expect_done(reply);
        ck_assert_int_eq(read(grant.lease_fd, &byte, 1), 0);
}
END_TEST

START_TEST(closing_the_last_copy_of_lease_fd_ends_the_lease_and_closes_every_file) {
        Client *client = client_new();
        _cleanup_message_ Message *warm_up = manager(client, "ListLeases", NULL), *leases = NULL;
        size_t before = count_open_fds();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        int copy = dup(grant.lease_fd);

        ck_assert_uint_gt(count_open_fds(), before + grant.n_files);
        grant_done(&grant);
        settle();
        ck_assert_uint_eq(count_removed(client, "/org/vfiod1/lease/1"), 0);
        fd_close(copy);
        wait_until(count_removed(client, "/org/vfiod1/lease/1") == 1);
        settle();
        expect_open_fds(before);
        leases = manager(client, "ListLeases", NULL);
        expect_text(leases, "[]");
        ck_assert_uint_eq(fake_journal_count(), 2);
        expect_part(fake_journal_record(1), "MESSAGE=lease 1 of uid 0 is over after ");
        expect_part(fake_journal_record(1), "\n" VFIOD_JOURNAL_LEASE "=1\n");
}
END_TEST

START_TEST(a_lease_drains_while_somebody_keeps_a_file) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_close_ int kept = dup(grant_file(&grant, "device", "0000:03:00.0"));
        _cleanup_message_ Message *refused = NULL, *leases = NULL;

        grant_done(&grant);
        wait_until(count_signals(client, "PropertiesChanged", "/lease/1", "\"draining\"") == 1);
        settle();
        leases = manager(client, "ListLeases", NULL);
        expect_text(leases, "\"State\" <\"draining\">");
        refused = manager(client, "Plan", "sasa{sv}", "acquire", 1, "group/4", 0);
        expect_refusal(refused, "Leased", "group 4 was given back by uid 0");
        kept = fd_close(kept);
        wait_until(count_removed(client, "/org/vfiod1/lease/1") == 1);
        grant = acquire(client, "group/4");
        ck_assert_str_eq(grant.path, "/org/vfiod1/lease/2");
}
END_TEST

START_TEST(a_device_named_alone_gives_its_file_alone) {
        Client *client = client_new();
        _cleanup_message_ Message *bound = manager(client, "Bind", "asa{sv}", 1, "group/2", 0);
        _cleanup_grant_ Grant one = {.lease_fd = -EBADF};

        expect_done(bound);
        one = acquire(client, "0000:01:00.1");
        expect_files(&one, "container:,group:2,device:0000:01:00.1");
}
END_TEST

START_TEST(a_group_named_gives_the_files_of_all_its_members) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = grant_of(manager(client, "Acquire", "asa{sv}", 2, "group/9",
                                                       "group/2", 1, "bind", "b", true));

        expect_files(&grant, "container:,group:2,group:9,device:0000:01:00.0,device:0000:01:00.1,"
                             "device:0000:07:00.0");
}
END_TEST

START_TEST(prepare_open_leaves_the_rest_to_the_receiver) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = grant_of(
                manager(client, "Acquire", "asa{sv}", 1, "group/4", 1, "prepare", "s", "open"));
        _cleanup_free_ char *calls = fake_machine_calls();

        expect_files(&grant, "container:,group:4");
        ck_assert_str_eq(calls, "open a container\nopen group 4");
}
END_TEST

START_TEST(a_label_is_shown_to_everybody) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 2, "label", "s",
                                 "r\xc3\xb6hre 1", "mode", "s", "group"));
        _cleanup_free_ char *label = property(client, grant.path, VFIOD_INTERFACE_LEASE, "Label");
        _cleanup_free_ char *mode = property(client, grant.path, VFIOD_INTERFACE_LEASE, "Mode");

        ck_assert_str_eq(label, "\"r\xc3\xb6hre 1\"");
        ck_assert_str_eq(mode, "\"group\"");
}
END_TEST

START_TEST(a_leased_group_is_refused_to_anybody_else_and_to_its_owner) {
        Client *client = client_new(), *other = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        Client *both[] = {client, other};

        for (size_t i = 0; i < ELEMENTS(both); i++) {
                _cleanup_message_ Message *reply =
                        manager(both[i], "Acquire", "asa{sv}", 2, "group/9", "0000:03:00.0", 0);

                expect_refusal(reply, "Leased", "group 4 is leased to uid 0 (lease 1)");
        }
        ck_assert_uint_eq(grant.n_files, 3);
}
END_TEST

static const struct {
        const char *target, *error, *subject;
} refusals[] = {
        {"group/5", "NotBound", "0000:04:00.0 is bound to no driver"},
        {"group/2", "NotViable", "0000:01:00.0 is bound to e1000e; 0000:01:00.1 is bound to snd"},
        {"group/6", "NotViable", "0000:00:1d.0"},
        {"group/0", "NothingToBind", "group 0"},
        {"0000:00:1c.0", "NothingToBind", "0000:00:1c.0 is a bridge"},
        {"group/99", "NotFound", "99"},
        {"group/7", "NotViable", "10000000.gpu"},
};

START_TEST(acquire_and_its_plan_refuse_alike_and_name_the_subject) {
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(refusals); i++) {
                _cleanup_message_ Message *planned = manager(client, "Plan", "sasa{sv}", "acquire",
                                                             2, "group/4", refusals[i].target, 0);
                _cleanup_message_ Message *done =
                        manager(client, "Acquire", "asa{sv}", 2, "group/4", refusals[i].target, 0);

                expect_refusal(planned, refusals[i].error, refusals[i].subject);
                expect_refusal(done, refusals[i].error, refusals[i].subject);
        }
        expect_untouched();
}
END_TEST

START_TEST(acquire_with_bind_refuses_as_bind_does) {
        static const struct {
                const char *target, *error, *subject;
        } rows[] = {{"group/1", "HostDevice", "group 1"},
                    {"group/6", "NotViable", "group 6"},
                    {"group/0", "NothingToBind", "group 0"},
                    {"group/7", "NoVfioDriver", "10000000.gpu"}};
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_message_ Message *reply = manager(client, "Acquire", "asa{sv}", 1,
                                                           rows[i].target, 1, "bind", "b", true);

                expect_refusal(reply, rows[i].error, rows[i].subject);
        }
        expect_untouched();
}
END_TEST

START_TEST(a_group_open_without_a_lease_is_held_outside) {
        _cleanup_free_ char *path = fake_machine_path("dev/vfio/4");
        _cleanup_close_ int holder = open(path, O_RDWR | O_CLOEXEC);
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL, *leases = NULL;
        size_t before = count_open_fds();

        ck_assert_int_eq(flock(holder, LOCK_EX), 0);
        reply = manager(client, "Acquire", "asa{sv}", 2, "group/4", "group/9", 0);
        expect_refusal(reply, "HeldOutside", "group 4");
        leases = manager(client, "ListLeases", NULL);
        expect_text(leases, "[]");
        settle();
        ck_assert_uint_le(count_open_fds(), before);
}
END_TEST

START_TEST(the_kernel_has_the_last_word_on_viability) {
        _cleanup_message_ Message *reply = NULL;

        fake_machine_fault("viable", "4", EPERM);
        reply = manager(client_new(), "Acquire", "asa{sv}", 1, "group/4", 0);
        expect_refusal(reply, "NotViable", "the kernel says that group 4 is not viable");
}
END_TEST

START_TEST(what_the_kernel_refuses_is_named_and_undone) {
        static const struct {
                const char *what, *subject, *step;
        } rows[] = {
                {"set-container", "9", "put group 9 into the container: Input/output error"},
                {"set-iommu", "any", "set the container's IOMMU to TYPE1v2: Input/output error"},
                {"get-device", "0000:07:00.0",
                 "open device 0000:07:00.0 of group 9: Input/output error"},
        };
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_message_ Message *reply = NULL, *leases = NULL;

                fake_machine_fault(rows[i].what, rows[i].subject, EIO);
                reply = manager(client, "Acquire", "asa{sv}", 2, "group/4", "group/9", 0);
                fake_machine_clear(rows[i].what, rows[i].subject);
                expect_refusal(reply, "Failed", rows[i].step);
                leases = manager(client, "ListLeases", NULL);
                expect_text(leases, "[]");
        }
        {
                _cleanup_grant_ Grant grant = acquire(client, "group/4");

                ck_assert_uint_eq(grant.n_files, 3);
        }
}
END_TEST

START_TEST(a_label_that_is_longer_than_any_limit_is_refused) {
        _cleanup_message_ Message *reply = NULL;
        char label[257] = "";

        (void)memset(label, 'x', sizeof(label) - 1);
        reply = manager(client_new(), "Acquire", "asa{sv}", 1, "group/4", 1, "label", "s", label);
        expect_refusal(reply, "LimitExceeded", "option label: at most 255 bytes");
}
END_TEST

START_TEST(values_of_options_are_judged) {
        static const struct {
                const char *name, *value, *error, *subject;
        } rows[] = {
                {"mode", "cdev", "InvalidOptionValue", "mode: 'cdev'"},
                {"mode", "iommufd", "Unsupported", "iommufd"},
                {"prepare", "all", "InvalidOptionValue", "prepare: 'all'"},
                {"label", "a\nb", "InvalidOptionValue", "label"},
                {"label", "0123456789012345678901234567890123456789012345678901234567890123x",
                 "LimitExceeded", "limits.label_bytes"},
                {"driver", "vfio-pci", "InvalidOptionValue", "driver: only together with"},
                {"driver", "../../x", "InvalidOptionValue", "driver"},
                {"driver", "", "InvalidOptionValue", "driver"},
        };
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_message_ Message *reply =
                        manager(client, "Acquire", "asa{sv}", 1, "group/4", 1, rows[i].name, "s",
                                rows[i].value);

                expect_refusal(reply, rows[i].error, rows[i].subject);
        }
        expect_untouched();
}
END_TEST

START_TEST(a_label_of_64_bytes_is_taken) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = grant_of(
                manager(client, "Acquire", "asa{sv}", 1, "group/4", 1, "label", "s",
                        "0123456789012345678901234567890123456789012345678901234567890123"));

        ck_assert_uint_eq(grant.n_files, 3);
}
END_TEST

START_TEST(more_leases_than_the_limit_are_refused) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_message_ Message *reply = NULL;

        fixture_config()->limit_leases = 1;
        reply = manager(client, "Acquire", "asa{sv}", 1, "group/9", 0);
        expect_refusal(reply, "LimitExceeded", "limits.leases");
        ck_assert_uint_eq(grant.n_files, 3);
}
END_TEST

START_TEST(more_groups_in_a_lease_than_the_limit_are_refused) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        fixture_config()->limit_groups_per_lease = 1;
        reply = manager(client, "Acquire", "asa{sv}", 2, "group/4", "group/9", 0);
        expect_refusal(reply, "LimitExceeded", "limits.groups_per_lease");
}
END_TEST

/* A group of `n` devices on vfio-pci: number 20. */
static void plug_in_many(unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                _cleanup_free_ char *name = string_format("0000:20:%02x.%u", i / 8, i % 8);

                fake_machine_add(&(FakeDevice){
                        .name = name, .group = 20, .driver = "vfio-pci", .vendor = 0x8086});
                if (i == 0)
                        fake_machine_announce("add", name);
        }
}

START_TEST(more_files_than_a_message_carries_are_refused_or_deferred) {
        Client *client = client_new();
        _cleanup_message_ Message *refused = NULL;
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        /* With container, group and lease_fd: one more than the kernel's 253. */
        plug_in_many(251);
        settle();
        refused = manager(client, "Acquire", "asa{sv}", 1, "group/20", 0);
        expect_refusal(refused, "TooManyFds", "254 file descriptors, a message can carry 253");
        grant = grant_of(
                manager(client, "Acquire", "asa{sv}", 1, "group/20", 1, "defer_fds", "b", true));
        ck_assert_uint_eq(grant.n_files, 0);
        ck_assert_int_ge(grant.lease_fd, 0);
        {
                _cleanup_grant_ Grant page =
                        grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
                _cleanup_message_ Message *many = lease(client, grant.path, "GetFds", "uu", 0, 254);

                ck_assert_uint_eq(page.n_files, 253);
                ck_assert_uint_eq(page.total, 253);
                expect_refusal(many, "TooManyFds", "254");
        }
}
END_TEST

START_TEST(as_many_files_as_a_message_carries_are_handed_over) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        plug_in_many(250);
        settle();
        grant = acquire(client, "group/20");
        ck_assert_uint_eq(grant.n_files, 252);
}
END_TEST

START_TEST(who_takes_no_files_is_told_so_before_anything_is_done) {
        Client *client = client_new_without_fds();
        _cleanup_message_ Message *reply = manager(client, "Acquire", "asa{sv}", 1, "group/4", 0);

        expect_error(reply, SD_BUS_ERROR_NOT_SUPPORTED, "");
        expect_untouched();
}
END_TEST

START_TEST(join_adds_to_a_lease_and_gives_its_path) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_grant_ Grant joined = grant_of(
                manager(client, "Acquire", "asa{sv}", 1, "group/9", 1, "join", "o", grant.path));
        _cleanup_free_ char *groups = property(client, grant.path, VFIOD_INTERFACE_LEASE, "Groups");

        ck_assert_str_eq(joined.path, grant.path);
        expect_files(&joined, "group:9,device:0000:07:00.0");
        ck_assert_str_eq(groups, "[4 9]");
        /* Its lease_fd is one more copy: the first may go. */
        grant.lease_fd = fd_close(grant.lease_fd);
        settle();
        ck_assert_uint_eq(count_removed(client, joined.path), 0);
        grant_done(&grant);
        grant_done(&joined);
        wait_until(count_removed(client, "/org/vfiod1/lease/1") == 1);
}
END_TEST

START_TEST(join_refuses_what_is_no_lease_to_join) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "group/4");
        _cleanup_message_ Message *no_lease = manager(client, "Acquire", "asa{sv}", 1, "group/9", 1,
                                                      "join", "o", "/org/vfiod1/lease/7");
        _cleanup_message_ Message *no_path = manager(client, "Acquire", "asa{sv}", 1, "group/9", 1,
                                                     "join", "o", "/org/vfiod1/group/4");
        _cleanup_message_ Message *label = manager(client, "Acquire", "asa{sv}", 1, "group/9", 2,
                                                   "join", "o", grant.path, "label", "s", "x");
        _cleanup_message_ Message *released = NULL, *ended = NULL;
        _cleanup_close_ _unused_ int kept = dup(grant_file(&grant, "device", "0000:03:00.0"));

        expect_refusal(no_lease, "NotFound", "lease 7");
        expect_refusal(no_path, "InvalidOptionValue", "join: '/org/vfiod1/group/4'");
        expect_refusal(label, "InvalidOptionValue", "label");
        released = lease(client, grant.path, "Release", NULL);
        expect_done(released);
        ended = manager(client, "Acquire", "asa{sv}", 1, "group/9", 1, "join", "o", grant.path);
        expect_refusal(ended, "LeaseEnded", "lease 1 is draining");
}
END_TEST

START_TEST(an_acquire_leaves_one_record_with_its_lease) {
        _cleanup_grant_ Grant grant = acquire(client_new(), "group/4");

        ck_assert_uint_eq(fake_journal_count(), 1);
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_OPERATION "=acquire\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_LEASE "=1\n");
        expect_part(fake_journal_record(0),
                    "\n" VFIOD_JOURNAL_PLAN "=open a container; open group 4");
}
END_TEST

/* Two functions of one card below a port, each in its own group. */
static void add_card(const char *reset) {
        fake_machine_add(&(FakeDevice){.name = "0000:08:00.0",
                                       .group = 20,
                                       .driver = "vfio-pci",
                                       .vendor = 0x8086,
                                       .parent = "0000:00:1e.0",
                                       .reset = reset});
        fake_machine_add(&(FakeDevice){.name = "0000:08:00.1",
                                       .group = 21,
                                       .driver = "vfio-pci",
                                       .vendor = 0x8086,
                                       .parent = "0000:00:1e.0",
                                       .reset = "flr bus\n"});
        fake_machine_announce("add", "0000:08:00.0");
        fake_machine_announce("add", "0000:08:00.1");
}

START_TEST(a_device_that_is_reset_with_its_bus_is_acquired_with_its_companions) {
        Client *client = client_new();
        _cleanup_message_ Message *refused = NULL;
        _cleanup_grant_ Grant grant = {.lease_fd = -1};

        add_card("bus\n");
        settle();
        refused = manager(client, "Acquire", "asa{sv}", 1, "0000:08:00.0", 0);
        expect_refusal(refused, "ResetSetIncomplete", "0000:08:00.1 (group 21)");
        expect_untouched();
        grant = grant_of(manager(client, "Acquire", "asa{sv}", 2, "0000:08:00.0", "group/21", 0));
        expect_files(&grant, "container:,group:20,group:21,device:0000:08:00.0,"
                             "device:0000:08:00.1");
}
END_TEST

START_TEST(with_hot_reset_companions_are_wanted_of_every_device_also_when_adding) {
        Client *client = client_new();
        _cleanup_message_ Message *refused = NULL, *not_added = NULL, *added = NULL;
        _cleanup_grant_ Grant grant = {.lease_fd = -1};

        add_card("flr\n");
        settle();
        refused = manager(client, "Acquire", "asa{sv}", 1, "0000:08:00.0", 1, "hot_reset", "b", 1);
        expect_refusal(refused, "ResetSetIncomplete", "leave out hot_reset");
        grant = acquire(client, "0000:08:00.0");
        not_added =
                lease(client, grant.path, "Add", "asa{sv}", 1, "group/4", 1, "hot_reset", "b", 1);
        expect_refusal(not_added, "ResetSetIncomplete", "0000:08:00.1 (group 21)");
        added = lease(client, grant.path, "Add", "asa{sv}", 2, "group/4", "group/21", 1,
                      "hot_reset", "b", 1);
        expect_done(added);
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-acquire");

        tcase_add_test(tests, acquire_hands_over_labelled_files_and_the_lease);
        tcase_add_test(tests, the_files_are_those_that_the_daemon_keeps);
        tcase_add_test(tests, lease_fd_is_the_read_end_of_a_pipe_and_ends_with_the_lease);
        tcase_add_test(tests,
                       closing_the_last_copy_of_lease_fd_ends_the_lease_and_closes_every_file);
        tcase_add_test(tests, a_lease_drains_while_somebody_keeps_a_file);
        tcase_add_test(tests, a_device_named_alone_gives_its_file_alone);
        tcase_add_test(tests, a_group_named_gives_the_files_of_all_its_members);
        tcase_add_test(tests, prepare_open_leaves_the_rest_to_the_receiver);
        tcase_add_test(tests, a_label_is_shown_to_everybody);
        tcase_add_test(tests, a_leased_group_is_refused_to_anybody_else_and_to_its_owner);
        tcase_add_test(tests, acquire_and_its_plan_refuse_alike_and_name_the_subject);
        tcase_add_test(tests, acquire_with_bind_refuses_as_bind_does);
        tcase_add_test(tests, a_group_open_without_a_lease_is_held_outside);
        tcase_add_test(tests, the_kernel_has_the_last_word_on_viability);
        tcase_add_test(tests, what_the_kernel_refuses_is_named_and_undone);
        tcase_add_test(tests, a_label_that_is_longer_than_any_limit_is_refused);
        tcase_add_test(tests, values_of_options_are_judged);
        tcase_add_test(tests, a_label_of_64_bytes_is_taken);
        tcase_add_test(tests, more_leases_than_the_limit_are_refused);
        tcase_add_test(tests, more_groups_in_a_lease_than_the_limit_are_refused);
        tcase_add_test(tests, more_files_than_a_message_carries_are_refused_or_deferred);
        tcase_add_test(tests, as_many_files_as_a_message_carries_are_handed_over);
        tcase_add_test(tests, who_takes_no_files_is_told_so_before_anything_is_done);
        tcase_add_test(tests, join_adds_to_a_lease_and_gives_its_path);
        tcase_add_test(tests, join_refuses_what_is_no_lease_to_join);
        tcase_add_test(tests, an_acquire_leaves_one_record_with_its_lease);
        tcase_add_test(tests, a_device_that_is_reset_with_its_bus_is_acquired_with_its_companions);
        tcase_add_test(tests,
                       with_hot_reset_companions_are_wanted_of_every_device_also_when_adding);
        return bus_tests_run(tests);
}
