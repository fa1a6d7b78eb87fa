/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/usage.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/kernel/enumerate.h"
#include "daemon/kernel/host-table.h"
#include "daemon/kernel/interface-addresses.h"
#include "daemon/kernel/sysfs.h"
#include "daemon/util/string.h"

#define PATH_SIZE 512
#define WORD_SIZE 256
/* Of a mount point, where each byte may be written as four. */
#define POINT_SIZE 2048

/* Devices on devices on devices: deeper than anybody stacks them. */
#define DEPTH_MAX 8

/* /proc/PID/net/if_inet6: an address that every interface has (include/net/ipv6.h). */
#define SCOPE_LINK 0x20U

/* A disk or an interface, and how it is used. */
typedef struct Use {
        char *name; /* "259:2" of a mount, else a name */
        char *how;  /* "is mounted on /" */
} Use;

typedef struct Uses {
        Use *uses;
        size_t n_uses;
} Uses;

struct HostUsage {
        const Roots *roots; /* borrowed */
        Uses mounts;        /* by device number */
        Uses disks;         /* swap, and parts of a btrfs; by name */
        Uses interfaces;
        char **blocks; /* names in /sys/class/block */
        char **nets;   /* names in /sys/class/net */
};

/* What is not there is not in use, nor what goes while it is looked at. Whatever else cannot be
 * read may be. */
static int unless_gone(int r) {
        return r == -ENOENT || r == -ENOTDIR || r == -ENODEV ? 0 : r;
}

static void uses_done(Uses *uses) {
        for (size_t i = 0; i < uses->n_uses; i++) {
                free(uses->uses[i].name);
                free(uses->uses[i].how);
        }
        free(uses->uses);
}

HostUsage *host_usage_free(HostUsage *usage) {
        if (!usage)
                return NULL;
        uses_done(&usage->mounts);
        uses_done(&usage->disks);
        uses_done(&usage->interfaces);
        strv_free(usage->blocks);
        strv_free(usage->nets);
        free(usage);
        return NULL;
}

static const char *uses_find(const Uses *uses, const char *name) {
        for (size_t i = 0; i < uses->n_uses; i++)
                if (strcmp(uses->uses[i].name, name) == 0)
                        return uses->uses[i].how;
        return NULL;
}

/* Owns `how`. The first use of a name is enough. */
static int uses_add_consume(Uses *uses, const char *name, char *how) {
        _cleanup_free_ char *owned = how;
        Use *grown;

        if (!owned)
                return -ENOMEM;
        if (uses_find(uses, name))
                return 0;
        grown = reallocarray(uses->uses, uses->n_uses + 1, sizeof(Use));
        if (!grown)
                return -ENOMEM;
        uses->uses = grown;
        grown[uses->n_uses].name = strdup(name);
        if (!grown[uses->n_uses].name)
                return -ENOMEM;
        grown[uses->n_uses++].how = TAKE_PTR(owned);
        return 0;
}

/* --- tables of /proc */

/* Puts what "\040" and the like stand for in their places (fs/seq_file.c, mangle_path). */
static void unescape(char *text) {
        char *end = text;

        for (const char *c = text; *c;) {
                unsigned byte;
                int n;

                if (*c != '\\' || sscanf(c, "\\%3o%n", &byte, &n) != 1) {
                        *end++ = *c++;
                        continue;
                }
                *end++ = (char)byte;
                c += n;
        }
        *end = '\0';
}

/* "36 35 98:0 /mnt1 /mnt2 rw ...": Documentation/filesystems/proc.rst, "/proc/<pid>/mountinfo". */
static int add_mount(void *userdata, const char *line) {
        HostUsage *usage = userdata;
        char number[32], point[POINT_SIZE];

        if (sscanf(line, "%*u %*u %31s %*s %2047s", number, point) != 2)
                return 0;
        unescape(point);
        return uses_add_consume(&usage->mounts, number,
                                string_format("is mounted on %.255s", point));
}

/* "/dev/dm-1  partition  ..."; the kernel has followed links. A file is on a file system. */
static int add_swap(void *userdata, const char *line) {
        HostUsage *usage = userdata;
        char path[WORD_SIZE], kind[16];

        if (sscanf(line, "%255s %15s", path, kind) != 2 || strcmp(kind, "partition") != 0)
                return 0;
        return uses_add_consume(&usage->disks, strrchr(path, '/') ? strrchr(path, '/') + 1 : path,
                                strdup("is swap"));
}

static int add_route(void *userdata, const char *line) {
        HostUsage *usage = userdata;
        char name[WORD_SIZE], destination[16];

        if (sscanf(line, "%255s %15s", name, destination) != 2 || strcmp(name, "Iface") == 0)
                return 0;
        return uses_add_consume(&usage->interfaces, name, strdup("has a route"));
}

static int add_addressed(void *userdata, const char *name) {
        HostUsage *usage = userdata;

        return uses_add_consume(&usage->interfaces, name, strdup("has an address"));
}

static int add_address(void *userdata, const char *line) {
        HostUsage *usage = userdata;
        char name[WORD_SIZE];
        unsigned scope;

        if (sscanf(line, "%*s %*x %*x %x %*x %255s", &scope, name) != 2 || scope == SCOPE_LINK)
                return 0;
        return add_addressed(usage, name);
}

