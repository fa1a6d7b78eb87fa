/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be read: the lists, Get, Explain, properties and the object manager. */

#include <unistd.h>

#include "daemon/util/fd.h"
#include "tests/bus/fixture-bus.h"

#define NOBODY 65534
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define ALL_DEVICES 15
#define ALL_GROUPS 10

static size_t count_parts(const char *text, const char *part) {
        size_t n = 0;

        for (; (text = strstr(text, part)); text += strlen(part))
                n++;
        return n;
}

/* That the parts occur in this order. */
static void expect_order(const char *text, const char *const *parts, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const char *found = strstr(text, parts[i]);

                ck_assert_msg(found, "'%s' does not come after '%s' in: %s", parts[i],
                              i > 0 ? parts[i - 1] : "", text);
                text = found;
        }
}

START_TEST(list_groups_gives_every_group_by_number) {
        static const char *const order[] = {"/org/vfiod1/group/0\" [", "/org/vfiod1/group/1\" [",
                                            "/org/vfiod1/group/2\" [", "/org/vfiod1/group/9\" ["};
        _cleanup_message_ Message *reply = manager(client_new(), "ListGroups", NULL);
        _cleanup_free_ char *text = NULL;

        expect_done(reply);
        text = render(reply);
        expect_order(text, order, ELEMENTS(order));
        ck_assert_uint_eq(count_parts(text, "(\"/org/vfiod1/group/"), ALL_GROUPS);
}
END_TEST

START_TEST(a_group_says_what_it_is_and_what_blocks_it) {
        _cleanup_message_ Message *reply = manager(client_new(), "GetGroup", "u", 2);

        expect_text(reply, "\"/org/vfiod1/group/2\" [");
        expect_text(reply, "\"Number\" <2>");
        expect_text(reply, "\"Type\" <\"DMA-FQ\">");
        expect_text(reply, "\"ReservedRegions\" <[(4276092928 4277141503 \"msi\")]>");
        expect_text(reply, "\"Devices\" <[\"0000:00:1c.0\" \"0000:01:00.0\" \"0000:01:00.1\"]>");
        expect_text(reply, "\"Viable\" <false>");
        expect_text(reply, "\"Bound\" <false>");
        expect_text(reply, "(\"0000:01:00.0\" \"0000:01:00.0 is bound to e1000e;");
        expect_text(reply, "(\"0000:01:00.1\" \"0000:01:00.1 is bound to snd_hda_intel;");
        expect_text(reply, "\"Lease\" <\"/\">");
}
END_TEST

START_TEST(a_bound_group_is_viable_and_bound_and_nothing_blocks_it) {
        _cleanup_message_ Message *reply = manager(client_new(), "GetGroup", "u", 4);

        expect_text(reply, "\"Viable\" <true>");
        expect_text(reply, "\"Bound\" <true>");
        expect_text(reply, "\"Blockers\" <[]>");
}
END_TEST

START_TEST(list_devices_gives_every_device_by_group_then_name) {
        static const char *const order[] = {"0000:00:00.0", "0000:00:1f.0", "0000:00:1f.2",
                                            "0000:00:1c.0", "0000:01:00.0", "0000:01:00.1",
                                            "0000:02:00.0", "10000000.gpu", "0000:06:00.0"};
        _cleanup_message_ Message *reply = manager(client_new(), "ListDevices", NULL);
        _cleanup_free_ char *text = NULL;

        expect_done(reply);
        text = render(reply);
        expect_order(text, order, ELEMENTS(order));
        ck_assert_uint_eq(count_parts(text, "(\"/org/vfiod1/device/"), ALL_DEVICES);
}
END_TEST

START_TEST(a_device_says_what_it_is) {
        _cleanup_message_ Message *reply = manager(client_new(), "GetDevice", "s", "0000:01:00.0");

        expect_text(reply, "\"/org/vfiod1/device/_30000_3a01_3a00_2e0\" [");
        expect_text(reply, "\"Name\" <\"0000:01:00.0\">");
        expect_text(reply, "\"Bus\" <\"pci\">");
        expect_text(reply, "\"Group\" <2>");
        expect_text(reply, "\"Driver\" <\"e1000e\">");
        expect_text(reply, "\"DriverOverride\" <\"\">");
        expect_text(reply, "\"OriginalDriver\" <\"\">");
        expect_text(reply, "\"Vfio\" <false>");
        expect_text(reply, "\"Cdev\" <\"\">");
        expect_text(reply, "\"VendorId\" <32902>");
        expect_text(reply, "\"DeviceId\" <4307>");
        expect_text(reply, "\"SubsystemVendorId\" <6900>");
        expect_text(reply, "\"SubsystemDeviceId\" <4352>");
        expect_text(reply, "\"Class\" <131072>");
        expect_text(reply, "\"NumaNode\" <-1>");
        expect_text(reply, "\"Interfaces\" <[\"eth0\"]>");
        expect_text(reply, "\"Verdict\" <\"host-driver\">");
        expect_text(reply, "\"State\" <\"idle\">");
        expect_text(reply, "\"StuckReason\" <\"\">");
}
END_TEST

