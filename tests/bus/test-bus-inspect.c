/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device.Inspect: what it tells, through which file, and whom it does not disturb. */

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "daemon/bus/bus-inspect.h"
#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

#define NIC "0000:03:00.0"
#define NOBODY 65534
#define READ "read what the driver tells of " NIC
/* Long enough for a worker to start on a busy machine, short enough to wait for. */
#define DEADLINE_MS 1500

static Message *inspect(Client *client, const char *device) {
        _cleanup_free_ char *path = device_object(device);

        return ask(client, path, VFIOD_INTERFACE_DEVICE, "Inspect", NULL);
}

static void expect_inspect_refused(Client *client, const char *device, const char *name,
                                   const char *sentence) {
        _cleanup_message_ Message *reply = inspect(client, device);

        expect_refusal(reply, name, sentence);
}

static void expect_calls(const char *calls) {
        _cleanup_free_ char *done = fake_machine_calls();

        ck_assert_str_eq(done, calls);
}

static void expect_state(Client *client, const char *state) {
        _cleanup_free_ char *now = device_property(client, NIC, "State");

        ck_assert_str_eq(now, state);
}

/* What the calls have in common is left in the file: only what comes after is of interest. */
static void forget_calls(void) {
        _cleanup_free_ char *path = fake_machine_path("calls");

        ck_assert_int_eq(truncate(path, 0), 0);
}

static Grant acquire(Client *client, const char *prepare) {
        Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, NIC, 1, "prepare", "s", prepare));

        forget_calls();
        return grant;
}

/* An Inspect whose worker is in the kernel, which does not come back. */
static void begin_blocked(Client *client, Message **reply) {
        _cleanup_free_ char *path = device_object(NIC);

        fake_machine_fault("inspect", NIC, 0);
        begin_at_object(client, reply, path, VFIOD_INTERFACE_DEVICE, "Inspect", NULL);
        wait_until(fake_machine_is_waiting_for(NULL));
        expect_state(client, "\"busy\"");
}

static void unblock(void) {
        fake_machine_clear("inspect", NIC);
}

START_TEST(inspect_tells_what_a_device_has_in_words_and_numbers) {
        _cleanup_message_ Message *reply = inspect(client_new(), NIC);

        expect_text(reply, "\"Mode\" <\"group\">");
        expect_text(reply, "\"Flags\" <[\"reset\" \"pci\"]>");
        expect_text(reply, "\"Regions\" <[(0 \"bar0\" 7 131072 0 false []) "
                           "(1 \"bar1\" 7 131072 1099511627776 false []) "
                           "(2 \"bar2\" 3 32 2199023255552 false []) "
                           "(3 \"bar3\" 7 16384 3298534883328 true [(0 4096) (8192 8192)]) "
                           "(4 \"bar4\" 0 0 4398046511104 false []) "
                           "(5 \"bar5\" 0 0 5497558138880 false []) "
                           "(6 \"rom\" 0 0 6597069766656 false []) "
                           "(7 \"config\" 3 4096 7696581394432 false [])]>");
        expect_text(reply, "\"Irqs\" <[(0 \"intx\" 7 1) (1 \"msi\" 9 1) (2 \"msix\" 9 5) "
                           "(4 \"req\" 9 1)]>");
        expect_text(reply, "\"Resets\" <[\"flr\" \"bus\"]>");
}
END_TEST

START_TEST(in_group_mode_nothing_is_told_of_the_iommu) {
        _cleanup_message_ Message *reply = inspect(client_new(), NIC);
        _cleanup_free_ char *text = NULL;

        expect_done(reply);
        text = render(reply);
        ck_assert_ptr_null(strstr(text, "Hw"));
}
END_TEST

START_TEST(off_pci_regions_and_irqs_have_no_names_and_there_are_no_resets) {
        static const FakeDevice device = {
                "20000000.dma", 20, "platform", "vfio-platform", 0, 0, 0, 0, NULL};
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        fake_machine_add(&device);
        fake_machine_announce("add", device.name);
        wait_until(count_signals(client, "InterfacesAdded", NULL, "20000000_2edma") > 0 ||
                   count_signals(client, "InterfacesAdded", NULL, "_320000000_2edma") > 0);
        reply = inspect(client, device.name);
        expect_text(reply, "\"Flags\" <[\"platform\"]>");
        expect_text(reply, "\"Regions\" <[(0 \"\" 3 2048 0 false [])]>");
        expect_text(reply, "\"Irqs\" <[(0 \"\" 1 1)]>");
        expect_text(reply, "\"Resets\" <[]>");
}
END_TEST

