/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns what a machine and its processes look like in /sys, /dev and /proc. */

#include "tests/unit/fixture-holders.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/util/string.h"
#include "tests/stub/stub-process.h"

#define PATH_SIZE 256

static void add_device(const Machine *machine, const char *name, unsigned group, const char *driver,
                       uint64_t bar, const char *enable) {
        char path[PATH_SIZE], text[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/resource", name);
        (void)snprintf(text, sizeof(text),
                       "0x%016" PRIx64 " 0x%016" PRIx64 " 0x0000000000040200\n"
                       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n",
                       bar, bar + 0x3fff);
        tree_write(&machine->tree, path, text);
        (void)snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/driver", name);
        (void)snprintf(text, sizeof(text), "../../../bus/pci/drivers/%s", driver);
        tree_link(&machine->tree, path, text);
        (void)snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/devices/%s", group, name);
        (void)snprintf(text, sizeof(text), "../../../../devices/pci0000:00/%s", name);
        tree_link(&machine->tree, path, text);
        machine_set_enable(machine, name, enable);
}

void machine_init(Machine *machine) {
        *machine = (Machine){0};
        stub_process = (StubProcess){0};
        tree_init(&machine->tree);
        tree_write(&machine->tree, "sys/class/vfio/3/dev", "1:3\n");
        tree_write(&machine->tree, "sys/class/vfio/4/dev", "1:5\n");
        tree_mkdir(&machine->tree, "sys/class/vfio-dev");
        add_device(machine, DEVICE_A, 3, "vfio-pci", 0xfe000000, "1\n");
        add_device(machine, DEVICE_B, 3, "vfio-pci", 0xfe010000, "1\n");
        add_device(machine, DEVICE_C, 4, "vfio-pci", 0xfd000000, "0\n");
        add_device(machine, DEVICE_D, 5, "e1000e", 0xfc000000, "1\n");
        tree_write(&machine->tree, "sys/devices/pci0000:00/" DEVICE_A "/vfio-dev/vfio0/dev",
                   "1:7\n");
        tree_mkdir(&machine->tree, "sys/devices/pci0000:00/" DEVICE_B "/vfio-dev/vfio1");
        tree_mkdir(&machine->tree, "sys/devices/pci0000:00/" DEVICE_C "/vfio-dev/vfio2");
        tree_link(&machine->tree, "dev/vfio/3", "/dev/null");
        tree_link(&machine->tree, "dev/vfio/4", "/dev/zero");
        tree_link(&machine->tree, "dev/vfio/devices/vfio0", "/dev/full");
        machine_add_process(machine, VFIOD);
}

void machine_done(Machine *machine) {
        machine->search = holder_search_free(machine->search);
        tree_done(&machine->tree);
}

void machine_set_stat(const Machine *machine, pid_t pid, pid_t parent, unsigned flags,
                      unsigned long long start_time) {
        char path[PATH_SIZE], text[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "proc/%d/stat", pid);
        /* A name as a hostile process may choose it. */
        (void)snprintf(text, sizeof(text),
                       "%d (a) R 1 (b) S %d 7 7 0 -1 %u 1 2 3 4 5 6 7 8 20 0 1 0 %llu 9 9\n", pid,
                       parent, flags, start_time);
        tree_write(&machine->tree, path, text);
}

void machine_add_process(const Machine *machine, pid_t pid) {
        char path[PATH_SIZE];

        machine_set_stat(machine, pid, 1, 0x400000, (unsigned long long)pid * 10);
        (void)snprintf(path, sizeof(path), "proc/%d/status", pid);
        tree_write(&machine->tree, path, "Name:\tqemu\nUmask:\t0022\nUid:\t1000\t1001\t0\t0\n");
        (void)snprintf(path, sizeof(path), "proc/%d/comm", pid);
        tree_write(&machine->tree, path, "qemu\n");
        (void)snprintf(path, sizeof(path), "proc/%d/fd", pid);
        tree_mkdir(&machine->tree, path);
        (void)snprintf(path, sizeof(path), "proc/%d/maps", pid);
        tree_write(&machine->tree, path, "");
        (void)snprintf(path, sizeof(path), "proc/%d/task/%d", pid, pid);
        tree_mkdir(&machine->tree, path);
}

void machine_add_fd(const Machine *machine, const char *process, int fd, const char *target) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "proc/%s/fd/%d", process, fd);
        tree_link(&machine->tree, path, target);
}

