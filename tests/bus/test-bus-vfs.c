/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device.SetVfs, and what a device says of its virtual functions. The disk can have 4, of which its
 * driver makes 3: fake-sriov.c. */

#include <errno.h>
#include <fcntl.h>

#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

#define DISK "0000:02:00.0"
#define FIRST "0000:02:10.0"
#define SECOND "0000:02:10.1"
#define FIRST_GROUP 40
#define NOBODY 65534

/* `option`: "" for none. */
static Message *set_vfs(Client *client, const char *device, uint32_t n, const char *option,
                        bool value) {
        _cleanup_free_ char *path = device_object(device);

        return *option ? ask(client, path, VFIOD_INTERFACE_DEVICE, "SetVfs", "ua{sv}", n, 1, option,
                             "b", value)
                       : ask(client, path, VFIOD_INTERFACE_DEVICE, "SetVfs", "ua{sv}", n, 0);
}

static void expect_set(Client *client, uint32_t n) {
        _cleanup_message_ Message *reply = set_vfs(client, DISK, n, "", false);

        expect_done(reply);
}

static void expect_set_with(Client *client, uint32_t n, const char *option, bool value) {
        _cleanup_message_ Message *reply = set_vfs(client, DISK, n, option, value);

        expect_done(reply);
}

static void expect_set_refused(Client *client, const char *device, uint32_t n, const char *option,
                               const char *name, const char *sentence) {
        _cleanup_message_ Message *reply = set_vfs(client, device, n, option, true);

        expect_refusal(reply, name, sentence);
}

static void forget_calls(void) {
        _cleanup_free_ char *path = fake_machine_path("calls");
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
}

/* Since the last time that this was asked. */
static void expect_calls(const char *calls) {
        _cleanup_free_ char *done = fake_machine_calls();

        ck_assert_str_eq(done, calls);
        forget_calls();
}

static void expect_property(Client *client, const char *device, const char *name,
                            const char *value) {
        _cleanup_free_ char *now = device_property(client, device, name);

        ck_assert_str_eq(now, value);
}

static void expect_numbers(Client *client, const char *present, const char *autoprobe) {
        expect_property(client, DISK, "NumVfs", present);
        expect_property(client, DISK, "VfsAutoprobe", autoprobe);
}

static void bind_first(Client *client) {
        _cleanup_message_ Message *reply = manager(client, "Bind", "asa{sv}", 1, FIRST, 0);

        expect_done(reply);
        settle();
        forget_calls();
}

START_TEST(functions_are_there_when_it_is_said_that_they_are_made) {
        Client *client = client_new();

        expect_property(client, DISK, "TotalVfs", "4");
        expect_numbers(client, "0", "true");
        expect_set(client, 2);
        expect_calls("set sriov_numvfs of " DISK " to 2");
        expect_property(client, FIRST, "PhysicalFunction", "\"" DISK "\"");
        expect_property(client, FIRST, "Driver", "\"nvme\"");
        expect_property(client, SECOND, "TotalVfs", "0");
        expect_numbers(client, "2", "true");
        settle();
        expect_numbers(client, "2", "true");
}
END_TEST

START_TEST(functions_are_known_also_where_udev_says_nothing) {
        Client *client = client_new();

        fake_machine_fault("event", "any", EIO);
        expect_set(client, 2);
        expect_property(client, SECOND, "PhysicalFunction", "\"" DISK "\"");
        expect_numbers(client, "2", "true");
        expect_set(client, 0);
        expect_numbers(client, "0", "true");
}
END_TEST

START_TEST(a_device_looks_different_when_somebody_else_makes_or_removes_a_function) {
        const FakeDevice function = {
                .name = FIRST, .group = FIRST_GROUP, .vendor = 0x144d, .physical = DISK};
        Client *client = client_new();

        fake_machine_add(&function);
        fake_machine_announce("add", FIRST);
        wait_until(count_signals(client, "PropertiesChanged", "_30000_3a02_3a00",
                                 "\"NumVfs\" <1>") > 0);
        fake_machine_remove(FIRST);
        fake_machine_announce("remove", FIRST);
        wait_until(count_signals(client, "PropertiesChanged", "_30000_3a02_3a00",
                                 "\"NumVfs\" <0>") > 0);
}
END_TEST

