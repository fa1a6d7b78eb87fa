/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/kernel/holders.h over trees built file by file: who is found, by which sign, and who is
 * signalled. Real processes are in test-holders-live.c.
 */

#include "daemon/kernel/holders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/stub/stub-process.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-holders.h"

#define FDINFO "pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t1042\n"
#define SYSPATH(device) FDINFO "vfio-device-syspath: /sys/devices/pci0000:00/" device "\n"
#define CROWD 500
#define REGION(index) ((uint64_t)(index) << 40)

static int take(void *userdata, const Hold *hold) {
        return holds_add(userdata, hold);
}

/* What a compared fd is, in the stub. */
enum { OUR_CONTAINER = 1, OUR_DEVICE, OUR_IOMMUFD, OTHER, OF_ANOTHER_GROUP };

START_TEST(group_and_cdev_files_are_told_by_their_device_numbers) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_process(&machine, 5000100);
        machine_add_node(&machine, "5000100", 3, "vfio/3");
        machine_add_node(&machine, "5000100", 4, "vfio/4");
        machine_add_node(&machine, "5000100", 5, "vfio/devices/vfio0");
        machine_add_fd(&machine, "5000100", 6, "/nowhere/vfio/9");
        machine_assert(&machine, "5000100 group - 3\n5000100 cdev " DEVICE_A " 5");
}
END_TEST

START_TEST(the_node_of_a_group_without_an_iommu_has_another_name) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        tree_remove(&machine.tree, "sys/class/vfio/3/dev");
        tree_write(&machine.tree, "sys/class/vfio/noiommu-3/dev", "1:3\n");
        machine_add_process(&machine, 5000100);
        machine_add_node(&machine, "5000100", 3, "vfio/3");
        machine_assert(&machine, "5000100 group - 3");
}
END_TEST

/* Such a file can be made (mknod(2), a whiteout of overlayfs), but is no driver's. */
START_TEST(a_group_without_a_node_is_not_told_by_a_device_number_of_zero) {
        _cleanup_machine_ Machine machine;
        _cleanup_free_ char *path = NULL;

        machine_init(&machine);
        tree_remove(&machine.tree, "sys/class/vfio/3/dev");
        machine_add_process(&machine, 5000100);
        machine_add_node(&machine, "5000100", 3, "vfio/none");
        path = string_format("%s/dev/vfio/none", machine.tree.path);
        if (mknod(path, S_IFCHR | 0600, makedev(0, 0)) >= 0)
                machine_assert(&machine, "");
}
END_TEST

START_TEST(a_device_file_is_told_by_what_fdinfo_says) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_process(&machine, 5000100);
        machine_add_device(&machine, "5000100", 3, SYSPATH(DEVICE_B));
        machine_add_device(&machine, "5000100", 4, SYSPATH(DEVICE_C));
        machine_add_device(&machine, "5000100", 5, SYSPATH(DEVICE_B "0"));
        machine_assert(&machine, "5000100 device " DEVICE_B " 3");
}
END_TEST

/* As many locks as its holder likes are listed first. */
START_TEST(a_device_file_is_told_by_an_fdinfo_of_many_pages) {
        _cleanup_free_ char *fdinfo = strdup("pos:\t0\n");
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        for (int i = 1; i <= 1000; i++)
                ck_assert_int_ge(string_append(&fdinfo,
                                               "lock:\t%d: POSIX  ADVISORY  WRITE 5000100 "
                                               "00:0f:1042 %d %d\n",
                                               i, i * 2, i * 2),
                                 0);
        ck_assert_int_ge(string_append(&fdinfo, "%s", SYSPATH(DEVICE_B)), 0);
        machine_add_process(&machine, 5000100);
        machine_add_device(&machine, "5000100", 3, fdinfo);
        machine_assert(&machine, "5000100 device " DEVICE_B " 3");
}
END_TEST

START_TEST(a_device_file_is_compared_with_ours_where_fdinfo_says_nothing) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_reference(&machine, HOLD_DEVICE, DEVICE_A, 0, OUR_DEVICE);
        machine_add_process(&machine, 5000100);
        machine_add_device(&machine, "5000100", 7, FDINFO);
        machine_add_device(&machine, "5000100", 8, FDINFO);
        machine_add_fd(&machine, "5000100", 9, "anon_inode:[vfio-device]"); /* no fdinfo at all */
        stub_process_add_file(5000100, 7, OUR_DEVICE);
        stub_process_add_file(5000100, 8, OTHER);
        stub_process_add_file(5000100, 9, OUR_DEVICE);
        machine_assert(&machine, "5000100 device " DEVICE_A " 7\n5000100 device " DEVICE_A " 9");
}
END_TEST

START_TEST(fdinfo_is_believed_before_a_comparison) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_reference(&machine, HOLD_DEVICE, DEVICE_A, 0, OUR_DEVICE);
        machine_add_process(&machine, 5000100);
        machine_add_device(&machine, "5000100", 7, SYSPATH(DEVICE_C));
        stub_process_add_file(5000100, 7, OUR_DEVICE);
        machine_assert(&machine, "");
}
END_TEST

/* Before Linux 6.18: what a process opens itself is like no file of ours. */
static void add_opener(Machine *machine) {
        machine_init(machine);
        machine_add_reference(machine, HOLD_DEVICE, DEVICE_A, 0, OUR_DEVICE);
        machine_add_process(machine, 5000100);
        machine_add_device(machine, "5000100", 7, FDINFO);
        stub_process_add_file(5000100, 7, OTHER);
}

START_TEST(a_device_file_that_its_holder_opened_is_told_by_the_groups_file) {
        _cleanup_machine_ Machine machine;

        add_opener(&machine);
        machine_add_node(&machine, "5000100", 3, "vfio/3");
        machine_assert(&machine, "5000100 group - 3\n5000100 device - 7");
}
END_TEST

START_TEST(a_device_file_that_its_holder_opened_is_not_told_without_the_groups_file) {
        _cleanup_machine_ Machine machine;

        add_opener(&machine);
        machine_assert(&machine, "");
}
END_TEST

START_TEST(a_device_file_is_of_no_group_whose_devices_are_all_closed) {
        _cleanup_machine_ Machine machine;

        add_opener(&machine);
        machine_add_node(&machine, "5000100", 3, "vfio/3");
        machine_set_enable(&machine, DEVICE_A, "0");
        machine_set_enable(&machine, DEVICE_B, "0");
        machine_assert(&machine, "5000100 group - 3");
}
END_TEST

/* A file of group 4, which `pid` has, too: vfiod, or a worker. */
static void add_to(const Machine *machine, pid_t pid, int fd, int file) {
        _cleanup_free_ char *process = string_format("%d", pid);

        machine_add_device(machine, process, fd, FDINFO);
        stub_process_add_file(pid, fd, file);
}

#define WORKER 5000060
#define HELPER 5000061 /* of a worker's look */
#define STRANGER 5000062

/* Process 5000100 has the file of group 3, and of another group's device that vfiod has given it.
 */
static void add_polite(Machine *machine) {
        machine_init(machine);
        machine_add_reference(machine, HOLD_DEVICE, DEVICE_A, 0, OUR_DEVICE);
        machine_add_process(machine, WORKER);
        machine_set_stat(machine, WORKER, VFIOD, 0x400000, 600);
        machine_add_process(machine, 5000100);
        machine_add_node(machine, "5000100", 3, "vfio/3");
        add_to(machine, 5000100, 7, OF_ANOTHER_GROUP);
}

START_TEST(a_device_file_that_vfiod_has_of_another_group_is_not_told_by_the_groups_file) {
        _cleanup_machine_ Machine machine;

        add_polite(&machine);
        machine_assert(&machine, "5000100 group - 3\n5000100 device - 7");
        add_to(&machine, VFIOD, 20, OF_ANOTHER_GROUP);
        machine_assert(&machine, "5000100 group - 3");
        machine_close(&machine, "5000050", 20);
        machine_assert(&machine, "5000100 group - 3\n5000100 device - 7");
}
END_TEST

START_TEST(nor_is_one_that_vfiod_has_given_to_a_worker) {
        _cleanup_machine_ Machine machine;

        add_polite(&machine);
        machine_add_node(&machine, "5000060", 19, "vfio/4");
        add_to(&machine, WORKER, 20, OF_ANOTHER_GROUP);
        machine_assert(&machine, "5000100 group - 3");
}
END_TEST