START_TEST(a_device_on_a_vfio_driver_says_so_and_names_its_cdev) {
        _cleanup_message_ Message *reply = manager(client_new(), "GetDevice", "s", "03:00.0");

        expect_text(reply, "\"Name\" <\"0000:03:00.0\">");
        expect_text(reply, "\"Driver\" <\"vfio-pci\">");
        expect_text(reply, "\"Vfio\" <true>");
        expect_text(reply, "\"Cdev\" <\"vfio40\">");
        expect_text(reply, "\"Verdict\" <\"vfio\">");
}
END_TEST

START_TEST(a_platform_device_has_no_pci_ids) {
        _cleanup_message_ Message *reply = manager(client_new(), "GetDevice", "s", "10000000.gpu");

        expect_text(reply, "\"Bus\" <\"platform\">");
        expect_text(reply, "\"VendorId\" <0>");
        expect_text(reply, "\"Class\" <0>");
        expect_text(reply, "\"VendorName\" <\"\">");
}
END_TEST

START_TEST(list_leases_is_empty_at_first_and_then_oldest_first) {
        static const char *const order[] = {"/org/vfiod1/lease/1\" [", "/org/vfiod1/lease/2\" ["};
        Client *client = client_new();
        _cleanup_message_ Message *none = manager(client, "ListLeases", NULL), *two = NULL;
        _cleanup_grant_ Grant first = {.lease_fd = -EBADF}, second = {.lease_fd = -EBADF};
        _cleanup_free_ char *text = NULL;

        expect_text(none, "[]");
        first = grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/9", 0));
        second = grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
        two = manager(client, "ListLeases", NULL);
        expect_done(two);
        text = render(two);
        expect_order(text, order, ELEMENTS(order));
}
END_TEST

START_TEST(get_group_reads_the_group_afresh) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        /* No udev event tells of it. */
        fake_machine_replace("0000:01:00.0", 0x15b3, 0x101e);
        reply = manager(client, "GetDevice", "s", "0000:01:00.0");
        expect_text(reply, "\"VendorId\" <5555>");
}
END_TEST

START_TEST(get_group_of_no_group_is_not_found) {
        _cleanup_message_ Message *reply = manager(client_new(), "GetGroup", "u", 99);

        expect_refusal(reply, "NotFound", "99");
}
END_TEST

START_TEST(get_device_of_no_device_is_not_found) {
        _cleanup_message_ Message *reply = manager(client_new(), "GetDevice", "s", "0000:7f:00.0");

        expect_refusal(reply, "NotFound", "0000:7f:00.0");
}
END_TEST

START_TEST(get_device_refuses_what_is_no_name_of_a_device) {
        static const char *const names[] = {"", "group/2", "a b", "0000:01:40.0", "../../etc"};
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                _cleanup_message_ Message *reply = manager(client, "GetDevice", "s", names[i]);

                expect_refusal(reply, "InvalidTarget", "'");
        }
}
END_TEST

START_TEST(get_device_of_a_group_names_the_group) {
        static const char *const names[] = {"group/2", "group/77", "group/4294967296", "group/x",
                                            "group/00000000002"};
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                _cleanup_message_ Message *reply = manager(client, "GetDevice", "s", names[i]);
                _cleanup_free_ char *named =
                        string_format("'%s' is a group; name a device of it", names[i]);

                expect_refusal(reply, "InvalidTarget", i < 3 ? named : "''");
        }
}
END_TEST

