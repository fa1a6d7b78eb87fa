/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Manager.ListMdevTypes, Manager.CreateMdev, Device.RemoveMdev: of a parent that is no device of
 * vfiod's. */

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

#define UUID "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
#define OTHER "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002"
#define FIRST_GROUP 60
#define NOBODY 65534

static Client *client_with_parent(void) {
        fake_machine_add_mdev_parent();
        return client_new();
}

static Message *create(Client *client, const char *parent, const char *type, const char *uuid) {
        return manager(client, "CreateMdev", "sssa{sv}", parent, type, uuid, 0);
}

static void expect_created(Client *client, const char *type, const char *uuid) {
        _cleanup_message_ Message *reply = create(client, "mtty", type, uuid);

        expect_done(reply);
}

static void expect_create_refused(Client *client, const char *parent, const char *type,
                                  const char *uuid, const char *name, const char *sentence) {
        _cleanup_message_ Message *reply = create(client, parent, type, uuid);

        expect_refusal(reply, name, sentence);
}

static Message *destroy(Client *client, const char *device) {
        _cleanup_free_ char *path = device_object(device);

        return ask(client, path, VFIOD_INTERFACE_DEVICE, "RemoveMdev", "");
}

static void expect_removed(Client *client, const char *device) {
        _cleanup_message_ Message *reply = destroy(client, device);

        expect_done(reply);
}

static void expect_remove_refused(Client *client, const char *device, const char *name,
                                  const char *sentence) {
        _cleanup_message_ Message *reply = destroy(client, device);

        expect_refusal(reply, name, sentence);
}

static void expect_property(Client *client, const char *device, const char *name,
                            const char *value) {
        _cleanup_free_ char *now = device_property(client, device, name);

        ck_assert_str_eq(now, value);
}

static void expect_types(Client *client, const char *parent, const char *text) {
        _cleanup_message_ Message *reply = manager(client, "ListMdevTypes", "s", parent);

        expect_text(reply, text);
}

static void expect_calls(const char *calls) {
        _cleanup_free_ char *done = fake_machine_calls();

        ck_assert_str_eq(done, calls);
}

static void forget_calls(void) {
        _cleanup_free_ char *path = fake_machine_path("calls");
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
}

START_TEST(types_are_told_of_each_parent_with_what_there_is_and_can_be) {
        Client *client = client_with_parent();

        expect_created(client, "mtty-1", UUID);
        expect_types(
                client, "",
                "[\"Parent\" <\"mtty\"> \"Type\" <\"mtty-1\"> \"Name\" <\"Single port serial\"> "
                "\"Description\" <\"\"> \"DeviceApi\" <\"vfio-pci\"> \"Available\" <1> "
                "\"Devices\" <[\"" UUID "\"]>]");
        expect_types(client, "mtty", "\"Type\" <\"mtty-2\"> \"Name\" <\"Dual port serial\">");
        expect_types(client, "mtty", "\"Available\" <1> \"Devices\" <[]>]");
}
END_TEST

START_TEST(a_machine_without_parents_has_no_types_and_names_the_one_that_was_asked_for) {
        _cleanup_message_ Message *none = manager(client_new(), "ListMdevTypes", "s", "mtty");
        _cleanup_message_ Message *card = manager(client_new(), "ListMdevTypes", "s", "01:00.0");
        _cleanup_message_ Message *group = manager(client_new(), "ListMdevTypes", "s", "group/2");
        _cleanup_message_ Message *path = manager(client_new(), "ListMdevTypes", "s", "../mtty");

        expect_types(client_new(), "", "[]");
        expect_refusal(none, "NotFound", "no device mtty that can have mediated devices");
        expect_refusal(card, "NotFound", "no device 0000:01:00.0 that can");
        expect_refusal(group, "InvalidTarget", "group/2 is a group");
        expect_refusal(path, "InvalidTarget", "'../mtty'");
}
END_TEST

static void write_text(const char *path, const char *text) {
        FILE *file = fopen(path, "we");

        ck_assert_ptr_nonnull(file);
        ck_assert_int_ge(fputs(text, file), 0);
        ck_assert_int_eq(fclose(file), 0);
}

