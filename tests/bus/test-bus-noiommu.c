/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices that no IOMMU stands behind: what is said of them, who gets them, and how it ends. */

#include <errno.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-holder.h"

#define NIC "0000:0b:00.0"
#define GROUP "group/20"
#define GROUP_PATH "/org/vfiod1/group/20"

/* On vfio-pci, and so in a group of its own. */
static const FakeDevice bound = {NIC,    20,       NULL, "vfio-pci", 0x8086,
                                 0x100e, 0x020000, 0,    NULL,       .no_iommu = true};

/* Plugged in while vfiod runs, on a machine whose administrator wants it. */
static Client *begin_allowed(void) {
        Client *client = client_new();

        fake_machine_add(&bound);
        fake_machine_announce("add", NIC);
        wait_until(count_signals(client, "InterfacesAdded", VFIOD_PATH, GROUP_PATH "\"") == 1);
        fixture_config()->unsafe_noiommu = true;
        return client;
}

static Grant acquire(Client *client, const char *prepare) {
        return grant_of(manager(client, "Acquire", "asa{sv}", 1, NIC, 1, "prepare", "s", prepare));
}

static bool is_gone(const Client *client) {
        return count_signals(client, "InterfacesRemoved", VFIOD_PATH, GROUP_PATH "\"") > 0;
}

START_TEST(a_group_without_an_iommu_is_shown_as_one_and_given_to_nobody_by_default) {
        Client *client = begin_allowed();
        _cleanup_message_ Message *acquired = NULL, *planned = NULL, *inspected = NULL;
        _cleanup_message_ Message *explained = NULL, *overview = NULL;
        _cleanup_free_ char *type = group_property(client, 20, "Type"), *calls = NULL;

        fixture_config()->unsafe_noiommu = false;
        ck_assert_str_eq(type, "\"no-iommu\"");
        overview = manager(client, "Overview", NULL);
        expect_text(overview, "20 \"no-iommu\" true true");
        acquired = manager(client, "Acquire", "asa{sv}", 1, NIC, 0);
        expect_refusal(acquired, "Unsupported", "sets unsafe_noiommu in vfiod.json");
        planned = manager(client, "Plan", "sasa{sv}", "acquire", 1, GROUP, 1, "bind", "b", 1);
        expect_refusal(planned, "Unsupported", NIC " has no IOMMU");
        explained = manager(client, "Explain", "as", 1, NIC);
        expect_text(explained, "\"Bound\" <false>");
        expect_text(explained, "has no IOMMU: whoever has it can read and write all");
        inspected = ask(client, "/org/vfiod1/device/_30000_3a0b_3a00_2e0", VFIOD_INTERFACE_DEVICE,
                        "Inspect", NULL);
        expect_refusal(inspected, "Unsupported", NIC " has no IOMMU");
        calls = fake_machine_calls();
        ck_assert_str_eq(calls, "");
}
END_TEST

START_TEST(who_may_have_it_gets_it_in_group_mode_and_the_journal_warns) {
        Client *client = begin_allowed();
        _cleanup_message_ Message *explained = manager(client, "Explain", "as", 1, NIC);
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};
        _cleanup_free_ char *calls = NULL, *mode = NULL;

        expect_text(explained, "\"Bound\" <true>");
        fake_machine_set_iommufd(true);
        grant = acquire(client, "attach");
        expect_files(&grant, "container:,group:20,device:" NIC);
        calls = fake_machine_calls();
        ck_assert_str_eq(calls, "open a container\n"
                                "open group 20, which has no IOMMU\n"
                                "put group 20 into the container\n"
                                "set the container's IOMMU to NOIOMMU\n"
                                "open device " NIC " of group 20");
        mode = property(client, grant.path, VFIOD_INTERFACE_LEASE, "Mode");
        ck_assert_str_eq(mode, "\"group\"");
        expect_lease(client, grant.path, "NoIommu", "true");
        ck_assert_uint_eq(fake_journal_count(), 1);
        expect_part(fake_journal_record(0), "MESSAGE=acquire " NIC " for uid 0: done, without an "
                                            "IOMMU: the holder can read and write all of the "
                                            "host's memory\n");
        expect_part(fake_journal_record(0), "PRIORITY=4\n");
}
END_TEST

START_TEST(a_lease_of_groups_with_an_iommu_says_so_and_warns_of_nothing) {
        Client *client = begin_allowed();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));

        expect_lease(client, grant.path, "NoIommu", "false");
        expect_part(fake_journal_record(0), "PRIORITY=6\n");
}
END_TEST

START_TEST(groups_with_and_without_an_iommu_are_not_leased_together) {
        Client *client = begin_allowed();
        _cleanup_message_ Message *both =
                manager(client, "Acquire", "asa{sv}", 2, NIC, "group/4", 0);
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};
        _cleanup_message_ Message *more = NULL, *iommufd = NULL;

        expect_refusal(both, "Unsupported", "group 20 has no IOMMU, and group 4 has one");
        grant = acquire(client, "attach");
        more = lease(client, grant.path, "Add", "asa{sv}", 1, "group/4", 0);
        expect_refusal(more, "Unsupported", "group 20 has no IOMMU, and group 4 has one");
        grant_done(&grant);
        wait_until(!fake_machine_group_is_open(20));
        settle();
        iommufd = manager(client, "Acquire", "asa{sv}", 1, NIC, 1, "mode", "s", "iommufd");
        expect_refusal(iommufd, "Unsupported", "use mode 'group'");
}
END_TEST