/* One row a verdict: Device, Verdict, Viable, Bound, a part of Reason, a part of Remedy. */
static const struct {
        const char *device, *verdict, *flags, *reason, *remedy;
} explanations[] = {
        {"0000:00:1f.2", "host-driver", "false,false", "is bound to ahci", "chipset"},
        {"0000:01:00.0", "host-driver", "false,false", "is bound to e1000e", "group/2"},
        {"0000:00:1c.0", "bridge", "true,true", "is a bridge and needs", ""},
        {"0000:03:00.0", "vfio", "true,true", "is bound to the vfio driver vfio-pci", ""},
        {"0000:04:00.0", "no-driver", "true,false", "is bound to no driver", "group/5"},
        {"0000:00:1d.0", "bridge-driver", "false,false", "bound to shpchp", "echo 0000:00:1d.0"},
        {"0000:06:00.1", "managed", "true,true", "pci-stub", ""},
        {"0000:00:00.0", "bridge", "true,true", "is a bridge", ""},
        {"0000:00:1f.0", "host-driver", "false,false", "is bound to lpc_ich", "chipset"},
        {"10000000.gpu", "host-driver", "false,false", "is bound to panfrost", ""},
};

START_TEST(explain_gives_each_verdict_its_reason_and_its_remedy) {
        _cleanup_message_ Message *reply =
                manager(client_new(), "Explain", "as", 8, "group/0", "group/1", "group/2",
                        "group/4", "group/5", "group/6", "group/7", "group/8");
        _cleanup_free_ char *text = NULL;

        expect_done(reply);
        text = render(reply);
        for (size_t i = 0; i < ELEMENTS(explanations); i++) {
                bool viable = strncmp(explanations[i].flags, "true", 4) == 0;
                bool bound = strstr(explanations[i].flags, ",true");
                _cleanup_free_ char *begin_of =
                        string_format("\"Device\" <\"%s\">", explanations[i].device);
                _cleanup_free_ char *verdict = string_format(
                        "\"Verdict\" <\"%s\"> \"Viable\" <%s> \"Bound\" <%s> \"Reason\" <\"%s ",
                        explanations[i].verdict, viable ? "true" : "false",
                        bound ? "true" : "false", explanations[i].device);
                const char *from = strstr(text, begin_of);
                _cleanup_free_ char *member = NULL;

                ck_assert_msg(from, "%s is not explained", explanations[i].device);
                member = strndup(from, strcspn(from, "]"));
                expect_part(member, verdict);
                expect_part(member, explanations[i].reason);
                expect_part(strstr(member, "\"Remedy\""), explanations[i].remedy);
                ck_assert_msg(!viable || !bound || strstr(member, "\"Remedy\" <\"\">"),
                              "a remedy where nothing is to be done: %s", member);
        }
}
END_TEST

START_TEST(explain_of_one_member_explains_the_whole_group) {
        _cleanup_message_ Message *reply = manager(client_new(), "Explain", "as", 1, "01:00.1");

        expect_text(reply, "\"Device\" <\"0000:00:1c.0\">");
        expect_text(reply, "\"Device\" <\"0000:01:00.0\">");
        expect_text(reply, "\"Device\" <\"0000:01:00.1\">");
        expect_text(reply, "\"Group\" <2>");
}
END_TEST

START_TEST(properties_and_lists_say_the_same) {
        Client *client = client_new();
        _cleanup_message_ Message *list = manager(client, "ListDevices", NULL);
        _cleanup_free_ char *path = device_object("0000:01:00.0");
        _cleanup_message_ Message *all =
                ask(client, path, PROPERTIES, "GetAll", "s", VFIOD_INTERFACE_DEVICE);
        _cleanup_message_ Message *groups = manager(client, "ListGroups", NULL);
        _cleanup_message_ Message *group = ask(client, "/org/vfiod1/group/2", PROPERTIES, "GetAll",
                                               "s", VFIOD_INTERFACE_GROUP);
        _cleanup_free_ char *device_text = NULL, *group_text = NULL;

        expect_done(all);
        expect_done(group);
        device_text = render(all);
        group_text = render(group);
        expect_text(list, device_text);
        expect_text(groups, group_text);
}
END_TEST

START_TEST(the_overview_says_in_short_what_the_lists_say) {
        static const char *const order[] = {
                "(0 \"DMA-FQ\" true ",
                "(2 \"DMA-FQ\" false false \"/\" [(\"0000:00:1c.0\" \"pci\" \"pcieport\" "
                "\"bridge\" "
                "\"idle\" 6966 12 \"",
                "(\"0000:01:00.0\" \"pci\" \"e1000e\" \"host-driver\" \"idle\" 32902 4307 \"",
                "[\"eth0\"] \"\")",
                ("(4 \"DMA-FQ\" true true \"/org/vfiod1/lease/1\" [(\"0000:03:00.0\" \"pci\" "
                 "\"vfio-pci\" \"vfio\" \"leased\" 32902 4110 \""),
                ("(\"10000000.gpu\" \"platform\" \"panfrost\" \"host-driver\" \"idle\" 0 0 \"\" "
                 "\"\" [] \"\")"),
                "(9 \"DMA-FQ\" true true \"/\" [",
        };
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_message_ Message *reply = manager(client, "Overview", NULL);
        _cleanup_free_ char *text = NULL;

        expect_done(reply);
        text = render(reply);
        expect_order(text, order, ELEMENTS(order));
        ck_assert_uint_eq(count_parts(text, "\"DMA-FQ\""), ALL_GROUPS);
        ck_assert_uint_eq(count_parts(text, " \"pci\" ") + count_parts(text, " \"platform\" "),
                          ALL_DEVICES);
}
END_TEST