START_TEST(a_device_looks_different_when_a_function_of_it_comes_or_goes) {
        Client *client = client_new();

        expect_set(client, 1);
        wait_until(count_signals(client, "PropertiesChanged", "_30000_3a02_3a00",
                                 "\"NumVfs\" <1>") > 0);
        wait_until(count_signals(client, "InterfacesAdded", VFIOD_PATH, "_30000_3a02_3a10") == 1);
        expect_set(client, 0);
        wait_until(count_signals(client, "InterfacesRemoved", VFIOD_PATH, "_30000_3a02_3a10") == 1);
        wait_until(count_signals(client, "PropertiesChanged", "_30000_3a02_3a00",
                                 "\"NumVfs\" <0>") > 0);
        expect_numbers(client, "0", "true");
}
END_TEST

START_TEST(host_drivers_are_kept_off_and_stay_off) {
        Client *client = client_new();

        expect_set_with(client, 1, "autoprobe", false);
        expect_calls("set sriov_drivers_autoprobe of " DISK " to 0\n"
                     "set sriov_numvfs of " DISK " to 1");
        expect_property(client, FIRST, "Driver", "\"\"");
        expect_numbers(client, "1", "false");
        expect_set(client, 0);
        expect_numbers(client, "0", "false");
        expect_set_with(client, 1, "autoprobe", true);
        expect_property(client, FIRST, "Driver", "\"nvme\"");
        expect_numbers(client, "1", "true");
}
END_TEST

START_TEST(another_number_is_refused_unless_those_that_there_are_may_go) {
        Client *client = client_new();

        expect_set(client, 2);
        expect_calls("set sriov_numvfs of " DISK " to 2");
        expect_set_refused(client, DISK, 3, "", "AlreadyExists",
                           DISK " has 2 virtual functions, and the kernel makes another number");
        expect_calls("");
        expect_set_with(client, 3, "recreate", true);
        expect_calls("set sriov_numvfs of " DISK " to 0\n"
                     "set sriov_numvfs of " DISK " to 3");
        expect_numbers(client, "3", "true");
        expect_set(client, 3);
        expect_calls("");
}
END_TEST

START_TEST(where_making_others_fails_there_are_as_many_as_before) {
        _cleanup_message_ Message *failed = NULL;
        Client *client = client_new();
        _cleanup_free_ char *path = device_object(DISK);

        expect_set(client, 1);
        expect_calls("set sriov_numvfs of " DISK " to 1");
        fake_machine_fault("vfs", DISK " 2", EIO);
        failed = ask(client, path, VFIOD_INTERFACE_DEVICE, "SetVfs", "ua{sv}", 2, 2, "recreate",
                     "b", true, "autoprobe", "b", false);
        expect_refusal(failed, "Failed",
                       "make 2 virtual functions of " DISK ": Input/output error");
        expect_calls("set sriov_numvfs of " DISK " to 0\n"
                     "set sriov_drivers_autoprobe of " DISK " to 0\n"
                     "set sriov_drivers_autoprobe of " DISK " to 1\n"
                     "set sriov_numvfs of " DISK " to 1");
        expect_numbers(client, "1", "true");
        expect_property(client, FIRST, "Driver", "\"nvme\"");
}
END_TEST

START_TEST(fewer_than_were_wanted_are_none) {
        Client *client = client_new();

        expect_set_refused(client, DISK, 4, "", "Exhausted",
                           "the driver of " DISK " does not make 4 virtual functions, but fewer");
        expect_calls("set sriov_numvfs of " DISK " to 4\n"
                     "set sriov_numvfs of " DISK " to 0");
        expect_numbers(client, "0", "true");
}
END_TEST