void machine_add_node(const Machine *machine, const char *process, int fd, const char *node) {
        char target[PATH_SIZE];

        (void)snprintf(target, sizeof(target), "%s/dev/%s", machine->tree.path, node);
        machine_add_fd(machine, process, fd, target);
}

void machine_add_device(const Machine *machine, const char *process, int fd, const char *fdinfo) {
        char path[PATH_SIZE];

        machine_add_fd(machine, process, fd, "anon_inode:[vfio-device]");
        (void)snprintf(path, sizeof(path), "proc/%s/fdinfo/%d", process, fd);
        tree_write(&machine->tree, path, fdinfo);
}

void machine_close(const Machine *machine, const char *process, int fd) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "proc/%s/fd/%d", process, fd);
        tree_remove(&machine->tree, path);
}

char *machine_map(uint64_t first, unsigned pages, uint64_t offset) {
        return string_format("%" PRIx64 "-%" PRIx64 " rw-s %08" PRIx64
                             " 00:0f 1042                     anon_inode:[vfio-device]\n",
                             first, first + (uint64_t)pages * 4096, offset);
}

void machine_set_maps(const Machine *machine, const char *process, const char *maps) {
        _cleanup_free_ char *text = string_format(
                "55d0c0000000-55d0c0002000 r--p 00000000 fe:01 131 /usr/lib/libvfio-user.so.0\n%s"
                "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]\n",
                maps);
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "proc/%s/maps", process);
        tree_write(&machine->tree, path, text);
}

void machine_set_enable(const Machine *machine, const char *device, const char *enable) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "sys/devices/pci0000:00/%s/enable", device);
        tree_write(&machine->tree, path, enable);
}

void machine_add_unknown_device(const Machine *machine) {
        tree_mkdir(&machine->tree, "sys/devices/virtual/unknown");
        tree_link(&machine->tree, "sys/kernel/iommu_groups/9/devices/unknown",
                  "../../../../devices/virtual/unknown");
}

void machine_add_reference(Machine *machine, HoldKind kind, const char *device, int fd, int file) {
        machine->references[machine->n_references++] =
                (HolderReference){.kind = kind, .group = 3, .device = device, .fd = fd};
        stub_process_add_file(getpid(), fd, file);
}

static int take(void *userdata, const Hold *hold) {
        return holds_add(userdata, hold);
}

void machine_search(Machine *machine, Holds *holds) {
        static const uint32_t group = 3;

        if (!machine->search)
                ck_assert_int_eq(holder_search_new(&machine->tree.roots, &group, 1,
                                                   machine->references, machine->n_references,
                                                   VFIOD, &machine->search),
                                 0);
        ck_assert_int_eq(holder_search_all(machine->search, take, holds), 0);
}

char *machine_look(Machine *machine) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        char *text = strdup("");

        machine_search(machine, &holds);
        for (size_t i = 0; i < holds.n_holds; i++) {
                const Hold *hold = &holds.holds[i];

                (void)string_append(&text, "%s%d", i > 0 ? "\n" : "", hold->pid);
                if (hold->tid != hold->pid)
                        (void)string_append(&text, "/%d", hold->tid);
                (void)string_append(&text, " %s %s", hold_kind_name(hold->kind),
                                    hold->device[0] ? hold->device : "-");
                if (hold->kind == HOLD_MAPPING)
                        (void)string_append(&text, " %" PRIx64, hold->map_first);
                else
                        (void)string_append(&text, " %d", hold->fd);
        }
        return text;
}

void machine_assert(Machine *machine, const char *expected) {
        _cleanup_free_ char *text = machine_look(machine);

        ck_assert_str_eq(text, expected);
}