/* It may be a device of that group: the worker was given it, and we have none to compare with. */
START_TEST(one_of_a_worker_that_has_the_groups_file_is_told_by_that) {
        _cleanup_machine_ Machine machine;

        add_polite(&machine);
        add_to(&machine, WORKER, 19, OF_ANOTHER_GROUP);
        machine_add_node(&machine, "5000060", 20, "vfio/3");
        machine_assert(&machine, "5000100 group - 3\n5000100 device - 7");
}
END_TEST

START_TEST(one_that_only_a_process_of_somebody_else_has_too_is_told_by_the_groups_file) {
        _cleanup_machine_ Machine machine;

        add_polite(&machine);
        machine_add_process(&machine, STRANGER);
        add_to(&machine, STRANGER, 20, OF_ANOTHER_GROUP);
        machine_assert(&machine, "5000100 group - 3\n5000100 device - 7");
}
END_TEST

START_TEST(among_device_files_of_other_groups_the_one_that_its_holder_opened_is_found) {
        _cleanup_machine_ Machine machine;

        add_polite(&machine);
        add_to(&machine, VFIOD, 20, OF_ANOTHER_GROUP);
        add_to(&machine, VFIOD, 21, OF_ANOTHER_GROUP + 1);
        add_to(&machine, VFIOD, 22, OF_ANOTHER_GROUP + 2);
        add_to(&machine, 5000100, 8, OF_ANOTHER_GROUP + 2);
        add_to(&machine, 5000100, 9, OF_ANOTHER_GROUP + 1);
        add_to(&machine, 5000100, 10, OF_ANOTHER_GROUP);
        add_to(&machine, 5000100, 11, OF_ANOTHER_GROUP + 2);
        machine_assert(&machine, "5000100 group - 3");
        add_to(&machine, 5000100, 12, OTHER);
        machine_assert(&machine, "5000100 group - 3\n5000100 device - 12");
}
END_TEST

START_TEST(a_device_file_that_vfiod_has_of_another_group_does_not_hide_one_of_the_group) {
        _cleanup_machine_ Machine machine;

        add_polite(&machine);
        add_to(&machine, VFIOD, 20, OF_ANOTHER_GROUP);
        add_to(&machine, 5000100, 8, OUR_DEVICE);
        machine_assert(&machine, "5000100 group - 3\n5000100 device " DEVICE_A " 8");
}
END_TEST

/* Its files cannot be known then. */
START_TEST(nothing_is_told_by_the_groups_file_once_vfiod_has_ended) {
        _cleanup_machine_ Machine machine;

        add_polite(&machine);
        tree_remove(&machine.tree, "proc/5000050/fd");
        machine_assert(&machine, "5000100 group - 3");
}
END_TEST

static uint64_t time_usec = 1000000;

uint64_t clock_now(clockid_t clock _unused_) {
        return time_usec;
}

static int count_devices(void *userdata, const Hold *hold) {
        *(size_t *)userdata += hold->kind == HOLD_DEVICE;
        return 0;
}

static size_t look_alone(Machine *machine) {
        size_t n = 0;

        ck_assert_int_eq(holder_search_process(machine->search, 5000100, count_devices, &n), 0);
        return n;
}

START_TEST(for_a_crowd_vfiods_files_are_read_once_in_a_few_milliseconds_and_else_each_time) {
        _cleanup_machine_ Machine machine;

        add_polite(&machine);
        machine_assert(&machine, "5000100 group - 3\n5000100 device - 7");
        for (size_t i = 0; i < 15; i++)
                ck_assert_uint_eq(look_alone(&machine), 1);
        add_to(&machine, VFIOD, 20, OF_ANOTHER_GROUP);
        ck_assert_uint_eq(look_alone(&machine), 0);
        machine_close(&machine, "5000050", 20);
        machine_add_device(&machine, "5000050", 21, FDINFO);
        ck_assert_uint_eq(look_alone(&machine), 0);
        time_usec += 20 * 1000;
        ck_assert_uint_eq(look_alone(&machine), 1);
        add_to(&machine, VFIOD, 22, OF_ANOTHER_GROUP);
        ck_assert_uint_eq(look_alone(&machine), 1);
        machine_assert(&machine, "5000100 group - 3");
        machine_close(&machine, "5000050", 22);
        ck_assert_uint_eq(look_alone(&machine), 1);
}
END_TEST

static void close_what_was_asked(void *userdata) {
        machine_close(userdata, "5000100", 8);
}

START_TEST(who_has_closed_the_device_of_the_group_is_not_signalled_for_one_of_another) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_machine_ Machine machine;

        add_polite(&machine);
        add_to(&machine, VFIOD, 20, OF_ANOTHER_GROUP);
        add_to(&machine, 5000100, 8, OUR_DEVICE);
        machine_search(&machine, &holds);
        ck_assert_uint_eq(holds.n_holds, 2);
        stub_process.opened = close_what_was_asked;
        stub_process.userdata = &machine;
        ck_assert_int_eq(
                holder_signal(machine.search, &holds.holds[0], hold_keeps_device, SIGBUS, NULL),
                -ESRCH);
        ck_assert_int_eq(stub_process.signaled, 0);
}
END_TEST

/* vfiod gives the other group's files to a worker between the two looks. */
static void give_to_worker(void *userdata) {
        machine_close(userdata, "5000050", 20);
        add_to(userdata, WORKER, 20, OF_ANOTHER_GROUP);
        close_what_was_asked(userdata);
}

START_TEST(nor_when_the_file_of_the_other_group_has_gone_from_vfiod_to_a_worker) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_machine_ Machine machine;

        add_polite(&machine);
        add_to(&machine, VFIOD, 20, OF_ANOTHER_GROUP);
        add_to(&machine, 5000100, 8, OUR_DEVICE);
        machine_search(&machine, &holds);
        stub_process.opened = give_to_worker;
        stub_process.userdata = &machine;
        ck_assert_int_eq(
                holder_signal(machine.search, &holds.holds[0], hold_keeps_device, SIGBUS, NULL),
                -ESRCH);
        ck_assert_int_eq(stub_process.signaled, 0);
}
END_TEST

START_TEST(a_container_is_only_told_by_comparing) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_reference(&machine, HOLD_CONTAINER, NULL, 0, OUR_CONTAINER);
        tree_link(&machine.tree, "dev/vfio/vfio", "/dev/random");
        machine_add_process(&machine, 5000100);
        machine_add_node(&machine, "5000100", 3, "vfio/vfio");
        machine_add_node(&machine, "5000100", 4, "vfio/vfio");
        stub_process_add_file(5000100, 3, OUR_CONTAINER);
        stub_process_add_file(5000100, 4, OTHER);
        machine_assert(&machine, "5000100 container - 3");
}
END_TEST

START_TEST(an_iommufd_is_only_told_by_comparing_and_only_where_one_is_looked_for) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_process(&machine, 5000100);
        machine_add_fd(&machine, "5000100", 3, "/dev/iommu");
        machine_add_fd(&machine, "5000100", 4, "/dev/iommu");
        stub_process_add_file(5000100, 3, OUR_IOMMUFD);
        stub_process_add_file(5000100, 4, OTHER);
        machine_assert(&machine, "");
        machine.search = holder_search_free(machine.search);
        machine_add_reference(&machine, HOLD_IOMMUFD, NULL, 0, OUR_IOMMUFD);
        machine_assert(&machine, "5000100 iommufd - 3");
}
END_TEST

/* What /proc says of a node that a daemon has opened in mounts of its own, and that has ended
 * since. */
START_TEST(an_iommufd_from_mounts_that_are_gone_is_one_all_the_same) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_reference(&machine, HOLD_IOMMUFD, NULL, 0, OUR_IOMMUFD);
        machine_add_process(&machine, 5000100);
        machine_add_fd(&machine, "5000100", 3, "/iommu");
        stub_process_add_file(5000100, 3, OUR_IOMMUFD);
        machine_assert(&machine, "5000100 iommufd - 3");
}
END_TEST

/* A link to the node that is as long as links can be: the rest of what the kernel says would be
 * cut. */
static void add_long_link(const Machine *machine, const char *process, int fd, const char *node) {
        _cleanup_free_ char *path = string_format("%s/dev/%s", machine->tree.path, node);
        char target[PATH_MAX];

        memset(target, '/', sizeof(target));
        (void)snprintf(target + sizeof(target) - 1 - strlen(path), strlen(path) + 1, "%s", path);
        machine_add_fd(machine, process, fd, target);
}

