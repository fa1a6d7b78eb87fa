/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* client/tree.h: what `vfioctl list` prints for given rows. */

#include "client/tree.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

#define INTEL .vendor = 0x8086, .vendor_name = "Intel Corporation"
#define EMPTY                                                                                      \
        .bus = "pci", .driver = "", .verdict = "no-driver", .state = "idle", .vendor_name = "",    \
        .device_name = ""

static const Style ascii = {.width = 80};
static const Style utf8 = {.width = 80, .utf8 = true};
static const GroupSet all = {0};

static char *eth0[] = {(char *)"eth0", NULL};

static char *print(const Style *style, const Listing *listing, const GroupSet *wanted) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(tree_print(f, style, listing, wanted), 0);
        ck_assert_int_eq(fclose(f), 0);
        return text;
}

/* One group with the given devices; `lease` is NULL for none. */
static char *print_one_group(const Style *style, GroupRow group, DeviceRow *devices, size_t n,
                             LeaseRow *lease) {
        Listing listing = {
                .groups = &group,
                .n_groups = 1,
                .devices = devices,
                .n_devices = n,
                .leases = lease,
                .n_leases = lease ? 1 : 0,
        };

        return print(style, &listing, &all);
}

static DeviceRow network_card(const char *name) {
        return (DeviceRow){
                INTEL,
                .name = name,
                .bus = "pci",
                .group = 3,
                .driver = "e1000e",
                .verdict = "host-driver",
                .state = "idle",
                .device = 0x10d3,
                .device_name = "82574L Gigabit Network Connection",
        };
}

static DeviceRow bridge(const char *name) {
        DeviceRow row = {EMPTY, .name = name, .group = 3, .vendor = 0x1b36, .device = 0x000e};

        row.verdict = "bridge";
        return row;
}

START_TEST(members_hang_under_their_group) {
        DeviceRow devices[] = {bridge("0000:00:03.0"), network_card("0000:03:01.0")};
        _cleanup_free_ char *text =
                print_one_group(&ascii, (GroupRow){.number = 3, .type = "DMA", .lease = "/"},
                                devices, ELEMENTS(devices), NULL);

        ck_assert_str_eq(text, "group/3  not viable  DMA\n"
                               "|-- 0000:00:03.0  -       1b36:000e\n"
                               "`-- 0000:03:01.0  e1000e  Intel Corporation 82574L Gigabit "
                               "Network Connection\n");
}
END_TEST

START_TEST(a_terminal_that_can_gets_lines) {
        DeviceRow devices[] = {bridge("0000:00:03.0"), bridge("0000:00:03.1")};
        _cleanup_free_ char *text = print_one_group(
                &utf8, (GroupRow){.number = 3, .type = "", .viable = 1, .lease = "/"}, devices,
                ELEMENTS(devices), NULL);

        ck_assert_str_eq(text, "group/3  only bridges\n"
                               "\u251c\u2500\u2500 0000:00:03.0  -  1b36:000e\n"
                               "\u2514\u2500\u2500 0000:00:03.1  -  1b36:000e\n");
}
END_TEST

START_TEST(a_group_of_bridges_and_a_device_without_a_driver_is_viable) {
        DeviceRow devices[] = {bridge("0000:00:03.0"), network_card("0000:03:01.0")};
        GroupRow groups[] = {{.number = 3, .type = "", .viable = 1, .lease = "/"},
                             {.number = 4, .type = "", .viable = 1, .lease = "/"}};
        Listing listing = {.groups = groups, .n_groups = 2, .devices = devices, .n_devices = 2};
        _cleanup_free_ char *text = NULL;

        devices[1].driver = "";
        devices[1].verdict = "no-driver";
        text = print(&ascii, &listing, &all);
        ck_assert_int_eq(strncmp(text, "group/3  viable\n", 16), 0);
        ck_assert_ptr_nonnull(strstr(text, "\ngroup/4  viable\n"));
}
END_TEST