START_TEST(a_device_that_nobody_has_is_opened_and_closed_again) {
        Client *client = client_new();
        _cleanup_message_ Message *warm_up = inspect(client, NIC), *reply = NULL;
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};
        size_t before;

        expect_done(warm_up);
        forget_calls();
        settle();
        before = count_open_fds();
        reply = inspect(client, NIC);
        expect_done(reply);
        expect_calls("open a container\nopen group 4\nput group 4 into the container\n"
                     "set the container's IOMMU to TYPE1v2\nopen device " NIC " of group 4\n" READ);
        settle();
        expect_open_fds(before);
        ck_assert(!fake_machine_device_is_open(NIC));
        expect_state(client, "\"idle\"");
        grant = acquire(client, "attach");
        ck_assert_uint_eq(grant.n_files, 3);
}
END_TEST

START_TEST(a_leased_device_is_read_through_the_leases_file_and_nothing_is_opened) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "attach"), again = {.lease_fd = -EBADF};
        _cleanup_message_ Message *reply = inspect(client_new(), NIC);

        expect_text(reply, "\"Flags\" <[\"reset\" \"pci\"]>");
        expect_calls(READ);
        settle();
        expect_state(client, "\"leased\"");
        again = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        ck_assert_uint_eq(again.n_files, grant.n_files);
        for (size_t i = 0; i < grant.n_files; i++)
                ck_assert(same_file(grant.files[i].fd, again.files[i].fd));
        ck_assert_uint_eq(count_signals(client, "InterfacesRemoved", VFIOD_PATH, grant.path), 0);
}
END_TEST

START_TEST(a_device_that_its_receiver_opens_by_itself_is_opened_through_the_leases_group) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "open");
        _cleanup_message_ Message *reply = inspect(client, NIC);

        expect_text(reply, "\"Mode\" <\"group\">");
        expect_calls("open device " NIC " of group 4\n" READ);
        settle();
        ck_assert(!fake_machine_device_is_open(NIC));
        expect_state(client, "\"leased\"");
}
END_TEST

START_TEST(a_leased_device_that_its_receiver_has_not_set_up_is_in_use) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "open");

        fake_machine_fault("get-device", NIC, EINVAL);
        expect_inspect_refused(client, NIC, "InUse",
                               NIC " is leased to uid 0 (lease 1), who has not set it up yet");
        expect_state(client, "\"leased\"");
        expect_calls("");
}
END_TEST

START_TEST(a_device_that_was_given_back_and_is_still_open_is_in_use) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "attach");
        _cleanup_close_ int kept = dup(grant_file(&grant, "device", NIC));

        grant_done(&grant);
        wait_until(count_signals(client, "PropertiesChanged", "/lease/1", "\"draining\"") == 1);
        settle();
        for (;;) {
                _cleanup_message_ Message *reply = inspect(client, NIC);

                /* The lease is looked after meanwhile. */
                if (!sd_bus_message_is_method_error(reply, VFIOD_ERROR_PREFIX "Busy")) {
                        expect_refusal(reply, "InUse", "given back by uid 0 (lease 1)");
                        break;
                }
        }
        kept = fd_close(kept);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "/lease/1") == 1);
}
END_TEST

START_TEST(what_is_on_no_vfio_driver_is_refused_and_left_alone) {
        Client *client = client_new();

        expect_inspect_refused(client, "0000:01:00.0", "NotBound", "is bound to e1000e");
        expect_inspect_refused(client, "0000:04:00.0", "NotBound", "is bound to no driver");
        expect_inspect_refused(client, "10000000.gpu", "NotBound", "is bound to panfrost");
        expect_calls("");
}
END_TEST

