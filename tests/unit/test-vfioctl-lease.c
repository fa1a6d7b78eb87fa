/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * vfioctl as a whole, against a scripted daemon: what it does with devices and leases of both
 * modes. exec, qemu-args, inspect, add and remove.
 */

#include <json-c/json_c_version.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-vfioctl.h"

#define LINE(...) ((char **)(const char *[]){__VA_ARGS__, NULL})
#define N SCRIPT_DEVICE
/* As json-c writes it, which has a line break in it before 0.18. */
#define EMPTY_LIST (json_c_version_num() < 0x001200 ? "[\n]\n" : "[]\n")
#define REFUSED VFIOD_ERROR_PREFIX "Leased"

static void run(Vfioctl *v, const Script *script, char *const *arguments) {
        vfioctl_start(v, script, arguments);
        vfioctl_finish(v);
}

static void assert_part(const char *text, const char *part) {
        ck_assert_msg(strstr(text, part), "'%s' is not in: %s", part, text);
}

/* What a line of vfioctl says, and what the daemon hears of it. */
static void check(const Script *script, char *const *arguments, int status, const char *out,
                  const char *heard) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, script, arguments);
        ck_assert_msg(v.status == status, "%d: %s", v.status, vfioctl_stderr(&v));
        ck_assert_str_eq(status == 0 ? vfioctl_stdout(&v) : vfioctl_stderr(&v), out);
        ck_assert_str_eq(v.heard, heard);
}

/* A line that means nothing, and what is said of it. */
typedef struct Misuse {
        const char *line[7];
        const char *sentence;
} Misuse;

/* The daemon hears nothing of it. */
static void expect_misuse(const Misuse *misuse) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){0}, (char **)misuse->line);
        ck_assert_msg(v.status == 2, "%s: status %d", misuse->sentence, v.status);
        assert_part(vfioctl_stderr(&v), misuse->sentence);
        ck_assert_str_eq(v.heard, "");
}

START_TEST(no_verb_at_all_is_told_where_they_are) {
        expect_misuse(&(Misuse){{NULL}, "no verb given; 'vfioctl --help' lists them"});
        expect_misuse(&(Misuse){{"--json"}, "no verb given; 'vfioctl --help' lists them"});
}
END_TEST

START_TEST(exec_asks_for_the_mode_of_its_placeholders) {
        check(&(Script){.n_devices = 1, .iommufd = true},
              LINE("exec", N, "--", "sh", "-c", "readlink /proc/self/fd/$0 /proc/self/fd/$1",
                   "{iommufd}", "{cdev}"),
              0, "/dev/null\n/dev/null\n", "Acquire [\"" N "\"] {\"mode\":\"iommufd\"}\nleft\n");
        check(&(Script){.n_devices = 1},
              LINE("exec", N, "--", "sh", "-c", "readlink /proc/self/fd/$0", "{container}"), 0,
              "/dev/null\n", "Acquire [\"" N "\"] {\"mode\":\"group\"}\nleft\n");
        check(&(Script){.n_devices = 1}, LINE("exec", N, "--", "true"), 0, "",
              "Acquire [\"" N "\"] {}\nleft\n");
}
END_TEST

START_TEST(exec_with_placeholders_of_two_modes_asks_for_nothing) {
        check(&(Script){0}, LINE("exec", N, "--", "x", "{group}", "{cdev}"), 2,
              "vfioctl: '{cdev}': there is no cdev file in group mode\n", "");
        check(&(Script){0}, LINE("exec", "--mode=iommufd", N, "--", "x", "{device}"), 2,
              "vfioctl: '{device}': there is no device file in iommufd mode\n", "");
}
END_TEST

START_TEST(exec_tells_the_program_what_it_has) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.n_devices = 1, .iommufd = true},
            LINE("exec", "--prepare=attach", "--memlock=1M", "--cookie", N "=7", "--hot-reset", N,
                 "--", "sh", "-c",
                 "echo $VFIOD_LEASE $VFIOD_IOAS $VFIOD_FDS; readlink /proc/self/fd/$VFIOD_LEASE_FD",
                 "{iommufd}"));
        ck_assert_int_eq(v.status, 0);
        assert_part(vfioctl_stdout(&v), SCRIPT_LEASE " 5 iommufd:=");
        assert_part(vfioctl_stdout(&v), " cdev:" N "=");
        assert_part(vfioctl_stdout(&v), "\npipe:[");
        assert_part(v.heard, "{\"mode\":\"iommufd\",\"prepare\":\"attach\",\"hot_reset\":true,"
                             "\"memlock\":1048576,\"cookies\":{\"" N "\":7}}\n");
}
END_TEST