START_TEST(interfaces_and_trouble_come_before_the_name) {
        DeviceRow device = network_card("0000:01:00.0");
        _cleanup_free_ char *text = NULL;

        device.interfaces = eth0;
        device.state = "stuck";
        text = print_one_group(&ascii, (GroupRow){.number = 3, .type = "DMA", .lease = "/"},
                               &device, 1, NULL);
        ck_assert_str_eq(text, "group/3  not viable  DMA\n"
                               "`-- 0000:01:00.0  e1000e  (stuck) eth0: Intel Corporation 82574L "
                               "Gigabit Netw...\n");
}
END_TEST

START_TEST(why_a_device_is_stuck_is_told_in_full_in_a_line_of_its_own) {
        static char reason[] = "a process that cannot be found has group 3 open, or one of the "
                               "devices in it";
        GroupRow group = {.number = 3, .type = "DMA", .viable = 1, .bound = 1, .lease = "/"};
        DeviceRow devices[] = {network_card("0000:03:01.0"), network_card("0000:03:02.0")};
        _cleanup_free_ char *first = NULL, *last = NULL;

        devices[0].state = devices[1].state = "stuck";
        devices[0].trouble = reason;
        first = print_one_group(&utf8, group, devices, 2, NULL);
        last = print_one_group(&ascii, group, devices, 1, NULL);
        ck_assert_str_eq(
                first, "group/3  bound  DMA\n"
                       "\u251c\u2500\u2500 0000:03:01.0  e1000e  (stuck) Intel Corporation 82574L "
                       "Gigabit Network Conn\u2026\n"
                       "\u2502     a process that cannot be found has group 3 open, or one of the "
                       "devices in\n"
                       "      it\n"
                       "\u2514\u2500\u2500 0000:03:02.0  e1000e  (stuck) Intel Corporation 82574L "
                       "Gigabit Network Conn\u2026\n");
        ck_assert_ptr_nonnull(strstr(last, "\n      a process that cannot be found has "));
}
END_TEST