START_TEST(a_group_that_is_not_viable_is_not_opened) {
        static const FakeDevice neighbour = {"0000:03:00.1", 4,        NULL, "e1000e", 0x8086,
                                             0x10d3,         0x020000, 0,    NULL};
        Client *client = client_new();

        fake_machine_add(&neighbour);
        expect_inspect_refused(client, NIC, "NotViable", "0000:03:00.1 is bound to e1000e");
        expect_calls("");
        fake_machine_remove("0000:03:00.1");
        fake_machine_fault("viable", "4", EPERM);
        expect_inspect_refused(client, NIC, "NotViable", "the kernel says that group 4");
}
END_TEST

START_TEST(a_group_open_without_a_lease_is_held_outside) {
        _cleanup_free_ char *path = fake_machine_path("dev/vfio/4");
        _cleanup_close_ int holder = open(path, O_RDWR | O_CLOEXEC);

        ck_assert_int_eq(flock(holder, LOCK_EX), 0);
        expect_inspect_refused(client_new(), NIC, "HeldOutside", "group 4 is open in a process");
}
END_TEST

/* Each row: a call of the kernel that says no, and what is said of it. */
START_TEST(what_the_kernel_refuses_is_named_and_undone) {
        static const struct {
                const char *what;
                const char *subject;
                const char *sentence;
        } rows[] = {
                {"set-container", "4", "put group 4 into the container: Input/output error"},
                {"set-iommu", "any", "set the container's IOMMU to TYPE1v2: Input/output error"},
                {"get-device", NIC, "open device " NIC " of group 4: Input/output error"},
                {"inspect", NIC, READ ": Input/output error"},
        };
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                fake_machine_fault(rows[i].what, rows[i].subject, EIO);
                expect_inspect_refused(client, NIC, "Failed", rows[i].sentence);
                fake_machine_clear(rows[i].what, rows[i].subject);
                settle();
                ck_assert(!fake_machine_device_is_open(NIC));
                expect_state(client, "\"idle\"");
        }
}
END_TEST

START_TEST(there_is_nothing_to_inspect_at_a_path_of_no_device) {
        _cleanup_message_ Message *reply = inspect(client_new(), "0000:77:00.0");

        expect_error(reply, SD_BUS_ERROR_UNKNOWN_OBJECT, "");
}
END_TEST

START_TEST(while_it_is_inspected_a_device_is_busy_and_others_are_not) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL, *unbound = NULL, *other = NULL;

        begin_blocked(client, &reply);
        expect_inspect_refused(client, NIC, "Busy", "inspect for uid 0 is under way");
        unbound = manager(client, "Unbind", "asa{sv}", 1, NIC, 0);
        expect_refusal(unbound, "Busy", "inspect for uid 0 is under way");
        other = inspect(client, "0000:07:00.0");
        expect_done(other);
        ck_assert_ptr_null(reply);
        unblock();
        wait_until(reply);
        expect_done(reply);
        expect_state(client, "\"idle\"");
}
END_TEST

START_TEST(a_holder_gets_its_files_and_releases_while_its_device_is_inspected) {
        Client *client = client_new(), *other = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "attach"), again = {.lease_fd = -EBADF};
        _cleanup_message_ Message *reply = NULL, *released = NULL;

        begin_blocked(other, &reply);
        again = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        ck_assert_uint_eq(again.n_files, 3);
        grant_done(&again);
        released = lease(client, grant.path, "Release", NULL);
        expect_done(released);
        grant_done(&grant);
        settle();
        ck_assert_ptr_null(reply);
        unblock();
        wait_until(reply);
        expect_done(reply);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "/lease/1") == 1);
        ck_assert(!fake_machine_device_is_open(NIC));
}
END_TEST

START_TEST(a_revocation_waits_for_the_inspection_and_then_takes_the_device) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, "attach");
        _cleanup_message_ Message *reply = NULL, *unbound = NULL;

        begin_blocked(client, &reply);
        begin(client, &unbound, "Unbind", "asa{sv}", 1, NIC, 2, "policy", "s", "revoke", "timeout",
              "t", (uint64_t)0);
        grant_done(&grant);
        settle();
        ck_assert_ptr_null(unbound);
        unblock();
        wait_until(reply);
        expect_done(reply);
        wait_until(unbound);
        expect_done(unbound);
}
END_TEST

