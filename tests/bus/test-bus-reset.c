/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device.Reset and Device.ResetMethods: by which way, for whom, and what is put back. */

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

#define NIC "0000:03:00.0"
#define CARD "0000:08:00.0"
#define CARD2 "0000:08:00.1"
#define NOBODY 65534

static Message *reset(Client *client, const char *device, const char *method) {
        _cleanup_free_ char *path = device_object(device);

        return ask(client, path, VFIOD_INTERFACE_DEVICE, "Reset", "s", method);
}

static void expect_reset(Client *client, const char *device, const char *method) {
        _cleanup_message_ Message *reply = reset(client, device, method);

        expect_done(reply);
}

static void expect_reset_refused(Client *client, const char *device, const char *method,
                                 const char *name, const char *sentence) {
        _cleanup_message_ Message *reply = reset(client, device, method);

        expect_refusal(reply, name, sentence);
}

static void expect_calls(const char *calls) {
        _cleanup_free_ char *done = fake_machine_calls();

        ck_assert_str_eq(done, calls);
}

static void expect_methods(Client *client, const char *device, const char *methods) {
        _cleanup_free_ char *now = device_property(client, device, "ResetMethods");

        ck_assert_str_eq(now, methods);
}

static void forget_calls(void) {
        _cleanup_free_ char *path = fake_machine_path("calls");

        ck_assert_int_eq(truncate(path, 0), 0);
}

static Grant acquire(Client *client, const char *target, const char *prepare) {
        Grant grant = grant_of(
                manager(client, "Acquire", "asa{sv}", 1, target, 1, "prepare", "s", prepare));

        forget_calls();
        return grant;
}

/* Two functions behind a bridge, each in a group of its own. */
static void add_card(const char *second_driver) {
        const FakeDevice functions[] = {
                {CARD, 20, NULL, "vfio-pci", 0x8086, 0x100e, 0x020000, 0, NULL, "0000:00:1e.0",
                 "flr bus\n"},
                {CARD2, 21, NULL, second_driver, 0x8086, 0x100e, 0x020000, 0, NULL, "0000:00:1e.0",
                 "flr bus\n"},
        };

        for (size_t i = 0; i < ELEMENTS(functions); i++) {
                fake_machine_add(&functions[i]);
                fake_machine_announce("add", functions[i].name);
        }
        settle();
}

START_TEST(a_device_that_nobody_has_is_reset_as_the_kernel_would) {
        Client *client = client_new();

        expect_reset(client, NIC, "");
        expect_calls("open group 4\nreset " NIC);
        settle();
        ck_assert(!fake_machine_group_is_open(4));
        expect_methods(client, NIC, "[\"flr\" \"bus\"]");
        expect_methods(client, "0000:07:00.0", "[]");
}
END_TEST

START_TEST(a_method_is_set_for_as_long_as_it_takes) {
        Client *client = client_new();

        expect_reset(client, NIC, "bus");
        expect_calls("open group 4\n"
                     "set reset_method of " NIC " to bus\n"
                     "reset " NIC "\n"
                     "set reset_method of " NIC " to flr bus");
        expect_methods(client, NIC, "[\"flr\" \"bus\"]");
}
END_TEST

START_TEST(a_reset_that_fails_leaves_the_methods_as_they_were) {
        Client *client = client_new();

        fake_machine_fault("reset", NIC, ENOTTY);
        expect_reset_refused(client, NIC, "bus", "NoReset", "none of its reset methods has worked");
        expect_calls("open group 4\n"
                     "set reset_method of " NIC " to bus\n"
                     "set reset_method of " NIC " to flr bus");
        expect_methods(client, NIC, "[\"flr\" \"bus\"]");
        fake_machine_fault("reset", NIC, EIO);
        expect_reset_refused(client, NIC, "", "Failed", "reset " NIC ": Input/output error");
        fake_machine_fault("reset-method", NIC, EINVAL);
        expect_reset_refused(client, NIC, "bus", "NoReset", "not offered any more");
}
END_TEST

START_TEST(what_is_leased_is_reset_for_its_owner_through_the_leases_file) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, NIC, "attach");

        expect_reset(client, NIC, "flr");
        expect_calls("set reset_method of " NIC " to flr\n"
                     "reset " NIC "\n"
                     "set reset_method of " NIC " to flr bus");
        expect_lease(client, grant.path, "State", "\"held\"");
}
END_TEST

START_TEST(what_its_receiver_opens_by_itself_is_opened_once_more) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = acquire(client, NIC, "open");

        expect_reset(client, NIC, "");
        expect_calls("open device " NIC " of group 4\nreset " NIC);
        settle();
        ck_assert(!fake_machine_device_is_open(NIC));
        forget_calls();
        fake_machine_fault("get-device", NIC, EINVAL);
        expect_reset_refused(client, NIC, "", "InUse", "who has not set it up yet; reset it when");
        expect_calls("");
}
END_TEST

START_TEST(a_hot_reset_takes_everything_that_is_reset) {
        Client *client = client_new();

        add_card("vfio-pci");
        expect_reset(client, CARD, "hot");
        expect_calls("open a container\n"
                     "open group 20\n"
                     "open group 21\n"
                     "put group 20 into the container\n"
                     "set the container's IOMMU to TYPE1v2\n"
                     "open device " CARD " of group 20\n"
                     "hot reset with groups 20 21\n"
                     "reset " CARD);
        settle();
        ck_assert(!fake_machine_group_is_open(20) && !fake_machine_group_is_open(21));
}
END_TEST