START_TEST(what_a_driver_writes_about_its_types_is_made_fit_for_everybody) {
        _cleanup_free_ char *path =
                fake_machine_path("sys/devices/mtty/mdev_supported_types/mtty-1/description");
        _cleanup_free_ char *name =
                fake_machine_path("sys/devices/mtty/mdev_supported_types/mtty-2/name");
        Client *client = client_with_parent();

        write_text(path, "low_gm_size: 128MB\nfence: 4\n");
        write_text(name, "a\xff\x01z\n");
        expect_types(client, "mtty", "\"Description\" <\"low_gm_size: 128MB fence: 4\">");
        expect_types(client, "mtty", "\"Name\" <\"a??z\">");
}
END_TEST

START_TEST(a_device_is_there_when_it_is_said_that_it_is_made) {
        Client *client = client_with_parent();
        _cleanup_message_ Message *reply = create(client, "mtty", "mtty-2", UUID);
        _cleanup_free_ char *text = render(reply), *object = device_object(UUID);
        _cleanup_free_ char *expected = string_format("\"%s\" \"%s\"", UUID, object);

        ck_assert_str_eq(text, expected);
        expect_property(client, UUID, "Bus", "\"mdev\"");
        expect_property(client, UUID, "MdevParent", "\"mtty\"");
        expect_property(client, UUID, "MdevType", "\"mtty-2\"");
        expect_property(client, "0000:01:00.0", "MdevParent", "\"\"");
        expect_calls("make " UUID " of type mtty-2 on mtty");
        wait_until(count_signals(client, "InterfacesAdded", VFIOD_PATH, object) == 1);
}
END_TEST

START_TEST(a_device_is_known_and_gone_also_where_udev_says_nothing) {
        Client *client = client_with_parent();

        fake_machine_fault("event", "any", EIO);
        expect_created(client, "mtty-1", UUID);
        expect_property(client, UUID, "MdevType", "\"mtty-1\"");
        expect_removed(client, UUID);
        expect_types(client, "mtty", "\"Available\" <2> \"Devices\" <[]>]");
}
END_TEST

START_TEST(a_uuid_is_made_where_none_is_given_and_each_is_another) {
        Client *client = client_with_parent();
        _cleanup_message_ Message *one = create(client, "mtty", "mtty-1", "");
        _cleanup_message_ Message *two = create(client, "mtty", "mtty-1", "");
        const char *first, *second;
        char uuid[UUID_LENGTH + 1];

        ck_assert_int_gt(sd_bus_message_read(one, "s", &first), 0);
        ck_assert_int_gt(sd_bus_message_read(two, "s", &second), 0);
        ck_assert_int_eq(uuid_parse(first, uuid), 0);
        ck_assert_str_eq(first, uuid);
        ck_assert_int_eq(first[14], '4');
        ck_assert_str_ne(first, second);
        expect_property(client, first, "MdevType", "\"mtty-1\"");
}
END_TEST

START_TEST(a_uuid_in_capitals_is_the_kernels_in_small_letters) {
        Client *client = client_with_parent();

        expect_created(client, "mtty-1", "83B8F4F2-509F-382F-3C1E-E6BFE0FA1001");
        expect_property(client, UUID, "Name", "\"" UUID "\"");
}
END_TEST

START_TEST(what_cannot_be_made_is_named_and_nothing_is_touched) {
        static const struct {
                const char *parent, *type, *uuid, *name, *sentence;
        } rows[] = {
                {"mtty", "mtty-1", "83b8f4f2", "InvalidTarget", "'83b8f4f2' is no UUID such as"},
                {"mtty", "mtty-1", "\x01", "InvalidTarget", "'?' is no UUID"},
                {"mtty", "mtty-9", UUID, "NotFound", "mtty has no type 'mtty-9'"},
                {"mtty", "../mtty-1", UUID, "NotFound", "mtty has no type '../mtty-1'"},
                {"mtty", "", UUID, "NotFound", "mtty has no type ''"},
                {"none", "mtty-1", UUID, "NotFound", "no device none that can have mediated"},
                {"0000:01:00.0", "mtty-1", UUID, "NotFound", "no device 0000:01:00.0 that can"},
                {"group/2", "mtty-1", UUID, "InvalidTarget", "group/2 is a group"},
                {"../mtty", "mtty-1", UUID, "InvalidTarget", "'../mtty'"},
        };
        Client *client = client_with_parent();
        _cleanup_message_ Message *option = NULL;

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                expect_create_refused(client, rows[i].parent, rows[i].type, rows[i].uuid,
                                      rows[i].name, rows[i].sentence);
        option = manager(client, "CreateMdev", "sssa{sv}", "mtty", "mtty-1", UUID, 1, "x", "b", 1);
        expect_refusal(option, "InvalidOption", "no option 'x'");
        expect_calls("");
}
END_TEST