static int read_tables(HostUsage *usage) {
        static const struct {
                const char *paths[3];
                int (*add)(void *userdata, const char *line);
        } tables[] = {
                {{"1/mountinfo", "self/mountinfo", NULL}, add_mount},
                {{"swaps", NULL}, add_swap},
                {{"1/net/route", "self/net/route", NULL}, add_route},
                {{"1/net/if_inet6", "self/net/if_inet6", NULL}, add_address},
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTS(tables); i++)
                r = host_table_read(usage->roots, tables[i].paths, tables[i].add, usage);
        return r;
}

/* NULL for a directory that is not there. */
static int list(const HostUsage *usage, const char *path, char ***ret) {
        return unless_gone(sysfs_list(usage->roots->sys_fd, path, ret));
}

/* A file system on several disks is mounted from none of them: "btrfs/UUID/devices/sda2". */
static int read_btrfs(HostUsage *usage) {
        _cleanup_strv_ char **systems = NULL;
        int r = list(usage, "fs/btrfs", &systems);

        for (char **system = systems; r >= 0 && system && *system; system++) {
                _cleanup_strv_ char **disks = NULL;
                char path[PATH_SIZE];

                (void)snprintf(path, sizeof(path), "fs/btrfs/%s/devices", *system);
                r = list(usage, path, &disks);
                for (char **disk = disks; r >= 0 && disk && *disk; disk++)
                        r = uses_add_consume(&usage->disks, *disk, strdup("is of a mounted btrfs"));
        }
        return r;
}

int host_usage_read(const Roots *roots, HostUsage **ret) {
        HostUsage *usage = calloc(1, sizeof(HostUsage));
        int r = usage ? 0 : -ENOMEM;

        if (r >= 0) {
                usage->roots = roots;
                r = read_tables(usage);
        }
        if (r >= 0)
                r = interface_addresses_read(add_addressed, usage);
        if (r >= 0)
                r = read_btrfs(usage);
        if (r >= 0)
                r = list(usage, "class/block", &usage->blocks);
        if (r >= 0)
                r = list(usage, "class/net", &usage->nets);
        if (r < 0) {
                host_usage_free(usage);
                return r;
        }
        *ret = usage;
        return 0;
}

/* --- what is below the device */

static bool is_below(const char *place, const DeviceFacts *facts) {
        size_t n = strlen(string_or_empty(facts->path));

        return n > 0 && strncmp(place, facts->path, n) == 0 && place[n] == '/';
}

/*
 * A disk of NVMe multipath hangs on its subsystem, which has a link to each controller:
 * "virtual/nvme-subsystem/nvme-subsys0/nvme0n1" and beside it "nvme0" (drivers/nvme/host/core.c,
 * nvme_init_subsystem).
 */
static int is_by_multipath(const HostUsage *usage, char *place, const DeviceFacts *facts) {
        _cleanup_strv_ char **entries = NULL;
        _cleanup_free_ char *part = string_format("/%s/", facts->name);
        char *slash = strrchr(place, '/'), path[PATH_SIZE];
        int r;

        if (!part)
                return -ENOMEM;
        if (!slash || strncmp(place, "virtual/nvme-subsystem/", 23) != 0)
                return 0;
        *slash = '\0';
        (void)snprintf(path, sizeof(path), "devices/%.480s", place);
        r = list(usage, path, &entries);
        for (char **entry = entries; r == 0 && entry && *entry; entry++) {
                _cleanup_free_ char *target = NULL;

                (void)snprintf(path, sizeof(path), "devices/%.300s/%.120s", place, *entry);
                r = unless_gone(sysfs_read_target(usage->roots->sys_fd, path, &target));
                /* Most are attributes, and no links. */
                r = r == -EINVAL ? 0 : r < 0 ? r : target && strstr(target, part);
        }
        return r;
}

/* 1: the block device at `place`, which is changed, is a disk of the device. 0: it is not. */
static int is_of(const HostUsage *usage, char *place, const DeviceFacts *facts) {
        return is_below(place, facts) ? 1 : is_by_multipath(usage, place, facts);
}

/* Names and mount points are what others have chosen: here they become text, after all is looked up
 * by them as they are. */
static int add_reason(char ***reasons, const char *name, const char *how) {
        _cleanup_free_ char *reason = string_format("%s %s", name, how);

        if (!reason)
                return -ENOMEM;
        (void)string_make_printable(reason);
        if (strv_length(*reasons) >= HOST_USAGE_MAX || strv_contains(*reasons, reason))
                return 0;
        return strv_push(reasons, reason);
}

/* --- disks */

static int add_block(const HostUsage *usage, const char *name, unsigned depth, char ***reasons);

static int add_block_itself(const HostUsage *usage, const char *name, char ***reasons) {
        _cleanup_free_ char *number = NULL;
        const char *how = uses_find(&usage->disks, name);
        char path[PATH_SIZE];
        int r = 0;

        (void)snprintf(path, sizeof(path), "class/block/%.200s/dev", name);
        if (!how)
                r = unless_gone(sysfs_read(usage->roots->sys_fd, path, &number));
        if (r < 0)
                return r;
        if (number)
                how = uses_find(&usage->mounts, number);
        return how ? add_reason(reasons, name, how) : 0;
}