START_TEST(the_object_manager_lists_every_object_once) {
        Client *client = client_new();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
        _cleanup_message_ Message *reply =
                ask(client, VFIOD_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                    NULL);
        _cleanup_free_ char *text = NULL;

        expect_done(reply);
        text = render(reply);
        ck_assert_uint_eq(count_parts(text, "\"org.vfiod1.Group\" ["), ALL_GROUPS);
        ck_assert_uint_eq(count_parts(text, "\"org.vfiod1.Device\" ["), ALL_DEVICES);
        ck_assert_uint_eq(count_parts(text, "\"org.vfiod1.Lease\" ["), 1);
}
END_TEST

START_TEST(the_object_manager_lists_nothing_to_whom_the_lists_are_denied) {
        Client *client = client_new_as(NOBODY);
        _cleanup_message_ Message *reply =
                ask(client, VFIOD_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                    NULL);

        expect_error(reply, SD_BUS_ERROR_ACCESS_DENIED, "only root may do this");
}
END_TEST

START_TEST(the_object_manager_takes_no_arguments) {
        Client *client = client_new();
        _cleanup_message_ Message *reply =
                ask(client, VFIOD_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                    "s", "much");

        expect_error(reply, SD_BUS_ERROR_INVALID_ARGS, "GetManagedObjects has no arguments");
}
END_TEST

START_TEST(the_manager_tells_its_version_and_features) {
        Client *client = client_new();
        _cleanup_free_ char *version =
                property(client, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, "Version");
        _cleanup_free_ char *features =
                property(client, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, "Features");

        ck_assert_str_eq(version, "\"0.1.0\"");
        expect_part(features, "\"group\" \"type1v2\" \"viability-");
}
END_TEST

START_TEST(there_is_nothing_at_paths_of_what_is_not_there) {
        static const struct {
                const char *path, *interface;
        } rows[] = {
                {"/org/vfiod1/group/99", VFIOD_INTERFACE_GROUP},
                {"/org/vfiod1/group/02", VFIOD_INTERFACE_GROUP},
                {"/org/vfiod1/group/4294967298", VFIOD_INTERFACE_GROUP},
                {"/org/vfiod1/group/2/3", VFIOD_INTERFACE_GROUP},
                {"/org/vfiod1/device/_30000_3a7f_3a00_2e0", VFIOD_INTERFACE_DEVICE},
                {"/org/vfiod1/device/_", VFIOD_INTERFACE_DEVICE},
                {"/org/vfiod1/lease/1", VFIOD_INTERFACE_LEASE},
                {"/org/vfiod1/lease/0", VFIOD_INTERFACE_LEASE},
                {"/org/vfiod2", VFIOD_INTERFACE_MANAGER},
        };
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_message_ Message *reply = ask(client, rows[i].path, PROPERTIES, "Get",
                                                       "ss", rows[i].interface, "Name");

                ck_assert_msg(sd_bus_message_is_method_error(reply, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
                                      sd_bus_message_is_method_error(
                                              reply, SD_BUS_ERROR_UNKNOWN_INTERFACE),
                              "%s: %s", rows[i].path,
                              sd_bus_message_is_method_error(reply, NULL)
                                      ? sd_bus_message_get_error(reply)->name
                                      : "it is there");
        }
}
END_TEST

#define ODD_DEVICE "0000:08:00.0"

/* A device of group 10 on such a driver, with such an interface. */
static void plug_odd(const char *driver, const char *interface) {
        fake_machine_add(&(FakeDevice){.name = ODD_DEVICE,
                                       .group = 10,
                                       .driver = driver,
                                       .class_code = 0x020000,
                                       .interface = interface});
        fake_machine_announce("add", ODD_DEVICE);
        settle();
}