START_TEST(a_device_off_pci_is_described_by_its_bus) {
        DeviceRow device = {EMPTY, .name = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001", .group = 9};
        _cleanup_free_ char *text = NULL;

        device.bus = "mdev";
        device.driver = "vfio_mdev";
        text = print_one_group(
                &ascii, (GroupRow){.number = 9, .type = "", .viable = 1, .bound = 1, .lease = "/"},
                &device, 1, NULL);
        ck_assert_str_eq(text, "group/9  bound\n"
                               "`-- 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001  vfio_mdev  mdev\n");
}
END_TEST

START_TEST(a_lease_says_who_has_the_group) {
        GroupRow group = {.number = 3,
                          .type = "DMA",
                          .viable = 1,
                          .bound = 1,
                          .lease = "/org/vfiod1/lease/7"};
        LeaseRow lease = {
                .path = "/org/vfiod1/lease/7", .owner = 1000, .label = "", .state = "held"};
        struct {
                const char *label, *state, *expected;
                char *user;
        } rows[] = {
                {"vm 1", "held", "group/3  bound  DMA  leased to alice: vm 1 (lease/7)\n",
                 (char *)"alice"},
                {"", "draining", "group/3  bound  DMA  leased to alice (lease/7, draining)\n",
                 (char *)"alice"},
                {"", "held", "group/3  bound  DMA  leased to uid 1000 (lease/7)\n", NULL},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *text = NULL;

                lease.label = rows[i].label;
                lease.state = rows[i].state;
                lease.user = rows[i].user;
                text = print_one_group(&ascii, group, NULL, 0, &lease);
                assert_row_str(rows[i].state, text, rows[i].expected);
        }
}
END_TEST

START_TEST(a_lease_newer_than_the_list_of_leases_is_named_by_its_path) {
        GroupRow group = {
                .number = 3, .type = "", .viable = 1, .bound = 1, .lease = "/org/vfiod1/lease/8"};
        _cleanup_free_ char *text = print_one_group(&ascii, group, NULL, 0, NULL);

        ck_assert_str_eq(text, "group/3  bound  leased (lease/8)\n");
}
END_TEST

START_TEST(no_line_is_longer_than_80_columns) {
        GroupRow group = {.number = 4294967295, .type = "DMA-FQ", .lease = "/org/vfiod1/lease/7"};
        LeaseRow lease = {
                .path = "/org/vfiod1/lease/7",
                .state = "draining",
                .label = "sixty-four bytes of label are what a lease may have, no more, ok",
                .user = (char *)"a-user-with-a-long-name",
        };
        DeviceRow device = network_card("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");
        _cleanup_free_ char *text = NULL;

        device.group = group.number;
        device.driver = "nvgrace_gpu_vfio_pci_with_a_long_name";
        text = print_one_group(&ascii, group, &device, 1, &lease);
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
                ck_assert_msg(text_width(line) <= 80, "%zu columns: %s", text_width(line), line);
}
END_TEST

START_TEST(only_the_wanted_groups_are_shown) {
        GroupRow groups[] = {
                {.number = 1, .type = "", .viable = 1, .lease = "/"},
                {.number = 2, .type = "", .viable = 1, .lease = "/"},
                {.number = 5, .type = "", .viable = 1, .lease = "/"},
        };
        DeviceRow devices[] = {
                {EMPTY, .name = "a-very-long-name-of-group-1", .group = 1},
                {EMPTY, .name = "b", .group = 2},
                {EMPTY, .name = "c", .group = 2},
                {EMPTY, .name = "d", .group = 5},
        };
        uint32_t two[] = {2, 2};
        GroupSet wanted = {.numbers = two, .n = ELEMENTS(two)};
        Listing listing = {.groups = groups,
                           .n_groups = ELEMENTS(groups),
                           .devices = devices,
                           .n_devices = ELEMENTS(devices)};
        _cleanup_free_ char *text = print(&ascii, &listing, &wanted);

        ck_assert_str_eq(text, "group/2  viable\n|-- b  -  pci\n`-- c  -  pci\n");
}
END_TEST

START_TEST(a_machine_without_groups_has_an_empty_list) {
        Listing listing = LISTING_NULL;
        _cleanup_free_ char *text = print(&ascii, &listing, &all);

        ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(red_stands_in_the_way_and_green_does_not) {
        static const Style coloured = {.width = 80, .colour = true};
        DeviceRow device = network_card("a");
        _cleanup_free_ char *red = NULL, *green = NULL;

        red = print_one_group(&coloured, (GroupRow){.number = 3, .type = "", .lease = "/"}, &device,
                              1, NULL);
        ck_assert_ptr_nonnull(strstr(red, "\033[31me1000e\033[0m"));
        device.verdict = "vfio";
        device.driver = "vfio-pci";
        green = print_one_group(&coloured, (GroupRow){.number = 3, .type = "", .lease = "/"},
                                &device, 1, NULL);
        ck_assert_ptr_nonnull(strstr(green, "\033[32mvfio-pci\033[0m"));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfioctl-tree");

        tcase_add_test(tests, members_hang_under_their_group);
        tcase_add_test(tests, a_terminal_that_can_gets_lines);
        tcase_add_test(tests, a_group_of_bridges_and_a_device_without_a_driver_is_viable);
        tcase_add_test(tests, interfaces_and_trouble_come_before_the_name);
        tcase_add_test(tests, why_a_device_is_stuck_is_told_in_full_in_a_line_of_its_own);
        tcase_add_test(tests, a_device_off_pci_is_described_by_its_bus);
        tcase_add_test(tests, a_lease_says_who_has_the_group);
        tcase_add_test(tests, a_lease_newer_than_the_list_of_leases_is_named_by_its_path);
        tcase_add_test(tests, no_line_is_longer_than_80_columns);
        tcase_add_test(tests, only_the_wanted_groups_are_shown);
        tcase_add_test(tests, a_machine_without_groups_has_an_empty_list);
        tcase_add_test(tests, red_stands_in_the_way_and_green_does_not);
        return tests_run(tests);
}