START_TEST(acquire_lists_more_files_than_a_message_carries) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.n_devices = 40, .end_at = 300}, LINE("acquire", N));
        ck_assert_int_eq(v.status, 1);
        ck_assert_str_eq(vfioctl_stderr(&v), "vfioctl: " SCRIPT_LEASE " has ended\n");
        assert_part(vfioctl_stdout(&v), "lease " SCRIPT_LEASE "\ncontainer\ngroup 3\ndevice " N);
        assert_part(vfioctl_stdout(&v), "\ndevice 0000:01:00.39\n");
        ck_assert_uint_eq(vfioctl_count_heard(&v, "GetFds"), 3);
}
END_TEST

START_TEST(what_acquire_would_do_is_asked_with_its_options) {
        check(&(Script){0}, LINE("acquire", "-n", "--bind", "--mode=group", N), 0,
              "1. ask for it\n",
              "Plan \"acquire\" [\"" N "\"] {\"mode\":\"group\",\"bind\":true}\nleft\n");
}
END_TEST

#define QEMU_DEVICE(name, id) "-device vfio-pci,iommufd=iommufd0,fd={cdev:" name "},id=" id
#define QEMU_IOMMUFD "-object iommufd,id=iommufd0,fd={iommufd} "

START_TEST(qemu_is_given_the_iommufd_and_each_device) {
        check(&(Script){0}, LINE("qemu-args", "01:00.0"), 0,
              QEMU_IOMMUFD QEMU_DEVICE(N, "vfio-0000-01-00.0") "\n",
              "Explain [\"01:00.0\"]\nleft\n");
        check(&(Script){0}, LINE("qemu-args", "group/3", SCRIPT_ADDED), 0,
              QEMU_IOMMUFD QEMU_DEVICE(N, "vfio-0000-01-00.0") " " QEMU_DEVICE(
                      SCRIPT_SIBLING,
                      "vfio-0000-01-00.1") " " QEMU_DEVICE(SCRIPT_ADDED, "vfio-0000-02-00.0") "\n",
              "Explain [\"group/3\",\"" SCRIPT_ADDED "\"]\nleft\n");
}
END_TEST

START_TEST(a_kernel_without_iommufd_is_noted_beside_what_qemu_is_given) {
        _cleanup_vfioctl_ Vfioctl with, without;

        run(&with, &(Script){0}, LINE("qemu-args", N));
        ck_assert_int_eq(with.status, 0);
        ck_assert_str_eq(vfioctl_stderr(&with), "");
        run(&without, &(Script){.no_iommufd = true}, LINE("qemu-args", N));
        ck_assert_int_eq(without.status, 0);
        ck_assert_str_eq(vfioctl_stdout(&without), vfioctl_stdout(&with));
        assert_part(vfioctl_stderr(&without), "vfioctl: this kernel has no iommufd, or no cdevs");
}
END_TEST

START_TEST(what_qemu_is_given_exec_fills_in) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.n_devices = 1, .iommufd = true},
            LINE("exec", "--prepare=open", N, "--", "echo", "iommufd,id=iommufd0,fd={iommufd}",
                 "vfio-pci,iommufd=iommufd0,fd={cdev:" N "},id=vfio-0000-01-00.0"));
        ck_assert_int_eq(v.status, 0);
        ck_assert_ptr_null(strchr(vfioctl_stdout(&v), '{'));
        assert_part(vfioctl_stdout(&v), "iommufd,id=iommufd0,fd=");
}
END_TEST

START_TEST(in_json_each_argument_of_qemu_is_a_string) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){0}, LINE("qemu-args", "--json", "--iommufd-id=i-1", N));
        ck_assert_int_eq(v.status, 0);
        assert_part(vfioctl_stdout(&v), "\"-object\"");
        assert_part(vfioctl_stdout(&v), "\"iommufd,id=i-1,fd={iommufd}\"");
        assert_part(vfioctl_stdout(&v), "\"vfio-pci,iommufd=i-1,fd={cdev:" N "},id=");
}
END_TEST