START_TEST(a_text_that_is_too_long_to_be_a_type_is_refused) {
        _cleanup_message_ Message *reply = NULL;
        char text[300] = "";

        (void)memset(text, 'm', sizeof(text) - 1);
        reply = create(client_new(), "mtty", text, "");
        expect_error(reply, SD_BUS_ERROR_INVALID_ARGS, "299 bytes");
}
END_TEST

START_TEST(a_uuid_is_there_once) {
        Client *client = client_with_parent();

        expect_created(client, "mtty-1", UUID);
        forget_calls();
        expect_create_refused(client, "mtty", "mtty-1", UUID, "AlreadyExists",
                              "there is a device " UUID " already");
        expect_calls("");
        /* Also where only the kernel knows of it. */
        fake_machine_fault("create-mdev", "mtty-1", EEXIST);
        expect_create_refused(client, "mtty", "mtty-1", OTHER, "AlreadyExists", OTHER);
}
END_TEST

START_TEST(there_are_no_more_of_a_type_than_the_parent_has) {
        Client *client = client_with_parent();

        expect_created(client, "mtty-2", UUID);
        expect_create_refused(client, "mtty", "mtty-2", OTHER, "Exhausted",
                              "mtty can have no more mediated devices of type 'mtty-2'");
        expect_removed(client, UUID);
        expect_created(client, "mtty-2", OTHER);
}
END_TEST

START_TEST(what_the_kernel_refuses_is_said_with_the_step) {
        Client *client = client_with_parent();

        fake_machine_fault("create-mdev", "mtty-1", EIO);
        expect_create_refused(client, "mtty", "mtty-1", UUID, "Failed",
                              "make mediated device " UUID
                              " of type mtty-1 on mtty: Input/output error");
        fake_machine_fault("create-mdev", "mtty-1", ENODEV);
        expect_create_refused(client, "mtty", "mtty-1", UUID, "DeviceGone",
                              "mtty is being removed");
        expect_created(client, "mtty-2", UUID);
        fake_machine_fault("remove-mdev", UUID, EAGAIN);
        expect_remove_refused(client, UUID, "Busy", UUID " is being made or removed");
        expect_property(client, UUID, "State", "\"idle\"");
}
END_TEST

START_TEST(a_device_that_nobody_has_is_removed_and_gone) {
        Client *client = client_with_parent();
        _cleanup_free_ char *object = device_object(UUID);

        expect_created(client, "mtty-1", UUID);
        settle();
        forget_calls();
        expect_removed(client, UUID);
        expect_calls("open group 60\nremove " UUID);
        ck_assert_uint_eq(count_signals(client, "InterfacesRemoved", VFIOD_PATH, object), 1);
        {
                _cleanup_message_ Message *gone = manager(client, "GetDevice", "s", UUID);

                expect_refusal(gone, "NotFound", UUID);
        }
}
END_TEST

START_TEST(one_that_is_leased_is_not_removed_and_the_lease_is_named) {
        Client *client = client_with_parent();
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        expect_created(client, "mtty-1", UUID);
        grant = grant_of(manager(client, "Acquire", "asa{sv}", 1, UUID, 0));
        forget_calls();
        expect_remove_refused(client, UUID, "Leased", "leased to uid 0 (lease 1)");
        expect_calls("");
        expect_lease(client, grant.path, "State", "\"held\"");
}
END_TEST

START_TEST(one_that_is_open_without_a_lease_is_held_outside) {
        Client *client = client_with_parent();
        _cleanup_free_ char *path = fake_machine_path("dev/vfio/%d", FIRST_GROUP);
        _cleanup_close_ int holder = -EBADF;

        expect_created(client, "mtty-1", UUID);
        forget_calls();
        holder = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_eq(flock(holder, LOCK_EX), 0);
        expect_remove_refused(client, UUID, "HeldOutside", "group 60 is open in a process");
        expect_calls("");
        expect_property(client, UUID, "State", "\"idle\"");
}
END_TEST