START_TEST(without_the_capability_the_refusal_names_the_drop_in) {
        static const char *const operations[] = {"Acquire", "Unbind"};
        Client *client = begin_allowed();
        _cleanup_free_ char *calls = NULL;

        fake_machine_fault("open-group", "20", EPERM);
        for (size_t i = 0; i < ELEMENTS(operations); i++) {
                _cleanup_message_ Message *refused =
                        manager(client, operations[i], "asa{sv}", 1, NIC, 0);

                expect_refusal(refused, "Unsupported", "by the drop-in vfiod-noiommu.conf");
        }
        calls = fake_machine_calls();
        ck_assert_str_eq(calls, "open a container");
}
END_TEST

START_TEST(a_lease_without_an_iommu_drains_while_somebody_keeps_the_device) {
        Client *client = begin_allowed();
        _cleanup_grant_ Grant grant = acquire(client, "attach");
        _cleanup_close_ int kept = dup(grant_file(&grant, "device", NIC));
        _cleanup_message_ Message *refused = NULL;

        grant_done(&grant);
        wait_until(count_signals(client, "PropertiesChanged", "/lease/1", "\"draining\"") == 1);
        settle();
        refused = manager(client, "Plan", "sasa{sv}", "acquire", 1, NIC, 0);
        expect_refusal(refused, "Leased", "group 20 was given back by uid 0");
        kept = fd_close(kept);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "/lease/1") == 1);
}
END_TEST

START_TEST(no_file_is_handed_out_once_it_is_not_allowed_any_more) {
        Client *client = begin_allowed();
        _cleanup_grant_ Grant grant = acquire(client, "open");
        _cleanup_grant_ Grant again =
                grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        _cleanup_message_ Message *refused = NULL;

        ck_assert_uint_eq(again.n_files, 2);
        fixture_config()->unsafe_noiommu = false;
        refused = lease(client, grant.path, "GetFds", "uu", 0, 0);
        expect_refusal(refused, "Unsupported", "unsafe_noiommu of vfiod.json is false now");
        expect_lease(client, grant.path, "State", "\"held\"");
}
END_TEST

START_TEST(the_group_goes_when_its_device_is_unbound_and_it_is_told_why_it_is_not_there) {
        Client *client = begin_allowed();
        _cleanup_message_ Message *unbound = NULL, *refused = NULL;
        _cleanup_free_ char *driver = NULL, *override = NULL;

        unbound = manager(client, "Unbind", "asa{sv}", 1, NIC, 0);
        expect_done(unbound);
        wait_until(is_gone(client));
        driver = fake_machine_driver(NIC);
        override = fake_machine_override(NIC);
        ck_assert_str_eq(driver, "");
        ck_assert_str_eq(override, "");
        refused = manager(client, "Bind", "asa{sv}", 1, NIC, 0);
        expect_refusal(refused, "NotFound", NIC " is in no IOMMU group: the IOMMU of this machine");
}
END_TEST

START_TEST(a_revoked_lease_ends_with_its_group) {
        Client *client = begin_allowed();
        _cleanup_grant_ Grant grant = acquire(client, "attach");
        _cleanup_message_ Message *unbound = NULL;
        _cleanup_free_ char *calls = NULL;
        pid_t holder = hand_over(&grant, 0);

        unbound = manager(client, "Unbind", "asa{sv}", 1, NIC, 2, "policy", "s", "revoke",
                          "timeout", "t", (uint64_t)50);
        expect_done(unbound);
        wait_until(!is_alive(holder));
        wait_until(is_gone(client));
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "/lease/1") == 1);
        calls = fake_machine_calls_but_requests();
        expect_part(calls, "quiesce " NIC "\nsend SIGBUS\n");
        ck_assert(!fake_machine_device_is_open(NIC));
}
END_TEST

START_TEST(a_group_that_an_administrator_makes_and_unmakes_comes_and_goes) {
        Client *client = begin_allowed();
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        ck_assert_int_eq(fake_machine_unbind(NIC, "vfio-pci"), 0);
        wait_until(is_gone(client));
        ck_assert_int_eq(fake_machine_bind(NIC, "vfio-pci"), 0);
        wait_until(count_signals(client, "InterfacesAdded", VFIOD_PATH, GROUP_PATH "\"") == 2);
        grant = acquire(client, "attach");
        expect_lease(client, grant.path, "NoIommu", "true");
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-noiommu");

        tcase_add_test(tests,
                       a_group_without_an_iommu_is_shown_as_one_and_given_to_nobody_by_default);
        tcase_add_test(tests, who_may_have_it_gets_it_in_group_mode_and_the_journal_warns);
        tcase_add_test(tests, a_lease_of_groups_with_an_iommu_says_so_and_warns_of_nothing);
        tcase_add_test(tests, groups_with_and_without_an_iommu_are_not_leased_together);
        tcase_add_test(tests, without_the_capability_the_refusal_names_the_drop_in);
        tcase_add_test(tests, a_lease_without_an_iommu_drains_while_somebody_keeps_the_device);
        tcase_add_test(tests, no_file_is_handed_out_once_it_is_not_allowed_any_more);
        tcase_add_test(
                tests,
                the_group_goes_when_its_device_is_unbound_and_it_is_told_why_it_is_not_there);
        tcase_add_test(tests, a_revoked_lease_ends_with_its_group);
        tcase_add_test(tests, a_group_that_an_administrator_makes_and_unmakes_comes_and_goes);
        return bus_tests_run(tests);
}