START_TEST(ids_that_qemu_does_not_take_are_refused) {
        static const char *const ids[] = {"--iommufd-id=", "--iommufd-id=1", "--iommufd-id=a,b",
                                          "--iommufd-id=a b"};

        for (size_t i = 0; i < ELEMENTS(ids); i++) {
                _cleanup_vfioctl_ Vfioctl v;

                run(&v, &(Script){0}, LINE("qemu-args", ids[i], N));
                ck_assert_int_eq(v.status, 2);
                assert_part(vfioctl_stderr(&v), "' is no id for QEMU\n");
        }
}
END_TEST

START_TEST(what_is_not_bound_is_for_qemu_only_once_it_will_be) {
        const Script unbound = {.verdict = "host-driver"};

        check(&unbound, LINE("qemu-args", "group/3"), 1,
              "vfioctl: group/3 has no device on a vfio driver: 'vfioctl bind group/3' first\n",
              "Explain [\"group/3\"]\nleft\n");
        check(&unbound, LINE("qemu-args", "--bind", "group/4"), 0,
              QEMU_IOMMUFD QEMU_DEVICE(SCRIPT_ADDED, "vfio-0000-02-00.0") "\n",
              "Explain [\"group/4\"]\nleft\n");
        check(&(Script){.verdict = "managed"}, LINE("qemu-args", "--bind", "group/4"), 1,
              "vfioctl: group/4 has no device for a vfio driver\n",
              "Explain [\"group/4\"]\nleft\n");
}
END_TEST

START_TEST(a_device_that_is_not_pci_is_nothing_for_qemu) {
        check(&(Script){.member = "fff51000.ethernet"}, LINE("qemu-args", "group/4"), 1,
              "vfioctl: fff51000.ethernet is no PCI device, and nothing for QEMU's vfio-pci\n",
              "Explain [\"group/4\"]\nleft\n");
        check(&(Script){.member = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"},
              LINE("qemu-args", "group/4"), 0,
              QEMU_IOMMUFD QEMU_DEVICE("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
                                       "vfio-83b8f4f2-509f-382f-3c1e-e6bfe0fa1001") "\n",
              "Explain [\"group/4\"]\nleft\n");
        check(&(Script){.member = "10000:01:00.0"}, LINE("qemu-args", "group/4"), 0,
              QEMU_IOMMUFD QEMU_DEVICE("10000:01:00.0", "vfio-10000-01-00.0") "\n",
              "Explain [\"group/4\"]\nleft\n");
}
END_TEST

START_TEST(a_target_that_qemu_args_does_not_know_is_refused_by_vfiod) {
        check(&(Script){.failing = "Explain", .error = VFIOD_ERROR_PREFIX "NotFound"},
              LINE("qemu-args", "group/9"), 3,
              "vfioctl: as scripted [" VFIOD_ERROR_PREFIX "NotFound]\n",
              "Explain [\"group/9\"]\nleft\n");
}
END_TEST

START_TEST(inspect_shows_regions_interrupts_and_iommu) {
        check(&(Script){.iommufd = true}, LINE("inspect", "01:00.0"), 0,
              N "\n"
                "            Mode: iommufd\n"
                "           Flags: reset pci\n"
                "          Resets: flr bus\n"
                "          HwType: intel-vtd\n"
                "     HwPasidBits: 20\n"
                "  HwCapabilities: dirty-tracking 0x10\n"
                "REGION  NAME    SIZE      OFFSET         ACCESS\n"
                "0       bar0    0x100000  0x0            read write mmap\n"
                "2       bar2    0x4000    0x20000000000  read write\n"
                "                                         mmap 0x0-0xfff\n"
                "                                         mmap 0x3000-0x3fff\n"
                "                                         mmap of the MSI-X table\n"
                "7       config  0x100     0x70000000000  read write\n"
                "IRQ  NAME  COUNT  FLAGS\n"
                "0    intx  1      eventfd maskable automasked\n"
                "1    msi   4      eventfd noresize\n",
              "Explain [\"01:00.0\"]\nGetDevice \"" N "\"\nInspect\nleft\n");
}
END_TEST

START_TEST(override_safety_is_told_with_bind_alone_and_with_acquire) {
        _cleanup_vfioctl_ Vfioctl plain, driver, plan, acquire;

        run(&plain, &(Script){0}, LINE("bind", "--override-safety", N));
        assert_part(plain.heard, "Bind [\"" N "\"] {\"override_safety\":true}\n");
        run(&driver, &(Script){0}, LINE("bind", "--override-safety", "-d", "vfio-pci", N));
        assert_part(driver.heard,
                    "Bind [\"" N "\"] {\"driver\":\"vfio-pci\",\"override_safety\":true}\n");
        run(&plan, &(Script){0}, LINE("bind", "-n", "--override-safety", N));
        assert_part(plan.heard, "Plan \"bind\" [\"" N "\"] {\"override_safety\":true}\n");
        run(&acquire, &(Script){0}, LINE("acquire", "-n", "--bind", "--override-safety", N));
        assert_part(acquire.heard, "\"bind\":true,\"override_safety\":true");
}
END_TEST

START_TEST(reset_is_of_one_device_and_silent) {
        check(&(Script){0}, LINE("reset", "01:00.0"), 0, "",
              "GetDevice \"01:00.0\"\nReset \"\"\nleft\n");
        check(&(Script){0}, LINE("reset", N, "--method=hot"), 0, "",
              "GetDevice \"" N "\"\nReset \"hot\"\nleft\n");
        check(&(Script){0}, LINE("reset", N, "-m", "flr"), 0, "",
              "GetDevice \"" N "\"\nReset \"flr\"\nleft\n");
}
END_TEST

START_TEST(a_reset_that_is_refused_fails_with_what_vfiod_says) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){.failing = "Reset", .error = VFIOD_ERROR_PREFIX "NoReset"},
            LINE("reset", N));
        ck_assert_int_ne(v.status, 0);
        ck_assert_str_eq(vfioctl_stdout(&v), "");
}
END_TEST