START_TEST(a_driver_that_makes_none_is_named) {
        fake_machine_fault("vfs", DISK " 1", ENOENT);
        expect_set_refused(client_new(), DISK, 1, "", "Unsupported",
                           "the driver of " DISK " (nvme) does not make or remove virtual");
        expect_calls("");
}
END_TEST

START_TEST(autoprobe_that_cannot_be_switched_makes_no_function) {
        fake_machine_fault("autoprobe", DISK, EACCES);
        /* It is on already: nothing is switched. */
        expect_set_with(client_new(), 1, "autoprobe", true);
        expect_calls("set sriov_numvfs of " DISK " to 1");
        expect_set(client_new(), 0);
        expect_calls("set sriov_numvfs of " DISK " to 0");
        {
                _cleanup_message_ Message *failed =
                        set_vfs(client_new(), DISK, 1, "autoprobe", false);

                expect_refusal(failed, "Failed",
                               "set sriov_drivers_autoprobe of " DISK " to 0: Permission denied");
        }
        expect_calls("");
}
END_TEST

START_TEST(what_stands_in_the_way_is_named_and_nothing_is_touched) {
        static const struct {
                const char *device;
                uint32_t n;
                const char *name;
                const char *sentence;
        } rows[] = {
                {DISK, 5, "Exhausted", DISK " can have 4 virtual functions at most, not 5"},
                {"0000:01:00.0", 1, "Unsupported", "0000:01:00.0 cannot have virtual functions"},
                {"10000000.gpu", 1, "Unsupported", "10000000.gpu cannot have virtual functions"},
        };
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                expect_set_refused(client, rows[i].device, rows[i].n, "", rows[i].name,
                                   rows[i].sentence);
        expect_set_refused(client, DISK, 1, "number", "InvalidOption", "no option 'number'");
        expect_calls("");
}
END_TEST

START_TEST(a_function_is_no_device_that_has_functions) {
        Client *client = client_new();

        expect_set(client, 1);
        expect_set_refused(client, FIRST, 1, "", "Unsupported",
                           FIRST " is a virtual function of " DISK " itself");
}
END_TEST

START_TEST(functions_that_somebody_has_are_not_removed) {
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};
        Client *client = client_new();

        expect_set(client, 2);
        bind_first(client);
        expect_set_refused(client, DISK, 0, "", "InUse", FIRST " (bound to vfio-pci)");
        grant = grant_of(manager(client, "Acquire", "asa{sv}", 1, FIRST, 0));
        forget_calls();
        expect_set_refused(client, DISK, 0, "", "Leased", FIRST " (leased to uid 0, lease 1)");
        expect_set_refused(client, DISK, 1, "recreate", "Leased", FIRST " (leased to uid 0");
        expect_calls("");
        expect_lease(client, grant.path, "State", "\"held\"");
        expect_set_with(client, 2, "autoprobe", false);
        expect_calls("set sriov_drivers_autoprobe of " DISK " to 0");
}
END_TEST

START_TEST(functions_that_the_host_uses_are_not_removed) {
        Client *client = client_new();

        expect_set(client, 1);
        fake_machine_set_attribute(FIRST, "boot_vga", "1\n");
        expect_set_refused(client, DISK, 0, "", "HostDevice",
                           FIRST " (in use by the host: it is the display");
}
END_TEST

START_TEST(functions_are_not_made_of_a_device_on_a_vfio_driver) {
        Client *client = client_new();
        _cleanup_message_ Message *bound = manager(client, "Bind", "asa{sv}", 1, DISK, 0);
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        expect_done(bound);
        expect_set_refused(client, DISK, 1, "", "Unsupported", "would want a VF token");
        grant = grant_of(manager(client, "Acquire", "asa{sv}", 1, DISK, 0));
        expect_set_refused(client, DISK, 1, "", "Leased", "group 3 is leased to uid 0");
}
END_TEST