START_TEST(a_file_whose_name_is_too_long_to_be_known_is_told_by_all_else) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_reference(&machine, HOLD_IOMMUFD, NULL, 0, OUR_IOMMUFD);
        machine_add_reference(&machine, HOLD_CONTAINER, NULL, 1, OUR_CONTAINER);
        tree_write(&machine.tree, "dev/file", "");
        machine_add_process(&machine, 5000100);
        for (int fd = 3; fd <= 6; fd++)
                add_long_link(&machine, "5000100", fd, "file");
        stub_process_add_file(5000100, 4, OUR_IOMMUFD);
        stub_process_add_file(5000100, 5, OUR_CONTAINER);
        stub_process_add_file(5000100, 6, OTHER);
        add_long_link(&machine, "5000100", 7, "vfio/3");
        add_long_link(&machine, "5000100", 8, "vfio/4");
        add_long_link(&machine, "5000100", 9, "vfio/devices/vfio0");
        machine_assert(&machine, "5000100 iommufd - 4\n5000100 container - 5\n5000100 group - 7\n"
                                 "5000100 cdev " DEVICE_A " 9");
}
END_TEST

static void add_file(const Machine *machine, const char *path) {
        tree_write(&machine->tree, path, "");
}

static void add_link_to_itself(const Machine *machine, const char *path) {
        _cleanup_free_ char *target = string_format("%s/%s/vfio", machine->tree.path, path);

        tree_link(&machine->tree, path, target);
}

static void add_link_through_a_file(const Machine *machine, const char *path) {
        tree_link(&machine->tree, path, "/dev/null/vfio");
}

/* Whatever a process does to a file of its own: nobody else is hidden by that. */
START_TEST(a_file_that_cannot_be_looked_at_ends_neither_the_search_nor_the_look_at_its_process) {
        static const struct {
                const char *path;
                void (*add)(const Machine *machine, const char *path);
        } rows[] = {
                {"proc/5000100/fd/3", add_file},
                {"proc/5000100/fd/3", add_link_to_itself},
                {"proc/5000100/fd/3", add_link_through_a_file},
                {"proc/5000100/task/5000103/fd", add_file},
                {"proc/5000100/task/5000103/fd", add_link_to_itself},
                {"proc/5000099", add_link_to_itself},
                {"proc/5000099/fd", add_file},
                {"proc/5000099/maps", add_link_to_itself},
                {"proc/5000099/maps/directory", add_file},
                {"proc/5000099/task", add_link_to_itself},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_machine_ Machine machine;

                machine_init(&machine);
                rows[i].add(&machine, rows[i].path);
                machine_add_process(&machine, 5000100);
                machine_add_node(&machine, "5000100", 4, "vfio/3");
                machine_add_process(&machine, 5000101);
                machine_add_node(&machine, "5000101", 4, "vfio/3");
                machine_assert(&machine, "5000100 group - 4\n5000101 group - 4");
        }
}
END_TEST

/* Who it is is then not known, so there is nobody to tell of. */
START_TEST(a_process_that_does_not_say_who_it_is_does_not_end_the_search) {
        static const char *const paths[] = {"proc/5000100/stat", "proc/5000100/status",
                                            "proc/5000100/comm"};

        for (size_t i = 0; i < ELEMENTS(paths); i++) {
                _cleanup_machine_ Machine machine;

                machine_init(&machine);
                machine_add_process(&machine, 5000100);
                machine_add_node(&machine, "5000100", 4, "vfio/3");
                tree_remove(&machine.tree, paths[i]);
                add_link_to_itself(&machine, paths[i]);
                machine_add_process(&machine, 5000101);
                machine_add_node(&machine, "5000101", 4, "vfio/3");
                machine_assert(&machine, "5000101 group - 4");
        }
}
END_TEST

START_TEST(a_device_file_whose_fdinfo_cannot_be_read_is_compared_with_ours) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_reference(&machine, HOLD_DEVICE, DEVICE_A, 0, OUR_DEVICE);
        machine_add_process(&machine, 5000100);
        machine_add_fd(&machine, "5000100", 7, "anon_inode:[vfio-device]");
        stub_process_add_file(5000100, 7, OUR_DEVICE);
        add_link_to_itself(&machine, "proc/5000100/fdinfo/7");
        machine_assert(&machine, "5000100 device " DEVICE_A " 7");
}
END_TEST

/* What a process does changes nothing about /sys: without it nobody could be told at all. */
START_TEST(devices_that_cannot_be_read_end_the_search) {
        _cleanup_free_ char *maps = machine_map(0x7f0000000000, 1, REGION(0));
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_machine_ Machine machine;
        static const uint32_t group = 3;

        machine_init(&machine);
        machine_add_process(&machine, 5000100);
        machine_set_maps(&machine, "5000100", maps);
        ck_assert_int_eq(
                holder_search_new(&machine.tree.roots, &group, 1, NULL, 0, VFIOD, &machine.search),
                0);
        tree_remove(&machine.tree, "sys/devices/pci0000:00/" DEVICE_D "/resource");
        add_link_to_itself(&machine, "sys/devices/pci0000:00/" DEVICE_D "/resource");
        ck_assert_int_eq(holder_search_all(machine.search, take, &holds), -ELOOP);
}
END_TEST

START_TEST(a_process_with_an_iommufd_alone_is_not_signalled) {
        _cleanup_machine_ Machine machine;
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        machine_init(&machine);
        machine_add_reference(&machine, HOLD_IOMMUFD, NULL, 0, OUR_IOMMUFD);
        machine_add_process(&machine, 5000100);
        machine_add_fd(&machine, "5000100", 3, "/dev/iommu");
        stub_process_add_file(5000100, 3, OUR_IOMMUFD);
        machine_search(&machine, &holds);
        ck_assert_uint_eq(holds.n_holds, 1);
        ck_assert_int_eq(
                holder_signal(machine.search, &holds.holds[0], hold_keeps_group, SIGBUS, NULL),
                -ESRCH);
        ck_assert_int_eq(stub_process.signaled, 0);
}
END_TEST

START_TEST(a_lease_is_told_by_its_pipe) {
        _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
        _cleanup_free_ char *pipe = NULL, *longer = NULL;
        _cleanup_machine_ Machine machine;
        struct stat status;
        int fds[2];

        machine_init(&machine);
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        read_end = fds[0];
        write_end = fds[1];
        ck_assert_int_eq(fstat(read_end, &status), 0);
        pipe = string_format("pipe:[%ju]", (uintmax_t)status.st_ino);
        longer = string_format("pipe:[%ju0]", (uintmax_t)status.st_ino);
        machine_add_reference(&machine, HOLD_LEASE, NULL, write_end, 0);
        machine_add_process(&machine, 5000100);
        machine_add_fd(&machine, "5000100", 3, pipe);
        machine_add_fd(&machine, "5000100", 4, longer);
        machine_assert(&machine, "5000100 lease - 3");
}
END_TEST

START_TEST(a_group_that_does_not_exist_has_no_holders) {
        static const uint32_t group = 77;
        _cleanup_(holder_search_freep) HolderSearch *search = NULL;
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_process(&machine, 5000100);
        machine_add_node(&machine, "5000100", 3, "vfio/3");
        machine_add_fd(&machine, "5000100", 4, "/nowhere/vfio/77");
        ck_assert_int_eq(holder_search_new(&machine.tree.roots, &group, 1, NULL, 0, VFIOD, &search),
                         0);
        machine.search = TAKE_PTR(search);
        machine_assert(&machine, "");
}
END_TEST

START_TEST(a_reference_that_is_not_open_is_an_error) {
        static const uint32_t group = 3;
        const HolderReference reference = {.kind = HOLD_DEVICE, .group = 3, .fd = 9999};
        HolderSearch *search = NULL;
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        ck_assert_int_eq(
                holder_search_new(&machine.tree.roots, &group, 1, &reference, 1, VFIOD, &search),
                -EBADF);
        ck_assert_ptr_null(search);
}
END_TEST