/* Its partitions, or what has been made of it (dm, md). */
static int add_blocks_in(const HostUsage *usage, const char *name, const char *directory,
                         bool partitions, unsigned depth, char ***reasons) {
        _cleanup_strv_ char **entries = NULL;
        char path[PATH_SIZE];
        int r;

        (void)snprintf(path, sizeof(path), "class/block/%.200s%s", name, directory);
        r = list(usage, path, &entries);
        for (char **entry = entries; r >= 0 && entry && *entry; entry++) {
                (void)snprintf(path, sizeof(path), "class/block/%.200s/%.200s/partition", name,
                               *entry);
                if (!partitions || sysfs_exists(usage->roots->sys_fd, path))
                        r = add_block(usage, *entry, depth + 1, reasons);
        }
        return r;
}

static int add_block(const HostUsage *usage, const char *name, unsigned depth, char ***reasons) {
        int r;

        if (depth > DEPTH_MAX)
                return 0;
        r = add_block_itself(usage, name, reasons);
        if (r >= 0)
                r = add_blocks_in(usage, name, "", true, depth, reasons);
        return r < 0 ? r : add_blocks_in(usage, name, "/holders", false, depth, reasons);
}

static int add_blocks(const HostUsage *usage, const DeviceFacts *facts, char ***reasons) {
        int r = 0;

        for (char **name = usage->blocks; r >= 0 && name && *name; name++) {
                _cleanup_free_ char *place = NULL;
                char path[PATH_SIZE];

                (void)snprintf(path, sizeof(path), "class/block/%.200s", *name);
                r = sysfs_read_place(usage->roots->sys_fd, path, &place);
                if (r >= 0)
                        r = is_of(usage, place, facts);
                if (r > 0)
                        r = add_block(usage, *name, 0, reasons);
        }
        return r;
}

/* --- network interfaces */

static int add_interface(const HostUsage *usage, const char *name, unsigned depth,
                         char ***reasons) {
        const char *how = uses_find(&usage->interfaces, name);
        _cleanup_strv_ char **entries = NULL;
        char path[PATH_SIZE];
        int r = how ? add_reason(reasons, name, how) : 0;

        (void)snprintf(path, sizeof(path), "class/net/%.200s", name);
        if (r >= 0 && depth <= DEPTH_MAX)
                r = list(usage, path, &entries);
        for (char **entry = entries; r >= 0 && entry && *entry; entry++) {
                const char *upper = string_after(*entry, "upper_");

                if (upper)
                        r = add_interface(usage, upper, depth + 1, reasons);
        }
        return r;
}

static int add_interfaces(const HostUsage *usage, const DeviceFacts *facts, char ***reasons) {
        int r = 0;

        for (char **name = usage->nets; r >= 0 && name && *name; name++) {
                _cleanup_free_ char *place = NULL;
                char path[PATH_SIZE];

                (void)snprintf(path, sizeof(path), "class/net/%.200s", *name);
                r = sysfs_read_place(usage->roots->sys_fd, path, &place);
                if (r >= 0 && is_below(place, facts))
                        r = add_interface(usage, *name, 0, reasons);
        }
        return r;
}

/* --- the device itself */

static int read_attribute(const HostUsage *usage, const DeviceFacts *facts, const char *name,
                          char **ret) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "bus/%.60s/devices/%.200s/%s", facts->bus, facts->name,
                       name);
        return unless_gone(sysfs_read(usage->roots->sys_fd, path, ret));
}

static int add_display(const HostUsage *usage, const DeviceFacts *facts, char ***reasons) {
        _cleanup_free_ char *boot = NULL;
        int r = read_attribute(usage, facts, "boot_vga", &boot);

        if (r < 0 || !string_equal(boot, "1"))
                return r;
        return add_reason(reasons, "it", "is the display that the host has booted with");
}

static int add_functions(const HostUsage *usage, const DeviceFacts *facts, char ***reasons) {
        _cleanup_strv_ char **functions = NULL;
        _cleanup_free_ char *how = NULL;
        int r = device_facts_is_pci(facts) ? enumerate_vfs(usage->roots, facts->name, &functions)
                                           : 0;

        if (!functions)
                return unless_gone(r);
        how = string_format("has %zu virtual functions", strv_length(functions));
        return how ? add_reason(reasons, "it", how) : -ENOMEM;
}

int host_usage_of(const HostUsage *usage, const DeviceFacts *facts, char ***ret) {
        _cleanup_strv_ char **reasons = NULL;
        int r;

        r = add_blocks(usage, facts, &reasons);
        if (r >= 0)
                r = add_interfaces(usage, facts, &reasons);
        if (r >= 0)
                r = add_display(usage, facts, &reasons);
        if (r >= 0)
                r = add_functions(usage, facts, &reasons);
        if (r >= 0)
                *ret = TAKE_PTR(reasons);
        return r < 0 ? r : 0;
}