START_TEST(the_device_and_its_functions_are_busy_while_it_is_done_and_others_are_answered) {
        Client *client = client_new();
        _cleanup_message_ Message *slow = NULL, *bind = NULL;
        _cleanup_free_ char *path = device_object(DISK);

        expect_set(client, 1);
        fake_machine_fault("vfs", DISK " 0", 0);
        begin_at_object(client, &slow, path, VFIOD_INTERFACE_DEVICE, "SetVfs", "ua{sv}", 0, 0);
        for (;;) {
                _cleanup_free_ char *state = NULL;

                turn();
                state = device_property(client, FIRST, "State");
                if (strcmp(state, "\"busy\"") == 0)
                        break;
        }
        expect_property(client, DISK, "State", "\"busy\"");
        bind = manager(client, "Bind", "asa{sv}", 1, FIRST, 0);
        expect_refusal(bind, "Busy", "group 40 is busy: set-vfs for uid 0 is under way");
        fake_machine_clear("vfs", DISK " 0");
        wait_until(slow);
        expect_done(slow);
}
END_TEST

START_TEST(functions_that_others_made_unseen_are_known_before_they_are_removed) {
        Client *client = client_new();

        /* No event tells of it. */
        fake_machine_add(&(FakeDevice){.name = FIRST,
                                       .group = FIRST_GROUP,
                                       .driver = "vfio-pci",
                                       .vendor = 0x144d,
                                       .physical = DISK});
        fake_machine_set_attribute(DISK, "sriov_numvfs", "1\n");
        expect_set_refused(client, DISK, 0, "", "InUse", FIRST " (bound to vfio-pci)");
        expect_calls("");
}
END_TEST

START_TEST(a_user_without_the_action_is_refused_and_the_device_left_alone) {
        _cleanup_message_ Message *denied = set_vfs(client_new_as(NOBODY), DISK, 1, "", false);

        expect_error(denied, SD_BUS_ERROR_ACCESS_DENIED, VFIOD_ACTION_MANAGE);
        expect_calls("");
}
END_TEST

START_TEST(it_leaves_one_record_with_what_was_done) {
        expect_set(client_new(), 2);
        ck_assert_uint_eq(fake_journal_count(), 1);
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_OPERATION "=set-vfs\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_TARGETS "=" DISK "\n");
        expect_part(fake_journal_record(0), "make 2 virtual functions of " DISK);
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-vfs");

        tcase_add_test(tests, functions_are_there_when_it_is_said_that_they_are_made);
        tcase_add_test(tests, functions_are_known_also_where_udev_says_nothing);
        tcase_add_test(tests,
                       a_device_looks_different_when_somebody_else_makes_or_removes_a_function);
        tcase_add_test(tests, a_device_looks_different_when_a_function_of_it_comes_or_goes);
        tcase_add_test(tests, host_drivers_are_kept_off_and_stay_off);
        tcase_add_test(tests, another_number_is_refused_unless_those_that_there_are_may_go);
        tcase_add_test(tests, where_making_others_fails_there_are_as_many_as_before);
        tcase_add_test(tests, fewer_than_were_wanted_are_none);
        tcase_add_test(tests, a_driver_that_makes_none_is_named);
        tcase_add_test(tests, autoprobe_that_cannot_be_switched_makes_no_function);
        tcase_add_test(tests, what_stands_in_the_way_is_named_and_nothing_is_touched);
        tcase_add_test(tests, a_function_is_no_device_that_has_functions);
        tcase_add_test(tests, functions_that_somebody_has_are_not_removed);
        tcase_add_test(tests, functions_that_the_host_uses_are_not_removed);
        tcase_add_test(tests, functions_are_not_made_of_a_device_on_a_vfio_driver);
        tcase_add_test(
                tests,
                the_device_and_its_functions_are_busy_while_it_is_done_and_others_are_answered);
        tcase_add_test(tests, functions_that_others_made_unseen_are_known_before_they_are_removed);
        tcase_add_test(tests, a_user_without_the_action_is_refused_and_the_device_left_alone);
        tcase_add_test(tests, it_leaves_one_record_with_what_was_done);
        return bus_tests_run(tests);
}