START_TEST(vfiod_its_children_init_and_kernel_threads_are_never_reported) {
        static const pid_t pids[] = {1, VFIOD, 5000060, 5000061, 5000062};
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        for (size_t i = 0; i < ELEMENTS(pids); i++) {
                _cleanup_free_ char *process = string_format("%d", pids[i]);

                machine_add_process(&machine, pids[i]);
                machine_add_node(&machine, process, 3, "vfio/3");
                machine_add_device(&machine, process, 4, SYSPATH(DEVICE_A));
        }
        machine_set_stat(&machine, 5000060, VFIOD, 0x400000, 600);
        machine_set_stat(&machine, 5000061, 2, 0x200000, 610);
        machine_assert(&machine, "5000062 group - 3\n5000062 device " DEVICE_A " 4");
}
END_TEST

/* `holder` has a file of the group and is a child of `parent`. */
static void add_child(const Machine *machine, pid_t holder, pid_t parent) {
        _cleanup_free_ char *process = string_format("%d", holder);

        machine_add_process(machine, holder);
        machine_set_stat(machine, holder, parent, 0x400000, (unsigned long long)holder * 10);
        machine_add_node(machine, process, 3, "vfio/3");
}

START_TEST(who_helps_a_worker_look_is_no_holder) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        add_child(&machine, WORKER, VFIOD);
        add_child(&machine, HELPER, WORKER);
        machine_assert(&machine, "");
}
END_TEST

/* No process of ours is so far from vfiod; nor is one whose parent has ended meanwhile. */
START_TEST(who_is_further_from_vfiod_is_a_holder_like_others) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        add_child(&machine, WORKER, VFIOD);
        add_child(&machine, HELPER, WORKER);
        add_child(&machine, 5000100, HELPER);
        add_child(&machine, 5000101, 5000099);
        machine_assert(&machine, "5000100 group - 3\n5000101 group - 3");
}
END_TEST

START_TEST(who_a_holder_is_is_read_with_it) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        stub_process.unit = "vm1.service";
        machine_add_process(&machine, 5000100);
        tree_write(&machine.tree, "proc/5000100/comm", "q\xff\nmu\n");
        machine_add_node(&machine, "5000100", 3, "vfio/3");
        machine_search(&machine, &holds);
        ck_assert_uint_eq(holds.n_holds, 1);
        ck_assert_int_eq(holds.holds[0].pid, 5000100);
        ck_assert_int_eq(holds.holds[0].tid, 5000100);
        ck_assert_uint_eq(holds.holds[0].uid, 1001);
        ck_assert_uint_eq(holds.holds[0].start_time, 50001000);
        ck_assert_uint_eq(holds.holds[0].group, 3);
        ck_assert_str_eq(holds.holds[0].command, "q??mu");
        ck_assert_str_eq(holds.holds[0].unit, "vm1.service");
}
END_TEST

/* Each of its files in turn is not there any more; the next process is found all the same. */
START_TEST(a_process_that_ends_meanwhile_is_left_out) {
        static const char *const files[] = {"stat", "status", "comm"};

        for (size_t i = 0; i < ELEMENTS(files); i++) {
                _cleanup_free_ char *path = string_format("proc/5000100/%s", files[i]);
                _cleanup_machine_ Machine machine;

                machine_init(&machine);
                machine_add_process(&machine, 5000100);
                machine_add_node(&machine, "5000100", 3, "vfio/3");
                machine_add_process(&machine, 5000101);
                machine_add_node(&machine, "5000101", 3, "vfio/3");
                tree_remove(&machine.tree, path);
                machine_assert(&machine, "5000101 group - 3");
        }
}
END_TEST

START_TEST(a_process_without_files_or_maps_is_no_error) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_process(&machine, 5000100);
        tree_remove(&machine.tree, "proc/5000100/fd");
        tree_remove(&machine.tree, "proc/5000100/maps");
        tree_mkdir(&machine.tree, "proc/5000101");
        tree_write(&machine.tree, "proc/5000102", "not a directory");
        tree_mkdir(&machine.tree, "proc/sys");
        tree_remove(&machine.tree, "proc/5000102");
        machine_assert(&machine, "");
}
END_TEST

START_TEST(a_thread_with_a_table_of_its_own_is_looked_into) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_process(&machine, 5000100);
        machine_add_node(&machine, "5000100", 3, "vfio/3");
        /* 5000101 shares the table of 5000100; 5000102 and 5000103 have one together. */
        machine_add_node(&machine, "5000100/task/5000101", 3, "vfio/3");
        machine_add_device(&machine, "5000100/task/5000102", 9, SYSPATH(DEVICE_A));
        machine_add_device(&machine, "5000100/task/5000103", 9, SYSPATH(DEVICE_A));
        stub_process_add_table(5000100, 1);
        stub_process_add_table(5000101, 1);
        stub_process_add_table(5000102, 2);
        stub_process_add_table(5000103, 2);
        {
                _cleanup_free_ char *text = machine_look(&machine);

                /* Which of the two comes first is up to the directory. */
                ck_assert_msg(
                        strcmp(text, "5000100 group - 3\n5000100/5000102 device " DEVICE_A " 9") ==
                                        0 ||
                                strcmp(text, "5000100 group - 3\n5000100/5000103 device " DEVICE_A
                                             " 9") == 0,
                        "%s", text);
        }
}
END_TEST

START_TEST(a_file_in_a_table_of_its_own_is_compared_there) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_reference(&machine, HOLD_DEVICE, DEVICE_A, 0, OUR_DEVICE);
        machine_add_process(&machine, 5000100);
        machine_add_device(&machine, "5000100/task/5000102", 9, FDINFO);
        stub_process_add_file(5000102, 9, OUR_DEVICE);
        machine_assert(&machine, "5000100/5000102 device " DEVICE_A " 9");
}
END_TEST

START_TEST(the_holders_among_many_processes_are_found) {
        _cleanup_free_ char *expected = strdup(""), *text = NULL;
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        for (pid_t pid = 5000000; pid < 5000400; pid++) {
                _cleanup_free_ char *process = string_format("%d", pid);

                if (pid == VFIOD)
                        continue;
                machine_add_process(&machine, pid);
                machine_add_fd(&machine, process, 0, "/dev/null");
                machine_add_fd(&machine, process, 1, "pipe:[77]");
                if (pid % 40 != 7)
                        continue;
                machine_add_node(&machine, process, 3, "vfio/3");
                (void)string_append(&expected, "%s%d group - 3", expected[0] ? "\n" : "", pid);
        }
        text = machine_look(&machine);
        ck_assert_str_eq(text, expected);
}
END_TEST

START_TEST(a_first_thread_that_has_ended_does_not_hide_the_others) {
        _cleanup_machine_ Machine machine;
        _cleanup_free_ char *maps = machine_map(0x7f0000000000, 2, 0);

        machine_init(&machine);
        machine_set_enable(&machine, DEVICE_B, "0\n");
        machine_add_process(&machine, 5000100);
        machine_add_device(&machine, "5000100/task/5000102", 9, SYSPATH(DEVICE_A));
        machine_set_maps(&machine, "5000100/task/5000102", maps);
        machine_assert(&machine, "5000100 mapping " DEVICE_A
                                 " 7f0000000000\n5000100/5000102 device " DEVICE_A " 9");
}
END_TEST

START_TEST(a_mapping_of_a_device_node_is_told_by_the_inode_of_the_node) {
        _cleanup_free_ char *maps = NULL;
        _cleanup_machine_ Machine machine;
        struct stat status;

        machine_init(&machine);
        ck_assert_int_eq(stat("/dev/full", &status), 0);
        maps = string_format("7f0000000000-7f0000004000 rw-s 00000000 %02x:%02x %ju /dev/vfio/"
                             "devices/vfio0\n"
                             "7f0000010000-7f0000014000 rw-s 00000000 %02x:%02x %ju /dev/vfio/"
                             "devices/vfio0\n",
                             major(status.st_dev), minor(status.st_dev), (uintmax_t)status.st_ino,
                             major(status.st_dev), minor(status.st_dev),
                             (uintmax_t)status.st_ino + 1);
        machine_add_process(&machine, 5000100);
        machine_set_maps(&machine, "5000100", maps);
        machine_assert(&machine, "5000100 mapping " DEVICE_A " 7f0000000000");
}
END_TEST

/* A path of that length: `fill` again and again, and `end`. */
static char *long_path(size_t length, const char *fill, const char *end) {
        char *path = calloc(length + 1, 1);

        ck_assert_ptr_nonnull(path);
        for (size_t i = 0; i < length; i++)
                path[i] = i == 0 ? '/' : fill[i % strlen(fill)];
        memcpy(path + length - strlen(end), end, strlen(end));
        return path;
}