START_TEST(a_hot_reset_of_a_lease_goes_through_all_its_groups) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        add_card("vfio-pci");
        grant = grant_of(manager(client, "Acquire", "asa{sv}", 2, CARD, CARD2, 0));
        forget_calls();
        expect_reset(client, CARD, "hot");
        expect_calls("hot reset with groups 20 21\nreset " CARD);
        expect_lease(client, grant.path, "State", "\"held\"");
}
END_TEST

START_TEST(a_text_that_is_too_long_to_be_a_method_is_refused) {
        _cleanup_message_ Message *reply = NULL;
        char text[300] = "";

        (void)memset(text, 'f', sizeof(text) - 1);
        reply = reset(client_new(), NIC, text);
        expect_error(reply, SD_BUS_ERROR_INVALID_ARGS, "299 bytes");
}
END_TEST

START_TEST(all_groups_that_are_reset_together_are_busy_meanwhile) {
        Client *client = client_new();
        _cleanup_message_ Message *slow = NULL, *unbound = NULL;
        _cleanup_free_ char *path = device_object(CARD);

        add_card("vfio-pci");
        fake_machine_fault("reset", CARD, 0);
        begin_at_object(client, &slow, path, VFIOD_INTERFACE_DEVICE, "Reset", "s", "hot");
        for (;;) {
                _cleanup_free_ char *state = NULL;

                turn();
                state = device_property(client, CARD2, "State");
                if (strcmp(state, "\"busy\"") == 0)
                        break;
        }
        unbound = manager(client, "Unbind", "asa{sv}", 1, CARD2, 0);
        expect_refusal(unbound, "Busy", "group 21 is busy: reset for uid 0 is under way");
        fake_machine_clear("reset", CARD);
        wait_until(slow);
        expect_done(slow);
}
END_TEST

START_TEST(others_that_would_be_reset_too_are_named_and_nothing_is_touched) {
        Client *client = client_new();

        add_card("e1000e");
        expect_reset_refused(client, CARD, "bus", "ResetSetIncomplete", CARD2 " (group 21)");
        expect_reset_refused(client, CARD, "hot", "ResetSetIncomplete", CARD2 " (bound to e1000e)");
        expect_calls("");
}
END_TEST

START_TEST(what_stands_in_the_way_is_named_and_nothing_is_touched) {
        static const struct {
                const char *device;
                const char *method;
                const char *name;
                const char *sentence;
        } rows[] = {
                {"0000:01:00.0", "", "NotBound", "is bound to e1000e, and in use by the host"},
                {"10000000.gpu", "", "Unsupported", "on the platform bus"},
                {"0000:00:1c.0", "", "Unsupported", "is a bridge"},
                {NIC, "pm", "NoReset", "has no reset method 'pm'; it has flr, bus"},
                {NIC, "\x01/../", "NoReset", "has no reset method '?/../'"},
                {NIC, "flr flr flr flr flr flr flr flr flr flr flr flr", "NoReset",
                 "has no reset method 'flr flr flr flr flr flr flr flr '"},
                {"0000:07:00.0", "", "NoReset", "the kernel knows no method for it"},
        };
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                expect_reset_refused(client, rows[i].device, rows[i].method, rows[i].name,
                                     rows[i].sentence);
        expect_calls("");
}
END_TEST

START_TEST(a_group_open_without_a_lease_is_held_outside) {
        _cleanup_free_ char *path = fake_machine_path("dev/vfio/4");
        _cleanup_close_ int holder = open(path, O_RDWR | O_CLOEXEC);

        ck_assert_int_eq(flock(holder, LOCK_EX), 0);
        expect_reset_refused(client_new(), NIC, "bus", "HeldOutside",
                             "group 4 is open in a process");
        expect_calls("");
}
END_TEST

START_TEST(a_user_without_the_action_is_refused_and_the_device_left_alone) {
        _cleanup_message_ Message *denied = reset(client_new_as(NOBODY), NIC, "");

        expect_error(denied, SD_BUS_ERROR_ACCESS_DENIED, VFIOD_ACTION_RESET);
        expect_calls("");
}
END_TEST

START_TEST(a_reset_leaves_one_record_with_what_was_done) {
        expect_reset(client_new(), NIC, "flr");
        ck_assert_uint_eq(fake_journal_count(), 1);
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_OPERATION "=reset\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_TARGETS "=" NIC "\n");
        expect_part(fake_journal_record(0), "set reset_method of " NIC " to flr; reset " NIC);
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-reset");

        tcase_add_test(tests, a_device_that_nobody_has_is_reset_as_the_kernel_would);
        tcase_add_test(tests, a_method_is_set_for_as_long_as_it_takes);
        tcase_add_test(tests, a_reset_that_fails_leaves_the_methods_as_they_were);
        tcase_add_test(tests, what_is_leased_is_reset_for_its_owner_through_the_leases_file);
        tcase_add_test(tests, what_its_receiver_opens_by_itself_is_opened_once_more);
        tcase_add_test(tests, a_hot_reset_takes_everything_that_is_reset);
        tcase_add_test(tests, a_hot_reset_of_a_lease_goes_through_all_its_groups);
        tcase_add_test(tests, a_text_that_is_too_long_to_be_a_method_is_refused);
        tcase_add_test(tests, all_groups_that_are_reset_together_are_busy_meanwhile);
        tcase_add_test(tests, others_that_would_be_reset_too_are_named_and_nothing_is_touched);
        tcase_add_test(tests, what_stands_in_the_way_is_named_and_nothing_is_touched);
        tcase_add_test(tests, a_group_open_without_a_lease_is_held_outside);
        tcase_add_test(tests, a_user_without_the_action_is_refused_and_the_device_left_alone);
        tcase_add_test(tests, a_reset_leaves_one_record_with_what_was_done);
        return bus_tests_run(tests);
}