START_TEST(past_the_deadline_the_caller_is_told_and_the_device_is_stuck_until_then) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        fixture_config()->step_deadline_ms = DEADLINE_MS;
        begin_blocked(client, &reply);
        wait_until(reply);
        expect_refusal(reply, "TimedOut", READ ": has not returned in 1500 ms");
        expect_state(client, "\"stuck\"");
        expect_inspect_refused(client, NIC, "Stuck", "has not returned");
        unblock();
        wait_until(count_signals(client, "PropertiesChanged", "_2e0", "<\"idle\">") > 0);
        settle();
        ck_assert(!fake_machine_device_is_open(NIC));
}
END_TEST

START_TEST(a_device_that_is_unplugged_meanwhile_is_gone) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        begin_blocked(client, &reply);
        fake_machine_remove(NIC);
        fake_machine_fault("inspect", NIC, ENODEV);
        wait_until(reply);
        expect_refusal(reply, "DeviceGone", NIC " was unplugged meanwhile");
}
END_TEST

START_TEST(a_caller_that_leaves_meanwhile_leaves_nothing_open) {
        Client *client = client_new(), *other = client_new();
        static Message *reply;

        begin_blocked(client, &reply);
        client_close(client);
        settle();
        unblock();
        wait_until(count_signals(other, "PropertiesChanged", "_2e0", "<\"idle\">") > 0);
        ck_assert(!fake_machine_device_is_open(NIC));
        ck_assert_ptr_null(reply);
}
END_TEST

START_TEST(more_operations_at_once_than_the_limit_are_refused) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        fixture_config()->limit_operations = 1;
        begin_blocked(client, &reply);
        expect_inspect_refused(client, "0000:07:00.0", "LimitExceeded", "limits.operations");
        unblock();
        wait_until(reply);
        expect_done(reply);
}
END_TEST

START_TEST(a_user_without_the_action_is_refused_and_the_device_left_alone) {
        _cleanup_message_ Message *reply = inspect(client_new_as(NOBODY), NIC);

        expect_error(reply, SD_BUS_ERROR_ACCESS_DENIED, VFIOD_ACTION_INSPECT);
        expect_calls("");
}
END_TEST

START_TEST(an_inspection_leaves_one_record_with_what_was_done) {
        _cleanup_message_ Message *reply = inspect(client_new(), NIC);

        expect_done(reply);
        ck_assert_uint_eq(fake_journal_count(), 1);
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_OPERATION "=inspect\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_TARGETS "=" NIC "\n");
        expect_part(fake_journal_record(0), "; " READ "; close the files of " NIC "\n");
}
END_TEST

static char *info_of(const Finding *list, size_t n) {
        Findings findings = FINDINGS_NULL;
        _cleanup_message_ Message *m = NULL;
        char *text;

        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(findings_add(&findings, &list[i]), 0);
        ck_assert_int_ge(sd_bus_message_new_signal(client_new()->bus, &m, "/", "a.b", "C"), 0);
        ck_assert_int_ge(inspect_append_info(m, &findings), 0);
        ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
        text = render(m);
        findings_done(&findings);
        return text;
}

START_TEST(what_was_found_through_a_cdev_tells_of_the_iommu_too) {
        static const Finding findings[] = {
                {.kind = FINDING_DEVICE_FLAGS, .values = {2}},
                {.kind = FINDING_CDEV},
                {.kind = FINDING_HW_INFO, .values = {1, 7, 20}},
                {.kind = FINDING_HW_DATA, .values = {2}, .bytes = {1, 2, 9}},
                {.kind = FINDING_HW_DATA, .values = {1}, .bytes = {3}},
        };
        _cleanup_free_ char *text = info_of(findings, ELEMENTS(findings));

        expect_part(text, "\"Mode\" <\"iommufd\">");
        expect_part(text, "\"HwType\" <\"intel-vtd\">");
        expect_part(text, "\"HwCapabilities\" <[\"dirty-tracking\" \"pci-pasid-exec\" "
                          "\"pci-pasid-priv\"]>");
        expect_part(text, "\"HwPasidBits\" <20>");
        expect_part(text, "\"HwData\" <[1 2 3]>");
}
END_TEST