/* What is found of two mappings of the node: at 7f0000000000 under that path, and after it. */
static void assert_path(Machine *machine, const char *path, bool found) {
        _cleanup_free_ char *maps = NULL;
        struct stat status;

        ck_assert_int_eq(stat("/dev/full", &status), 0);
        maps = string_format("7f0000000000-7f0000004000 rw-s 00000000 %02x:%02x %ju %s\n"
                             "7f0000010000-7f0000014000 rw-s 00000000 %02x:%02x %ju /dev/vfio/"
                             "devices/vfio0\n",
                             major(status.st_dev), minor(status.st_dev), (uintmax_t)status.st_ino,
                             path, major(status.st_dev), minor(status.st_dev),
                             (uintmax_t)status.st_ino);
        machine_set_maps(machine, "5000100", maps);
        machine_assert(machine, found ? "5000100 mapping " DEVICE_A " 7f0000000000\n"
                                        "5000100 mapping " DEVICE_A " 7f0000010000"
                                      : "5000100 mapping " DEVICE_A " 7f0000010000");
}

/* Wherever it is cut, its name is known to have "vfio" in it or not, and the next is whole. */
START_TEST(a_mapping_with_a_path_of_any_length_is_told) {
        static const size_t lengths[] = {4096 - 60, 16384 - 140, 65536 - 140, 150000};
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_process(&machine, 5000100);
        for (size_t i = 0; i < ELEMENTS(lengths); i++)
                for (size_t length = lengths[i]; length < lengths[i] + 140; length++) {
                        _cleanup_free_ char *with = long_path(length, "d", "vfio");
                        _cleanup_free_ char *without = long_path(length, "d", "fiofvi");
                        assert_path(&machine, with, true);
                        assert_path(&machine, without, false);
                }
}
END_TEST

/* What is kept of a line are pieces, and they do not make the word. */
START_TEST(halves_of_the_word_far_from_each_other_are_not_the_word) {
        static const char *const rows[][2] = {
                {"vf", "io"}, {"fv", "io"}, {"vf", "oi"}, {"fv", "oi"}};
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_add_process(&machine, 5000100);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *first = long_path(10000, rows[i][0], "-");
                _cleanup_free_ char *second = long_path(10000, rows[i][1], "");
                _cleanup_free_ char *path = string_format("%s%s", first, second);

                assert_path(&machine, path, false);
        }
}
END_TEST

#define N_LINES 65530 /* vm.max_map_count */

/* As many mappings as a process can have, each with a path of a page, as its maps are read. */
static void write_maps(const char *path) {
        _cleanup_free_ char *name = long_path(PATH_MAX, "d", "");
        FILE *file = fopen(path, "we");

        for (unsigned i = 0; file && i < N_LINES; i++)
                (void)fprintf(file, "7f%06x0000-7f%06x4000 r--s 00000000 fe:01 77 %s\n", i, i,
                              name);
        if (file)
                (void)fclose(file);
        _exit(EXIT_SUCCESS);
}

/* Of process 5000100. Returns who writes. */
static pid_t begin_endless_maps(Machine *machine) {
        _cleanup_free_ char *path = NULL;
        pid_t writer;

        machine_init(machine);
        machine_add_process(machine, 5000100);
        machine_add_node(machine, "5000100", 3, "vfio/3");
        tree_remove(&machine->tree, "proc/5000100/maps");
        path = string_format("%s/proc/5000100/maps", machine->tree.path);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        writer = fork();
        if (writer == 0)
                write_maps(path);
        return writer;
}

static long peak_kib(void) {
        struct rusage usage;

        ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
        return usage.ru_maxrss;
}

START_TEST(maps_of_any_length_are_read_in_little_memory) {
        _cleanup_machine_ Machine machine;
        pid_t writer = begin_endless_maps(&machine);
        long before = peak_kib();

        machine_assert(&machine, "5000100 group - 3");
        ck_assert_int_lt(peak_kib() - before, 16 * 1024);
        ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
}
END_TEST

static bool is_tired(void *userdata) {
        size_t *patience = userdata;

        return *patience > 0 ? (*patience)--, false : true;
}

START_TEST(a_search_can_be_called_off_between_processes_and_while_maps_are_read) {
        for (size_t patience = 0; patience < 10; patience++) {
                static const uint32_t group = 3;
                _cleanup_holds_ Holds holds = HOLDS_NULL;
                _cleanup_machine_ Machine machine;
                pid_t writer = begin_endless_maps(&machine);
                size_t left = patience;

                ck_assert_int_eq(holder_search_new(&machine.tree.roots, &group, 1, NULL, 0, VFIOD,
                                                   &machine.search),
                                 0);
                holder_search_set_cancelled(machine.search, is_tired, &left);
                ck_assert_int_eq(holder_search_all(machine.search, take, &holds), -ECANCELED);
                ck_assert_uint_eq(left, 0);
                (void)kill(writer, SIGKILL);
                ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
        }
}
END_TEST

/* `offset` of a mapping of 2 pages in process 5000100, which has no file of a device. */
static void assert_mapping(Machine *machine, uint64_t offset, const char *expected) {
        _cleanup_free_ char *maps = machine_map(0x7f0000000000, 2, offset);

        machine_add_process(machine, 5000100);
        machine_set_maps(machine, "5000100", maps);
        machine_assert(machine, expected);
}

START_TEST(a_mapping_is_of_the_only_open_device_that_it_fits) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_set_enable(&machine, DEVICE_B, "0\n");
        assert_mapping(&machine, REGION(0) + 0x2000, "5000100 mapping " DEVICE_A " 7f0000000000");
}
END_TEST

START_TEST(a_mapping_that_two_devices_of_the_group_may_be_has_no_device) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        assert_mapping(&machine, REGION(0), "5000100 mapping - 7f0000000000");
}
END_TEST

START_TEST(a_mapping_that_another_open_device_may_be_is_not_reported) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_set_enable(&machine, DEVICE_C, "1\n");
        assert_mapping(&machine, REGION(0), "");
}
END_TEST

START_TEST(a_mapping_while_only_another_device_is_open_is_not_reported) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_set_enable(&machine, DEVICE_A, "0\n");
        machine_set_enable(&machine, DEVICE_B, "0\n");
        machine_set_enable(&machine, DEVICE_C, "1\n");
        assert_mapping(&machine, REGION(0), "");
}
END_TEST

/* Plugged in, or a virtual function that was made. */
START_TEST(a_device_that_came_since_the_last_look_is_not_ruled_out) {
        for (int all = 0; all < 2; all++) {
                _cleanup_free_ char *same = machine_map(0x7f0000000000, 2, REGION(0));
                _cleanup_holds_ Holds holds = HOLDS_NULL;
                _cleanup_machine_ Machine machine;

                machine_init(&machine);
                machine_set_enable(&machine, DEVICE_B, "0\n");
                assert_mapping(&machine, REGION(0), "5000100 mapping " DEVICE_A " 7f0000000000");
                machine_add_unknown_device(&machine);
                machine_add_process(&machine, 5000101);
                machine_set_maps(&machine, "5000101", same);
                if (all) {
                        /* The first is known again, the second is not told. */
                        machine_assert(&machine, "5000100 mapping " DEVICE_A " 7f0000000000");
                        continue;
                }
                ck_assert_int_eq(holder_search_process(machine.search, 5000101, take, &holds), 0);
                ck_assert_uint_eq(holds.n_holds, 0);
        }
}
END_TEST

START_TEST(a_device_whose_unbinding_waits_for_its_user_may_still_be_mapped) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_set_enable(&machine, DEVICE_C, "1\n");
        tree_remove(&machine.tree, "sys/devices/pci0000:00/" DEVICE_C "/driver");
        tree_remove(&machine.tree, "sys/devices/pci0000:00/" DEVICE_C "/vfio-dev/vfio2");
        tree_remove(&machine.tree, "sys/devices/pci0000:00/" DEVICE_C "/vfio-dev");
        assert_mapping(&machine, REGION(0), "");
}
END_TEST

/* A mediated device, say. */
START_TEST(a_device_that_shows_no_bars_may_be_any_mapping) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        tree_remove(&machine.tree, "sys/devices/pci0000:00/" DEVICE_C "/resource");
        tree_remove(&machine.tree, "sys/devices/pci0000:00/" DEVICE_C "/enable");
        assert_mapping(&machine, REGION(0), "");
}
END_TEST