START_TEST(an_interface_whose_name_is_no_text_does_not_hide_the_others) {
        static const char *const members[] = {"ListDevices", "Overview"};
        Client *client = client_new();
        _cleanup_message_ Message *objects = NULL;
        _cleanup_free_ char *object = device_object(ODD_DEVICE), *interfaces = NULL;

        plug_odd("e1000e", "eth\xfe");
        ck_assert_uint_eq(count_signals(client, "InterfacesAdded", VFIOD_PATH, object), 1);
        for (size_t i = 0; i < ELEMENTS(members); i++) {
                _cleanup_message_ Message *reply = manager(client, members[i], NULL);

                expect_text(reply, "\"eth?\"");
        }
        objects = ask(client, VFIOD_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                      NULL);
        expect_text(objects, "\"Interfaces\" <[\"eth?\"]>");
        interfaces = device_property(client, ODD_DEVICE, "Interfaces");
        ck_assert_str_eq(interfaces, "[\"eth?\"]");
}
END_TEST

/* No kernel has such a driver, but all else is made text where it is read. */
START_TEST(a_refusal_that_names_what_is_no_text_is_answered) {
        Client *client = client_new();
        _cleanup_message_ Message *refused = NULL, *unlisted = NULL;

        plug_odd("odd\xff", NULL);
        refused = manager(client, "Acquire", "asa{sv}", 1, ODD_DEVICE, 0);
        expect_refusal(refused, "NotViable", "no text");
        unlisted = manager(client, "ListDevices", NULL);
        expect_error(unlisted, SD_BUS_ERROR_INVALID_ARGS, "");
}
END_TEST

START_TEST(no_property_can_be_written) {
        _cleanup_message_ Message *reply =
                ask(client_new(), "/org/vfiod1/group/2", PROPERTIES, "Set", "ssv",
                    VFIOD_INTERFACE_GROUP, "Type", "s", "identity");

        expect_error(reply, SD_BUS_ERROR_PROPERTY_READ_ONLY, "Type");
}
END_TEST

START_TEST(reading_does_nothing_to_the_machine) {
        static const char *const members[] = {"ListGroups", "ListDevices", "ListLeases",
                                              "Overview"};
        Client *client = client_new();
        _cleanup_message_ Message *explained = NULL;
        _cleanup_free_ char *calls = NULL;

        for (size_t i = 0; i < ELEMENTS(members); i++) {
                _cleanup_message_ Message *reply = manager(client, members[i], NULL);

                expect_done(reply);
        }
        explained = manager(client, "Explain", "as", 1, "group/2");
        expect_done(explained);
        calls = fake_machine_calls();
        ck_assert_str_eq(calls, "");
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-list");

        tcase_add_test(tests, list_groups_gives_every_group_by_number);
        tcase_add_test(tests, a_group_says_what_it_is_and_what_blocks_it);
        tcase_add_test(tests, a_bound_group_is_viable_and_bound_and_nothing_blocks_it);
        tcase_add_test(tests, list_devices_gives_every_device_by_group_then_name);
        tcase_add_test(tests, a_device_says_what_it_is);
        tcase_add_test(tests, a_device_on_a_vfio_driver_says_so_and_names_its_cdev);
        tcase_add_test(tests, a_platform_device_has_no_pci_ids);
        tcase_add_test(tests, list_leases_is_empty_at_first_and_then_oldest_first);
        tcase_add_test(tests, get_group_reads_the_group_afresh);
        tcase_add_test(tests, get_group_of_no_group_is_not_found);
        tcase_add_test(tests, get_device_of_no_device_is_not_found);
        tcase_add_test(tests, get_device_refuses_what_is_no_name_of_a_device);
        tcase_add_test(tests, get_device_of_a_group_names_the_group);
        tcase_add_test(tests, explain_gives_each_verdict_its_reason_and_its_remedy);
        tcase_add_test(tests, explain_of_one_member_explains_the_whole_group);
        tcase_add_test(tests, properties_and_lists_say_the_same);
        tcase_add_test(tests, the_overview_says_in_short_what_the_lists_say);
        tcase_add_test(tests, the_object_manager_lists_every_object_once);
        tcase_add_test(tests, the_object_manager_lists_nothing_to_whom_the_lists_are_denied);
        tcase_add_test(tests, the_object_manager_takes_no_arguments);
        tcase_add_test(tests, the_manager_tells_its_version_and_features);
        tcase_add_test(tests, there_is_nothing_at_paths_of_what_is_not_there);
        tcase_add_test(tests, an_interface_whose_name_is_no_text_does_not_hide_the_others);
        tcase_add_test(tests, a_refusal_that_names_what_is_no_text_is_answered);
        tcase_add_test(tests, no_property_can_be_written);
        tcase_add_test(tests, reading_does_nothing_to_the_machine);
        return bus_tests_run(tests);
}