START_TEST(assign_says_what_does_not_happen_now) {
        _cleanup_vfioctl_ Vfioctl later, now;

        run(&later, &(Script){0}, LINE("assign", N));
        ck_assert_int_eq(later.status, 0);
        ck_assert_str_eq(later.heard, "Assign [\"" N "\"] {}\nleft\n");
        assert_part(vfioctl_stderr(&later), "vfioctl: assigned from the next boot on; ");
        run(&now, &(Script){0}, LINE("assign", "--now", "--override-safety", "-d", "x", N));
        ck_assert_str_eq(now.heard, "Assign [\"" N "\"] {\"driver\":\"x\",\"bind\":true,"
                                    "\"override_safety\":true}\nleft\n");
        ck_assert_str_eq(vfioctl_stderr(&now), "");
}
END_TEST

START_TEST(unassign_and_dry_runs_ask_for_no_more) {
        check(&(Script){0}, LINE("unassign", N), 0, "", "Unassign [\"" N "\"] {}\nleft\n");
        check(&(Script){0}, LINE("unassign", "-n", N), 0, "1. ask for it\n",
              "Plan \"unassign\" [\"" N "\"] {}\nleft\n");
        check(&(Script){0}, LINE("assign", "-n", "--now", N), 0, "1. ask for it\n",
              "Plan \"assign\" [\"" N "\"] {\"bind\":true}\nleft\n");
}
END_TEST

START_TEST(vfs_with_a_number_is_silent) {
        check(&(Script){0}, LINE("vfs", "01:00.0", "4"), 0, "",
              "GetDevice \"01:00.0\"\nSetVfs 4 {}\nleft\n");
        check(&(Script){0}, LINE("vfs", N, "--recreate", "0"), 0, "",
              "GetDevice \"" N "\"\nSetVfs 0 {\"recreate\":true}\nleft\n");
        check(&(Script){0}, LINE("vfs", N, "1", "--autoprobe", "no"), 0, "",
              "GetDevice \"" N "\"\nSetVfs 1 {\"autoprobe\":false}\nleft\n");
        check(&(Script){0}, LINE("vfs", N, "1", "--autoprobe=no", "--autoprobe=yes"), 0, "",
              "GetDevice \"" N "\"\nSetVfs 1 {\"autoprobe\":true}\nleft\n");
}
END_TEST