START_TEST(before_there_was_a_class_of_vfio_devices_the_name_of_the_driver_counts) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_set_enable(&machine, DEVICE_C, "1\n");
        tree_remove(&machine.tree, "sys/devices/pci0000:00/" DEVICE_C "/vfio-dev/vfio2");
        tree_remove(&machine.tree, "sys/devices/pci0000:00/" DEVICE_C "/vfio-dev");
        tree_remove(&machine.tree, "sys/class/vfio-dev");
        assert_mapping(&machine, REGION(0), "");
}
END_TEST

START_TEST(a_mapping_that_no_device_of_the_group_can_be_is_not_reported) {
        static const uint64_t offsets[] = {REGION(0) + 0x3000, REGION(1), REGION(7), 0xfc000000};

        for (size_t i = 0; i < ELEMENTS(offsets); i++) {
                _cleanup_machine_ Machine machine;

                machine_init(&machine);
                assert_mapping(&machine, offsets[i], "");
        }
}
END_TEST

/* Up to Linux 6.10. */
START_TEST(an_offset_that_is_a_physical_address_tells_the_device) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_set_enable(&machine, DEVICE_C, "1\n");
        assert_mapping(&machine, 0xfe012000, "5000100 mapping " DEVICE_B " 7f0000000000");
}
END_TEST

/* A region that only the driver knows. */
START_TEST(a_mapping_of_a_region_that_is_no_bar_may_be_of_any_open_device) {
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        machine_set_enable(&machine, DEVICE_C, "1\n");
        assert_mapping(&machine, REGION(9), "");
        machine_set_enable(&machine, DEVICE_C, "0\n");
        machine_set_enable(&machine, DEVICE_B, "0\n");
        machine_assert(&machine, "5000100 mapping " DEVICE_A " 7f0000000000");
}
END_TEST

/* Process 5000100 with a file of A and a mapping, while C is open too. */
static void init_with_file(Machine *machine) {
        _cleanup_free_ char *maps = machine_map(0x7f0000000000, 2, REGION(0));

        machine_init(machine);
        machine_set_enable(machine, DEVICE_C, "1\n");
        machine_add_process(machine, 5000100);
        machine_add_device(machine, "5000100", 9, SYSPATH(DEVICE_A));
        machine_set_maps(machine, "5000100", maps);
}

START_TEST(a_mapping_is_of_the_device_that_all_files_of_its_process_are_of) {
        _cleanup_machine_ Machine machine;

        init_with_file(&machine);
        machine_add_device(&machine, "5000100", 10, SYSPATH(DEVICE_A));
        machine_assert(&machine, "5000100 device " DEVICE_A " 9\n5000100 device " DEVICE_A
                                 " 10\n5000100 mapping " DEVICE_A " 7f0000000000");
}
END_TEST

START_TEST(a_mapping_of_a_process_with_files_of_two_devices_is_not_told_by_them) {
        static const char *const others[] = {SYSPATH(DEVICE_B), SYSPATH(DEVICE_C), FDINFO};

        for (size_t i = 0; i < ELEMENTS(others); i++) {
                _cleanup_free_ char *text = NULL;
                _cleanup_machine_ Machine machine;

                init_with_file(&machine);
                machine_add_device(&machine, "5000100", 10, others[i]);
                text = machine_look(&machine);
                ck_assert_ptr_null(strstr(text, "mapping"));
        }
}
END_TEST

START_TEST(a_mapping_that_does_not_fit_the_device_of_its_process_is_not_of_it) {
        _cleanup_free_ char *maps = machine_map(0x7f0000000000, 2, REGION(3));
        _cleanup_machine_ Machine machine;

        init_with_file(&machine);
        machine_set_maps(&machine, "5000100", maps);
        machine_assert(&machine, "5000100 device " DEVICE_A " 9");
}
END_TEST

START_TEST(which_of_two_devices_a_mapping_is_of_is_told_by_the_files) {
        _cleanup_machine_ Machine machine;

        init_with_file(&machine);
        machine_set_enable(&machine, DEVICE_C, "0\n");
        machine_assert(&machine,
                       "5000100 device " DEVICE_A " 9\n5000100 mapping " DEVICE_A " 7f0000000000");
}
END_TEST

START_TEST(a_mapping_that_was_told_once_is_known_after_the_file_is_closed) {
        _cleanup_free_ char *part = machine_map(0x7f0000001000, 1, REGION(0) + 0x1000);
        _cleanup_machine_ Machine machine;

        init_with_file(&machine);
        free(machine_look(&machine));
        machine_close(&machine, "5000100", 9);
        machine_assert(&machine, "5000100 mapping " DEVICE_A " 7f0000000000");
        machine_set_maps(&machine, "5000100", part);
        machine_assert(&machine, "5000100 mapping " DEVICE_A " 7f0000001000");
        machine_assert(&machine, "5000100 mapping " DEVICE_A " 7f0000001000");
}
END_TEST

START_TEST(a_mapping_is_known_only_in_the_process_and_place_it_was_told_in) {
        _cleanup_free_ char *same = machine_map(0x7f0000000000, 2, REGION(0));
        _cleanup_free_ char *moved = machine_map(0x7f0000001000, 2, REGION(0));
        _cleanup_free_ char *shifted = machine_map(0x7f0000001000, 1, REGION(0));
        _cleanup_machine_ Machine machine;

        init_with_file(&machine);
        free(machine_look(&machine));
        machine_close(&machine, "5000100", 9);
        machine_add_process(&machine, 5000101);
        machine_set_stat(&machine, 5000101, 1, 0x400000, 50001000);
        machine_set_maps(&machine, "5000101", same);
        machine_assert(&machine, "5000100 mapping " DEVICE_A " 7f0000000000");
        machine_set_maps(&machine, "5000100", shifted);
        machine_assert(&machine, "");
        machine_set_maps(&machine, "5000100", moved);
        machine_assert(&machine, "");
}
END_TEST

START_TEST(a_mapping_of_another_process_of_the_same_number_is_not_known) {
        _cleanup_machine_ Machine machine;

        init_with_file(&machine);
        free(machine_look(&machine));
        machine_close(&machine, "5000100", 9);
        machine_set_stat(&machine, 5000100, 1, 0x400000, 1001);
        machine_assert(&machine, "");
}
END_TEST

START_TEST(a_mapping_that_was_gone_once_is_forgotten) {
        _cleanup_free_ char *same = machine_map(0x7f0000000000, 2, REGION(0));
        _cleanup_free_ char *other = machine_map(0x7f0000100000, 2, REGION(0));
        const char *const meanwhile[] = {other, ""};

        for (size_t i = 0; i < ELEMENTS(meanwhile); i++) {
                _cleanup_machine_ Machine machine;

                init_with_file(&machine);
                free(machine_look(&machine));
                machine_close(&machine, "5000100", 9);
                machine_set_maps(&machine, "5000100", meanwhile[i]);
                machine_assert(&machine, "");
                machine_set_maps(&machine, "5000100", same);
                machine_assert(&machine, "");
        }
}
END_TEST

static int refuse(void *userdata, const Hold *hold _unused_) {
        ++*(size_t *)userdata;
        return -ENOENT;
}

/* They are looked at by several processes first. */
START_TEST(in_a_crowd_of_processes_the_holders_are_found) {
        _cleanup_free_ char *maps = machine_map(0x7f0000000000, 1, REGION(0));
        _cleanup_machine_ Machine machine;

        machine_init(&machine);
        for (pid_t pid = 5001000; pid < 5001000 + CROWD; pid++)
                machine_add_process(&machine, pid);
        machine_add_node(&machine, "5001000", 3, "vfio/3");
        machine_add_node(&machine, "5001321", 4, "vfio/3");
        machine_set_maps(&machine, "5001322", maps);
        machine_assert(&machine,
                       "5001000 group - 3\n5001321 group - 4\n5001322 mapping - 7f0000000000");
        machine_close(&machine, "5001321", 4);
        machine_assert(&machine, "5001000 group - 3\n5001322 mapping - 7f0000000000");
}
END_TEST

/* A worker looks at a crowd, and does not come to the end of it. */
static _Noreturn void look_for_ever(Machine *machine) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        free(machine_look(machine));
        _exit(EXIT_SUCCESS);
}