START_TEST(only_mediated_devices_are_removed) {
        expect_remove_refused(client_new(), "0000:01:00.0", "Unsupported",
                              "0000:01:00.0 is on the pci bus");
        expect_calls("");
}
END_TEST

START_TEST(a_removal_that_takes_long_keeps_nobody_else_waiting) {
        Client *client = client_with_parent();
        _cleanup_free_ char *path = device_object(UUID);
        _cleanup_message_ Message *slow = NULL, *acquire = NULL;

        expect_created(client, "mtty-1", UUID);
        fake_machine_fault("remove-mdev", UUID, 0);
        begin_at_object(client, &slow, path, VFIOD_INTERFACE_DEVICE, "RemoveMdev", "");
        for (;;) {
                _cleanup_free_ char *state = NULL;

                turn();
                state = device_property(client, UUID, "State");
                if (strcmp(state, "\"busy\"") == 0)
                        break;
        }
        acquire = manager(client, "Acquire", "asa{sv}", 1, UUID, 0);
        expect_refusal(acquire, "Busy", "remove-mdev for uid 0 is under way");
        fake_machine_clear("remove-mdev", UUID);
        wait_until(slow);
        expect_done(slow);
}
END_TEST

START_TEST(a_user_without_the_action_is_refused_and_nothing_is_touched) {
        Client *client = client_with_parent(), *nobody = client_new_as(NOBODY);
        _cleanup_message_ Message *created = NULL, *removed = NULL;

        expect_created(client, "mtty-1", UUID);
        forget_calls();
        created = create(nobody, "mtty", "mtty-1", OTHER);
        expect_error(created, SD_BUS_ERROR_ACCESS_DENIED, VFIOD_ACTION_MANAGE);
        removed = destroy(nobody, UUID);
        expect_error(removed, SD_BUS_ERROR_ACCESS_DENIED, VFIOD_ACTION_MANAGE);
        expect_calls("");
}
END_TEST

START_TEST(each_leaves_one_record_with_what_was_done) {
        Client *client = client_with_parent();

        expect_created(client, "mtty-1", UUID);
        expect_removed(client, UUID);
        ck_assert_uint_eq(fake_journal_count(), 2);
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_OPERATION "=create-mdev\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_TARGETS "=mtty\n");
        expect_part(fake_journal_record(0), "make mediated device " UUID " of type mtty-1 on mtty");
        expect_part(fake_journal_record(1), "\n" VFIOD_JOURNAL_OPERATION "=remove-mdev\n");
        expect_part(fake_journal_record(1), "\n" VFIOD_JOURNAL_TARGETS "=" UUID "\n");
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-mdev");

        tcase_add_test(tests, types_are_told_of_each_parent_with_what_there_is_and_can_be);
        tcase_add_test(tests,
                       a_machine_without_parents_has_no_types_and_names_the_one_that_was_asked_for);
        tcase_add_test(tests, what_a_driver_writes_about_its_types_is_made_fit_for_everybody);
        tcase_add_test(tests, a_device_is_there_when_it_is_said_that_it_is_made);
        tcase_add_test(tests, a_device_is_known_and_gone_also_where_udev_says_nothing);
        tcase_add_test(tests, a_uuid_is_made_where_none_is_given_and_each_is_another);
        tcase_add_test(tests, a_uuid_in_capitals_is_the_kernels_in_small_letters);
        tcase_add_test(tests, what_cannot_be_made_is_named_and_nothing_is_touched);
        tcase_add_test(tests, a_text_that_is_too_long_to_be_a_type_is_refused);
        tcase_add_test(tests, a_uuid_is_there_once);
        tcase_add_test(tests, there_are_no_more_of_a_type_than_the_parent_has);
        tcase_add_test(tests, what_the_kernel_refuses_is_said_with_the_step);
        tcase_add_test(tests, a_device_that_nobody_has_is_removed_and_gone);
        tcase_add_test(tests, one_that_is_leased_is_not_removed_and_the_lease_is_named);
        tcase_add_test(tests, one_that_is_open_without_a_lease_is_held_outside);
        tcase_add_test(tests, only_mediated_devices_are_removed);
        tcase_add_test(tests, a_removal_that_takes_long_keeps_nobody_else_waiting);
        tcase_add_test(tests, a_user_without_the_action_is_refused_and_nothing_is_touched);
        tcase_add_test(tests, each_leaves_one_record_with_what_was_done);
        return bus_tests_run(tests);
}