START_TEST(vfs_takes_numbers_and_options_that_make_sense) {
        static const Misuse rows[] = {
                {{"vfs", N, "four"}, "'four' is no number of virtual functions"},
                {{"vfs", N, "-1"}, "unknown option '-1'"},
                {{"vfs", N, "65536"}, "'65536' is no number of virtual functions"},
                {{"vfs", N, "--recreate"}, "--recreate and --autoprobe need a COUNT"},
                {{"vfs", N, "--autoprobe=no"}, "--recreate and --autoprobe need a COUNT"},
                {{"vfs", N, "1", "--autoprobe=maybe"},
                 "--autoprobe: 'maybe' is neither yes nor no"},
                {{"vfs", N, "1", "2"}, "'vfs' has no place for '2'"},
                {{"vfs"}, "too few arguments"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                expect_misuse(&rows[i]);
}
END_TEST

START_TEST(types_of_mediated_devices_are_a_table) {
        check(&(Script){.n_devices = 1}, LINE("mdev", "types"), 0,
              "PARENT  TYPE    AVAILABLE  DEVICES  API       NAME\n"
              "mtty    mtty-2  11         1        vfio-pci  Dual port serial\n",
              "ListMdevTypes \"\"\nleft\n");
        check(&(Script){0}, LINE("mdev", "types", "mtty"), 0, "", "ListMdevTypes \"mtty\"\nleft\n");
        check(&(Script){0}, LINE("mdev", "types", "--json"), 0, EMPTY_LIST,
              "ListMdevTypes \"\"\nleft\n");
}
END_TEST

START_TEST(mdev_create_prints_the_uuid) {
        check(&(Script){0}, LINE("mdev", "create", "mtty", "mtty-2"), 0, SCRIPT_UUID "\n",
              "CreateMdev \"mtty\" \"mtty-2\" \"\" {}\nleft\n");
        check(&(Script){0}, LINE("mdev", "create", "mtty", "mtty-2", "u", "--json"), 0,
              "{\n  \"Name\": \"" SCRIPT_UUID "\"\n}\n",
              "CreateMdev \"mtty\" \"mtty-2\" \"u\" {}\nleft\n");
}
END_TEST

START_TEST(mdev_remove_is_of_each_in_turn_and_silent) {
        check(&(Script){0}, LINE("mdev", "remove", N, "01:00.0"), 0, "",
              "GetDevice \"" N "\"\nRemoveMdev\nGetDevice \"01:00.0\"\nRemoveMdev\nleft\n");
}
END_TEST

START_TEST(mdev_knows_three_words_and_how_many_come_behind_each) {
        static const Misuse rows[] = {
                {{"mdev"}, "too few arguments"},
                {{"mdev", "start"}, "'start' is none of types, create and remove"},
                {{"mdev", "types", "a", "b"}, "too many arguments for 'types'"},
                {{"mdev", "create", "a"}, "too few arguments for 'create'"},
                {{"mdev", "create", "a", "b", "c", "d"}, "too many arguments for 'create'"},
                {{"mdev", "remove"}, "too few arguments for 'remove'"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                expect_misuse(&rows[i]);
}
END_TEST

START_TEST(inspect_of_a_group_is_of_its_devices) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){0}, LINE("inspect", "group/3"));
        ck_assert_int_eq(v.status, 3);
        ck_assert_str_eq(vfioctl_stdout(&v), "");
        assert_part(v.heard, "GetDevice \"" N "\"\nInspect\nGetDevice \"" SCRIPT_SIBLING "\"\n");
}
END_TEST

START_TEST(inspect_in_json_has_a_name_for_everything) {
        _cleanup_vfioctl_ Vfioctl v, plain;
        static const char *const parts[] = {
                "\"Name\": \"" N "\"",    "\"Mode\": \"iommufd\"",
                "\"MsixMappable\": true", "\"Offset\": 12288",
                "\"Size\": 4096",         "\"HwType\": \"intel-vtd\"",
                "\"HwPasidBits\": 20",    "\"HwData\": \"01020304\"",
                "\"Count\": 4",           "\"Resets\": [",
                "\"Areas\": [",           "\"Name\": \"rom\"",
        };

        run(&v, &(Script){.iommufd = true}, LINE("inspect", N, "--json"));
        ck_assert_int_eq(v.status, 0);
        for (size_t i = 0; i < ELEMENTS(parts); i++)
                assert_part(vfioctl_stdout(&v), parts[i]);
        run(&plain, &(Script){0}, LINE("inspect", N, "--json"));
        ck_assert_ptr_null(strstr(vfioctl_stdout(&plain), "Hw"));
}
END_TEST

START_TEST(groups_are_added_to_a_lease_and_removed) {
        check(&(Script){.n_devices = 1}, LINE("add", "7", "--bind", "--hot-reset", SCRIPT_ADDED), 0,
              "", "Add [\"" SCRIPT_ADDED "\"] {\"bind\":true,\"hot_reset\":true}\nleft\n");
        check(&(Script){.n_devices = 1}, LINE("remove", "lease/7", "group/4"), 0, "",
              "Remove [\"group/4\"]\nleft\n");
}
END_TEST

START_TEST(what_is_not_added_or_removed_is_told) {
        check(&(Script){.failing = "Add", .error = REFUSED}, LINE("add", "7", N), 3,
              "vfioctl: as scripted [" REFUSED "]\n", "Add [\"" N "\"] {}\nleft\n");
        check(&(Script){.failing = "Remove", .error = REFUSED}, LINE("remove", "7", N), 3,
              "vfioctl: as scripted [" REFUSED "]\n", "Remove [\"" N "\"]\nleft\n");
        check(&(Script){0}, LINE("add", "seven", N), 2,
              "vfioctl: 'seven' is no lease: write 7 or lease/7\n", "");
}
END_TEST

START_TEST(a_lease_that_is_gone_takes_nothing) {
        _cleanup_vfioctl_ Vfioctl v;

        run(&v, &(Script){0}, LINE("add", "8", N));
        ck_assert_int_eq(v.status, 3);
        ck_assert_str_eq(vfioctl_stderr(&v), "vfioctl: there is no lease 8; see 'vfioctl leases' "
                                             "[org.freedesktop.DBus.Error.UnknownObject]\n");
}
END_TEST

int main(int argc, char **argv) {
        TCase *tests = tests_new("vfioctl-lease");

        vfioctl_set_program(argc > 1 ? argv[1] : "vfioctl");
        tcase_add_test(tests, no_verb_at_all_is_told_where_they_are);
        tcase_add_test(tests, exec_asks_for_the_mode_of_its_placeholders);
        tcase_add_test(tests, exec_with_placeholders_of_two_modes_asks_for_nothing);
        tcase_add_test(tests, exec_tells_the_program_what_it_has);
        tcase_add_test(tests, acquire_lists_more_files_than_a_message_carries);
        tcase_add_test(tests, what_acquire_would_do_is_asked_with_its_options);
        tcase_add_test(tests, qemu_is_given_the_iommufd_and_each_device);
        tcase_add_test(tests, a_kernel_without_iommufd_is_noted_beside_what_qemu_is_given);
        tcase_add_test(tests, what_qemu_is_given_exec_fills_in);
        tcase_add_test(tests, in_json_each_argument_of_qemu_is_a_string);
        tcase_add_test(tests, ids_that_qemu_does_not_take_are_refused);
        tcase_add_test(tests, what_is_not_bound_is_for_qemu_only_once_it_will_be);
        tcase_add_test(tests, a_device_that_is_not_pci_is_nothing_for_qemu);
        tcase_add_test(tests, a_target_that_qemu_args_does_not_know_is_refused_by_vfiod);
        tcase_add_test(tests, inspect_shows_regions_interrupts_and_iommu);
        tcase_add_test(tests, override_safety_is_told_with_bind_alone_and_with_acquire);
        tcase_add_test(tests, reset_is_of_one_device_and_silent);
        tcase_add_test(tests, a_reset_that_is_refused_fails_with_what_vfiod_says);
        tcase_add_test(tests, types_of_mediated_devices_are_a_table);
        tcase_add_test(tests, mdev_create_prints_the_uuid);
        tcase_add_test(tests, mdev_remove_is_of_each_in_turn_and_silent);
        tcase_add_test(tests, mdev_knows_three_words_and_how_many_come_behind_each);
        tcase_add_test(tests, assign_says_what_does_not_happen_now);
        tcase_add_test(tests, unassign_and_dry_runs_ask_for_no_more);
        tcase_add_test(tests, vfs_with_a_number_is_silent);
        tcase_add_test(tests, vfs_takes_numbers_and_options_that_make_sense);
        tcase_add_test(tests, inspect_of_a_group_is_of_its_devices);
        tcase_add_test(tests, inspect_in_json_has_a_name_for_everything);
        tcase_add_test(tests, groups_are_added_to_a_lease_and_removed);
        tcase_add_test(tests, what_is_not_added_or_removed_is_told);
        tcase_add_test(tests, a_lease_that_is_gone_takes_nothing);
        return tests_run(tests);
}