START_TEST(who_helps_a_worker_look_ends_with_it) {
        _cleanup_free_ char *maps = NULL;
        _cleanup_close_ int end = -EBADF;
        _cleanup_machine_ Machine machine;
        struct pollfd readers;
        pid_t worker;

        machine_init(&machine);
        for (pid_t pid = 5001000; pid < 5001000 + CROWD; pid++)
                machine_add_process(&machine, pid);
        tree_remove(&machine.tree, "proc/5001000/maps");
        maps = string_format("%s/proc/5001000/maps", machine.tree.path);
        ck_assert_int_eq(mkfifo(maps, 0600), 0);
        worker = fork();
        if (worker == 0)
                look_for_ever(&machine);
        /* When somebody reads it. */
        end = open(maps, O_WRONLY | O_CLOEXEC);
        ck_assert_int_ge(end, 0);
        ck_assert_int_eq(kill(worker, SIGKILL), 0);
        ck_assert_int_eq(waitpid(worker, NULL, 0), worker);
        readers = (struct pollfd){.fd = end};
        ck_assert_int_eq(poll(&readers, 1, 30000), 1);
        ck_assert(readers.revents & POLLERR);
}
END_TEST

START_TEST(an_error_of_the_sink_ends_the_search) {
        static const uint32_t group = 3;
        _cleanup_machine_ Machine machine;
        size_t calls = 0;

        machine_init(&machine);
        machine_add_process(&machine, 5000100);
        machine_add_node(&machine, "5000100", 3, "vfio/3");
        machine_add_node(&machine, "5000100/task/5000102", 3, "vfio/3");
        ck_assert_int_eq(
                holder_search_new(&machine.tree.roots, &group, 1, NULL, 0, VFIOD, &machine.search),
                0);
        ck_assert_int_eq(holder_search_all(machine.search, refuse, &calls), -ENOENT);
        ck_assert_uint_eq(calls, 1);
        ck_assert_int_eq(holder_search_process(machine.search, 5000100, refuse, &calls), -ENOENT);
}
END_TEST

/* Process 5000100 with a file of the group and one of its devices, found; `opened` happens next. */
static void init_holder(Machine *machine, Holds *holds, void (*opened)(void *userdata)) {
        machine_init(machine);
        machine_add_process(machine, 5000100);
        machine_add_node(machine, "5000100", 3, "vfio/3");
        machine_add_device(machine, "5000100", 4, SYSPATH(DEVICE_A));
        machine_search(machine, holds);
        ck_assert_uint_eq(holds->n_holds, 2);
        stub_process.opened = opened;
        stub_process.userdata = machine;
}

static int send(Machine *machine, const Holds *holds) {
        return holder_signal(machine->search, &holds->holds[0], hold_keeps_device, SIGBUS, NULL);
}

START_TEST(a_holder_is_signalled_through_its_pidfd) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_close_ int pidfd = -EBADF;
        _cleanup_machine_ Machine machine;

        init_holder(&machine, &holds, NULL);
        ck_assert_int_eq(
                holder_signal(machine.search, &holds.holds[0], hold_keeps_device, SIGBUS, &pidfd),
                0);
        ck_assert_int_eq(stub_process.signaled, 5000100);
        ck_assert_int_eq(stub_process.signal, SIGBUS);
        ck_assert_int_ge(pidfd, 0);
}
END_TEST

START_TEST(a_holder_that_has_ended_is_not_signalled) {
        static const int errors[] = {-ESRCH, -EINVAL};

        for (size_t i = 0; i < ELEMENTS(errors); i++) {
                _cleanup_holds_ Holds holds = HOLDS_NULL;
                _cleanup_machine_ Machine machine;

                init_holder(&machine, &holds, NULL);
                stub_process.open_error = errors[i];
                ck_assert_int_eq(send(&machine, &holds), -ESRCH);
                ck_assert_int_eq(stub_process.signaled, 0);
        }
}
END_TEST

static void end_process(void *userdata) {
        tree_remove(&((Machine *)userdata)->tree, "proc/5000100/stat");
}

START_TEST(a_holder_that_ends_while_it_is_looked_at_is_not_signalled) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_machine_ Machine machine;

        init_holder(&machine, &holds, end_process);
        ck_assert_int_eq(send(&machine, &holds), -ESRCH);
        ck_assert_int_eq(stub_process.signaled, 0);
}
END_TEST

static void reuse_pid(void *userdata) {
        machine_set_stat(userdata, 5000100, 1, 0x400000, 1001);
}

/* It is a holder too: but not the one that was asked about. */
START_TEST(a_process_that_got_the_number_of_a_holder_is_not_signalled) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_machine_ Machine machine;

        init_holder(&machine, &holds, reuse_pid);
        ck_assert_int_eq(send(&machine, &holds), -ESRCH);
        ck_assert_int_eq(stub_process.signaled, 0);
}
END_TEST

static void close_device(void *userdata) {
        machine_close(userdata, "5000100", 4);
}

START_TEST(a_holder_that_gave_the_device_up_is_not_signalled) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_machine_ Machine machine;

        init_holder(&machine, &holds, close_device);
        ck_assert_int_eq(send(&machine, &holds), -ESRCH);
        ck_assert_int_eq(stub_process.signaled, 0);
}
END_TEST

static bool is_group(HoldKind kind) {
        return kind == HOLD_GROUP;
}

START_TEST(which_files_count_is_up_to_the_caller) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_machine_ Machine machine;

        init_holder(&machine, &holds, close_device);
        ck_assert_int_eq(holder_signal(machine.search, &holds.holds[0], is_group, SIGKILL, NULL),
                         0);
        ck_assert_int_eq(stub_process.signaled, 5000100);
        ck_assert_int_eq(stub_process.signal, SIGKILL);
}
END_TEST

static void become_child(void *userdata) {
        machine_set_stat(userdata, 5000100, VFIOD, 0x400000, 50001000);
}

static void become_helper(void *userdata) {
        machine_add_process(userdata, WORKER);
        machine_set_stat(userdata, WORKER, VFIOD, 0x400000, 600);
        machine_set_stat(userdata, 5000100, WORKER, 0x400000, 50001000);
}

static void become_kernel_thread(void *userdata) {
        machine_set_stat(userdata, 5000100, 1, 0x200000, 50001000);
}

START_TEST(vfiods_children_and_kernel_threads_are_never_signalled) {
        static void (*const rows[])(void *userdata) = {become_child, become_helper,
                                                       become_kernel_thread};

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_holds_ Holds holds = HOLDS_NULL;
                _cleanup_machine_ Machine machine;

                init_holder(&machine, &holds, rows[i]);
                ck_assert_int_eq(send(&machine, &holds), -ESRCH);
                ck_assert_int_eq(stub_process.signaled, 0);
        }
}
END_TEST

START_TEST(vfiod_and_init_are_never_signalled) {
        static const pid_t pids[] = {VFIOD, 1};

        for (size_t i = 0; i < ELEMENTS(pids); i++) {
                _cleanup_free_ char *process = string_format("%d", pids[i]);
                _cleanup_holds_ Holds holds = HOLDS_NULL;
                _cleanup_machine_ Machine machine;
                Hold holder;

                init_holder(&machine, &holds, NULL);
                machine_add_process(&machine, pids[i]);
                machine_add_device(&machine, process, 4, SYSPATH(DEVICE_A));
                holder = holds.holds[0];
                holder.pid = holder.tid = pids[i];
                holder.start_time = (uint64_t)pids[i] * 10;
                ck_assert_int_eq(
                        holder_signal(machine.search, &holder, hold_keeps_device, SIGBUS, NULL),
                        -ESRCH);
                ck_assert_int_eq(stub_process.signaled, 0);
        }
}
END_TEST

START_TEST(a_signal_that_fails_is_told_and_leaves_no_pidfd) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_machine_ Machine machine;
        int pidfd = -EBADF;

        init_holder(&machine, &holds, NULL);
        stub_process.signal_error = -EPERM;
        ck_assert_int_eq(
                holder_signal(machine.search, &holds.holds[0], hold_keeps_device, SIGBUS, &pidfd),
                -EPERM);
        ck_assert_int_eq(pidfd, -EBADF);
}
END_TEST