START_TEST(what_has_no_word_yet_is_given_as_a_number) {
        static const Finding findings[] = {
                {.kind = FINDING_DEVICE_FLAGS, .values = {0x10000302}},
                {.kind = FINDING_REGION, .values = {9, 3, 64, 0, 0}},
                {.kind = FINDING_IRQ, .values = {5, 1, 2}},
                {.kind = FINDING_HW_INFO, .values = {3, 0x8000000000000010, 0}},
        };
        static const struct {
                uint64_t type;
                const char *word;
        } types[] = {{0, "\"none\""}, {2, "\"arm-smmuv3\""}, {4, "\"amd\""}, {99, "\"99\""}};
        _cleanup_free_ char *text = info_of(findings, ELEMENTS(findings));

        expect_part(text, "\"Flags\" <[\"pci\" \"cdx\" \"0x200\" \"0x10000000\"]>");
        expect_part(text, "\"Regions\" <[(9 \"\" 3 64 0 false [])]>");
        expect_part(text, "\"Irqs\" <[(5 \"\" 1 2)]>");
        expect_part(text, "\"HwType\" <\"3\">");
        expect_part(text, "\"HwCapabilities\" <[\"0x10\" \"0x8000000000000000\"]>");
        expect_part(text, "\"HwData\" <[]>");
        for (size_t i = 0; i < ELEMENTS(types); i++) {
                const Finding finding = {.kind = FINDING_HW_INFO, .values = {types[i].type}};
                _cleanup_free_ char *of_type = info_of(&finding, 1);
                _cleanup_free_ char *part = string_format("\"HwType\" <%s>", types[i].word);

                expect_part(of_type, part);
        }
}
END_TEST

static void add_refusals(TCase *tests) {
        tcase_add_test(tests, a_leased_device_that_its_receiver_has_not_set_up_is_in_use);
        tcase_add_test(tests, a_device_that_was_given_back_and_is_still_open_is_in_use);
        tcase_add_test(tests, what_is_on_no_vfio_driver_is_refused_and_left_alone);
        tcase_add_test(tests, a_group_that_is_not_viable_is_not_opened);
        tcase_add_test(tests, a_group_open_without_a_lease_is_held_outside);
        tcase_add_test(tests, what_the_kernel_refuses_is_named_and_undone);
        tcase_add_test(tests, there_is_nothing_to_inspect_at_a_path_of_no_device);
        tcase_add_test(tests, more_operations_at_once_than_the_limit_are_refused);
        tcase_add_test(tests, a_user_without_the_action_is_refused_and_the_device_left_alone);
}

static void add_meanwhile(TCase *tests) {
        tcase_add_test(tests, while_it_is_inspected_a_device_is_busy_and_others_are_not);
        tcase_add_test(tests, a_holder_gets_its_files_and_releases_while_its_device_is_inspected);
        tcase_add_test(tests, a_revocation_waits_for_the_inspection_and_then_takes_the_device);
        tcase_add_test(tests,
                       past_the_deadline_the_caller_is_told_and_the_device_is_stuck_until_then);
        tcase_add_test(tests, a_device_that_is_unplugged_meanwhile_is_gone);
        tcase_add_test(tests, a_caller_that_leaves_meanwhile_leaves_nothing_open);
}

int main(void) {
        TCase *tests = bus_tests_new("bus-inspect");

        tcase_add_test(tests, inspect_tells_what_a_device_has_in_words_and_numbers);
        tcase_add_test(tests, in_group_mode_nothing_is_told_of_the_iommu);
        tcase_add_test(tests, off_pci_regions_and_irqs_have_no_names_and_there_are_no_resets);
        tcase_add_test(tests, a_device_that_nobody_has_is_opened_and_closed_again);
        tcase_add_test(tests,
                       a_leased_device_is_read_through_the_leases_file_and_nothing_is_opened);
        tcase_add_test(
                tests,
                a_device_that_its_receiver_opens_by_itself_is_opened_through_the_leases_group);
        add_refusals(tests);
        add_meanwhile(tests);
        tcase_add_test(tests, an_inspection_leaves_one_record_with_what_was_done);
        tcase_add_test(tests, what_was_found_through_a_cdev_tells_of_the_iommu_too);
        tcase_add_test(tests, what_has_no_word_yet_is_given_as_a_number);
        return bus_tests_run(tests);
}