START_TEST(a_holder_of_nothing_but_a_known_mapping_is_signalled) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_machine_ Machine machine;

        init_with_file(&machine);
        free(machine_look(&machine));
        machine_close(&machine, "5000100", 9);
        machine_search(&machine, &holds);
        ck_assert_uint_eq(holds.n_holds, 1);
        ck_assert_int_eq(send(&machine, &holds), 0);
        ck_assert_int_eq(stub_process.signaled, 5000100);
}
END_TEST

static void add_finding_tests(TCase *tests) {
        tcase_add_test(tests, group_and_cdev_files_are_told_by_their_device_numbers);
        tcase_add_test(tests, the_node_of_a_group_without_an_iommu_has_another_name);
        tcase_add_test(tests, a_group_without_a_node_is_not_told_by_a_device_number_of_zero);
        tcase_add_test(tests, a_device_file_is_told_by_what_fdinfo_says);
        tcase_add_test(tests, a_device_file_is_told_by_an_fdinfo_of_many_pages);
        tcase_add_test(tests, a_device_file_is_compared_with_ours_where_fdinfo_says_nothing);
        tcase_add_test(tests, fdinfo_is_believed_before_a_comparison);
        tcase_add_test(tests, a_device_file_that_its_holder_opened_is_told_by_the_groups_file);
        tcase_add_test(tests,
                       a_device_file_that_its_holder_opened_is_not_told_without_the_groups_file);
        tcase_add_test(tests, a_device_file_is_of_no_group_whose_devices_are_all_closed);
        tcase_add_test(
                tests,
                a_device_file_that_vfiod_has_of_another_group_is_not_told_by_the_groups_file);
        tcase_add_test(tests, nor_is_one_that_vfiod_has_given_to_a_worker);
        tcase_add_test(tests, one_of_a_worker_that_has_the_groups_file_is_told_by_that);
        tcase_add_test(tests,
                       one_that_only_a_process_of_somebody_else_has_too_is_told_by_the_groups_file);
        tcase_add_test(tests,
                       among_device_files_of_other_groups_the_one_that_its_holder_opened_is_found);
        tcase_add_test(
                tests,
                a_device_file_that_vfiod_has_of_another_group_does_not_hide_one_of_the_group);
        tcase_add_test(tests, nothing_is_told_by_the_groups_file_once_vfiod_has_ended);
        tcase_add_test(
                tests,
                for_a_crowd_vfiods_files_are_read_once_in_a_few_milliseconds_and_else_each_time);
        tcase_add_test(tests,
                       who_has_closed_the_device_of_the_group_is_not_signalled_for_one_of_another);
        tcase_add_test(tests, nor_when_the_file_of_the_other_group_has_gone_from_vfiod_to_a_worker);
        tcase_add_test(tests, a_container_is_only_told_by_comparing);
        tcase_add_test(tests,
                       an_iommufd_is_only_told_by_comparing_and_only_where_one_is_looked_for);
        tcase_add_test(tests, an_iommufd_from_mounts_that_are_gone_is_one_all_the_same);
        tcase_add_test(tests, a_file_whose_name_is_too_long_to_be_known_is_told_by_all_else);
        tcase_add_test(
                tests,
                a_file_that_cannot_be_looked_at_ends_neither_the_search_nor_the_look_at_its_process);
        tcase_add_test(tests, a_process_that_does_not_say_who_it_is_does_not_end_the_search);
        tcase_add_test(tests, a_device_file_whose_fdinfo_cannot_be_read_is_compared_with_ours);
        tcase_add_test(tests, devices_that_cannot_be_read_end_the_search);
        tcase_add_test(tests, a_process_with_an_iommufd_alone_is_not_signalled);
        tcase_add_test(tests, a_lease_is_told_by_its_pipe);
        tcase_add_test(tests, a_group_that_does_not_exist_has_no_holders);
        tcase_add_test(tests, a_reference_that_is_not_open_is_an_error);
        tcase_add_test(tests, vfiod_its_children_init_and_kernel_threads_are_never_reported);
        tcase_add_test(tests, who_helps_a_worker_look_is_no_holder);
        tcase_add_test(tests, who_is_further_from_vfiod_is_a_holder_like_others);
        tcase_add_test(tests, who_a_holder_is_is_read_with_it);
        tcase_add_test(tests, a_process_that_ends_meanwhile_is_left_out);
        tcase_add_test(tests, a_process_without_files_or_maps_is_no_error);
        tcase_add_test(tests, a_thread_with_a_table_of_its_own_is_looked_into);
        tcase_add_test(tests, a_file_in_a_table_of_its_own_is_compared_there);
        tcase_add_test(tests, the_holders_among_many_processes_are_found);
        tcase_add_test(tests, a_first_thread_that_has_ended_does_not_hide_the_others);
        tcase_add_test(tests, in_a_crowd_of_processes_the_holders_are_found);
        tcase_add_test(tests, who_helps_a_worker_look_ends_with_it);
        tcase_add_test(tests, an_error_of_the_sink_ends_the_search);
}

static void add_mapping_tests(TCase *tests) {
        tcase_add_test(tests, a_mapping_of_a_device_node_is_told_by_the_inode_of_the_node);
        tcase_add_test(tests, a_mapping_with_a_path_of_any_length_is_told);
        tcase_add_test(tests, halves_of_the_word_far_from_each_other_are_not_the_word);
        tcase_add_test(tests, maps_of_any_length_are_read_in_little_memory);
        tcase_add_test(tests, a_search_can_be_called_off_between_processes_and_while_maps_are_read);
        tcase_add_test(tests, a_mapping_is_of_the_only_open_device_that_it_fits);
        tcase_add_test(tests, a_mapping_that_two_devices_of_the_group_may_be_has_no_device);
        tcase_add_test(tests, a_mapping_that_another_open_device_may_be_is_not_reported);
        tcase_add_test(tests, a_mapping_while_only_another_device_is_open_is_not_reported);
        tcase_add_test(tests, a_device_that_came_since_the_last_look_is_not_ruled_out);
        tcase_add_test(tests, a_device_whose_unbinding_waits_for_its_user_may_still_be_mapped);
        tcase_add_test(tests, a_device_that_shows_no_bars_may_be_any_mapping);
        tcase_add_test(tests,
                       before_there_was_a_class_of_vfio_devices_the_name_of_the_driver_counts);
        tcase_add_test(tests, a_mapping_that_no_device_of_the_group_can_be_is_not_reported);
        tcase_add_test(tests, an_offset_that_is_a_physical_address_tells_the_device);
        tcase_add_test(tests, a_mapping_of_a_region_that_is_no_bar_may_be_of_any_open_device);
        tcase_add_test(tests, a_mapping_is_of_the_device_that_all_files_of_its_process_are_of);
        tcase_add_test(tests, a_mapping_of_a_process_with_files_of_two_devices_is_not_told_by_them);
        tcase_add_test(tests, a_mapping_that_does_not_fit_the_device_of_its_process_is_not_of_it);
        tcase_add_test(tests, which_of_two_devices_a_mapping_is_of_is_told_by_the_files);
        tcase_add_test(tests, a_mapping_that_was_told_once_is_known_after_the_file_is_closed);
        tcase_add_test(tests, a_mapping_is_known_only_in_the_process_and_place_it_was_told_in);
        tcase_add_test(tests, a_mapping_of_another_process_of_the_same_number_is_not_known);
        tcase_add_test(tests, a_mapping_that_was_gone_once_is_forgotten);
}

static void add_signal_tests(TCase *tests) {
        tcase_add_test(tests, a_holder_is_signalled_through_its_pidfd);
        tcase_add_test(tests, a_holder_that_has_ended_is_not_signalled);
        tcase_add_test(tests, a_holder_that_ends_while_it_is_looked_at_is_not_signalled);
        tcase_add_test(tests, a_process_that_got_the_number_of_a_holder_is_not_signalled);
        tcase_add_test(tests, a_holder_that_gave_the_device_up_is_not_signalled);
        tcase_add_test(tests, which_files_count_is_up_to_the_caller);
        tcase_add_test(tests, vfiods_children_and_kernel_threads_are_never_signalled);
        tcase_add_test(tests, vfiod_and_init_are_never_signalled);
        tcase_add_test(tests, a_signal_that_fails_is_told_and_leaves_no_pidfd);
        tcase_add_test(tests, a_holder_of_nothing_but_a_known_mapping_is_signalled);
}

int main(void) {
        TCase *tests = tests_new("holders");

        add_finding_tests(tests);
        add_mapping_tests(tests);
        add_signal_tests(tests);
        return tests_run(tests);
}
