/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One process: the files in each of its tables, and then its mappings. */

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/kernel/holder-private.h"
#include "daemon/kernel/process.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define PREFIX_SIZE 32

/* A table of files: of the process, or of a thread that has its own. */
typedef struct Table {
        pid_t tid;
        char prefix[PREFIX_SIZE]; /* "" or "task/TID/" */
} Table;

static int take_syspath(void *userdata, const char *line) {
        const char *value = strstr(line, "/sys/");
        char **syspath = userdata;

        if (!value || *syspath)
                return 0;
        *syspath = strdup(value + strlen("/sys/"));
        return *syspath ? 0 : -ENOMEM;
}

/* What the kernel itself says of a device's file, since Linux 6.18; *ret stays NULL where it says
 * nothing. In front of it are the locks that the process has on the file, as many as it likes. */
static int read_syspath(const HolderProcess *process, const Table *table, int fd, char **ret) {
        _cleanup_close_ int file = -EBADF;
        char path[64];

        (void)snprintf(path, sizeof(path), "%sfdinfo/%d", table->prefix, fd);
        file = openat(process->dir, path, O_RDONLY | O_CLOEXEC);
        return file < 0 ? -errno
                        : holder_lines_read(process->search, file,
                                            "vfio-device-syspath:", take_syspath, ret);
}

/* Whether mappings of the process can be told by its files. */
static void note_device(HolderProcess *process, const Hold *hold) {
        Hold *only = &process->only;

        if (!hold || (only->device[0] && strcmp(only->device, hold->device) != 0))
                process->mixed = true;
        else
                *only = *hold;
}

/* A device's file that was got from a group: all have the same name, inode and device number. */
static int look_at_device(HolderProcess *process, const Table *table, int fd, Hold *hold) {
        HolderSearch *search = process->search;
        _cleanup_free_ char *syspath = NULL;
        bool found;
        int r = read_syspath(process, table, fd, &syspath);

        if (r < 0 && !holder_passes(r))
                return r;
        found = syspath ? holder_target_by_syspath(search, syspath, hold)
                        : holder_target_by_file(search, HOLD_DEVICE, table->tid, fd, hold);
        note_device(process, found ? hold : NULL);
        if (found)
                return holder_process_report(process, hold);
        return syspath ? 0 : holder_fds_add(&search->untold, table->tid, fd);
}

static bool has_group(const HolderSearch *search) {
        for (size_t i = 0; i < search->n_groups; i++)
                if (search->groups[i].is_open)
                        return true;
        return false;
}

/* The first device file that cannot be told, and that is none that vfiod has of another group; NULL
 * for none. */
static int find_untold(HolderSearch *search, const HolderFd **ret) {
        int r = holder_others_read(search);

        *ret = NULL;
        for (size_t i = 0; r >= 0 && !*ret && i < search->untold.n; i++)
                if (!holder_is_other(search, &search->untold.fds[i]))
                        *ret = &search->untold.fds[i];
        return r;
}

int holder_process_read_devices(HolderProcess *process) {
        int r = holder_devices_read(process->search);

        if (r < 0) {
                process->over = true;
                process->result = r;
        }
        return r;
}

/*
 * A device's file that the process got from a group by itself is like no file of ours. If it has
 * the file of a group that is searched for, and a device of that is open, then it is taken for one
 * of that group; which one stays unsaid. Files are compared with all that vfiod has only here,
 * where it matters: most processes with devices have no group that is searched for.
 */
static int report_untold(HolderProcess *process) {
        HolderSearch *search = process->search;
        const HolderFd *untold;
        int r;

        if (search->untold.n == 0 || !has_group(search))
                return 0;
        r = find_untold(search, &untold);
        for (size_t i = 0; r >= 0 && untold && i < search->n_groups; i++) {
                Hold hold = {.kind = HOLD_DEVICE, .tid = untold->tid, .fd = untold->fd};

                if (!search->groups[i].is_open)
                        continue;
                r = holder_process_read_devices(process);
                hold.group = search->groups[i].number;
                if (r >= 0 && holder_group_may_be_open(search, hold.group))
                        r = holder_process_report(process, &hold);
        }
        return r;
}

/* The kernel lets a group be opened once only: whoever has its file has that one. */
static void note_group(HolderSearch *search, const Hold *hold) {
        for (size_t i = 0; hold->kind == HOLD_GROUP && i < search->n_groups; i++)
                if (search->groups[i].number == hold->group)
                        search->groups[i].is_open = true;
}

/* The file system is not asked: it may be one of the process itself, that answers late or never
 * (FUSE). What it says last of a node is as good. */
static bool is_node(const HolderProcess *process, int dir, const char *name, Hold *hold) {
        struct statx status;

        return statx(dir, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &status) == 0 &&
               S_ISCHR(status.stx_mode) &&
               holder_target_by_rdev(process->search,
                                     makedev(status.stx_rdev_major, status.stx_rdev_minor), hold);
}

static bool tell_node(const HolderProcess *process, const Table *table, int dir, const char *name,
                      Hold *hold) {
        return is_node(process, dir, name, hold) ||
               holder_target_by_file(process->search, HOLD_CONTAINER, table->tid, hold->fd, hold);
}

/* The name is that in its opener's view: it says that a closer look pays, not what it is. */
static int look_at_node(HolderProcess *process, const Table *table, int dir, const char *name,
                        Hold *hold) {
        if (!tell_node(process, table, dir, name, hold))
                return 0;
        note_group(process->search, hold);
        return holder_process_report(process, hold);
}

static int look_at_pipe(HolderProcess *process, const char *inode, Hold *hold) {
        uint64_t number;

        if (sscanf(inode, "%" SCNu64, &number) != 1 ||
            !holder_target_by_pipe(process->search, (ino_t)number, hold))
                return 0;
        return holder_process_report(process, hold);
}

/* All iommufds are opened by one node: only comparing tells whose it is. */
static int look_at_iommufd(HolderProcess *process, const Table *table, Hold *hold) {
        if (!holder_target_by_file(process->search, HOLD_IOMMUFD, table->tid, hold->fd, hold))
                return 0;
        return holder_process_report(process, hold);
}

/* The path is that in the opener's mounts: "/dev/iommu", or "/iommu" when they are gone with it. */
static bool is_named(const char *target, const char *name) {
        const char *slash = strrchr(target, '/');

        return slash && strcmp(slash + 1, name) == 0;
}

/* Anybody can give a file a path that is longer than the kernel tells: it may be any that has one.
 */
static int look_at_unnamed(HolderProcess *process, const Table *table, int dir, const char *name,
                           Hold *hold) {
        if (holder_target_by_file(process->search, HOLD_IOMMUFD, table->tid, hold->fd, hold))
                return holder_process_report(process, hold);
        return look_at_node(process, table, dir, name, hold);
}

/* 1: read; 0: it has none that is known whole; -ENOENT or -ESRCH: the file is not open any more. */
static int read_name(int dir, const char *fd, char *target, size_t size) {
        /* The directory has just been read.
         * NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions) */
        ssize_t n = readlinkat(dir, fd, target, size);
        int r = n < 0 ? -errno : 0;

        if (r == -ENOENT || r == -ESRCH || (r < 0 && !holder_passes(r)))
                return r;
        if (r < 0 || (size_t)n == size)
                return 0;
        target[n] = '\0';
        return 1;
}

static int look_at_fd(HolderProcess *process, const Table *table, int dir, uint32_t fd) {
        Hold hold = {.tid = table->tid, .fd = (int)fd};
        char name[16], target[PATH_MAX];
        const char *rest;
        int r;

        (void)snprintf(name, sizeof(name), "%" PRIu32, fd);
        r = read_name(dir, name, target, sizeof(target) - 1);
        if (r < 0)
                return holder_passes(r) ? 0 : r;
        if (r == 0)
                return look_at_unnamed(process, table, dir, name, &hold);
        rest = string_after(target, "pipe:[");
        if (rest)
                return look_at_pipe(process, rest, &hold);
        if (string_after(target, HOLDER_DEVICE_LINK))
                return look_at_device(process, table, hold.fd, &hold);
        if (is_named(target, "iommu"))
                return look_at_iommufd(process, table, &hold);
        return strstr(target, "vfio") ? look_at_node(process, table, dir, name, &hold) : 0;
}

static int look_at_table(HolderProcess *process, const Table *table) {
        Numbers *fds = &process->search->fds;
        _cleanup_close_ int dir = -EBADF;
        char path[PREFIX_SIZE + 8];
        int r;

        (void)snprintf(path, sizeof(path), "%sfd", table->prefix);
        dir = openat(process->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = dir < 0 ? -errno : numbers_read(fds, dir);
        for (size_t i = 0; r >= 0 && i < fds->n; i++)
                r = look_at_fd(process, table, dir, fds->numbers[i]);
        /* A thread has ended, the first one perhaps: the others' tables are still there. */
        return holder_passes(r) && !process->over ? 0 : r;
}

/* Threads share one table unless they were told not to: unshare(2), CLONE_FILES. */
static bool shares_table(const pid_t *owners, size_t n_owners, pid_t tid) {
        for (size_t i = n_owners; i > 0; i--)
                if (owners[i - 1] == tid || process_same_table(owners[i - 1], tid))
                        return true;
        return false;
}

static int look_at_tables(HolderProcess *process) {
        const Numbers *tids = &process->search->tids;
        _cleanup_free_ pid_t *owners = calloc(tids->n + 1, sizeof(pid_t));
        Table table = {.tid = process->who.pid};
        size_t n_owners = 0;
        int r;

        if (!owners)
                return -ENOMEM;
        owners[n_owners++] = table.tid;
        r = look_at_table(process, &table);
        for (size_t i = 0; r >= 0 && i < tids->n; i++) {
                table.tid = (pid_t)tids->numbers[i];
                if (shares_table(owners, n_owners, table.tid))
                        continue;
                owners[n_owners++] = table.tid;
                (void)snprintf(table.prefix, sizeof(table.prefix), "task/%d/", table.tid);
                r = look_at_table(process, &table);
        }
        return r;
}

/* In the real /proc the directory has two links, and one for each thread: most processes have one
 * and need no closer look. */
static int read_threads(HolderProcess *process) {
        Numbers *tids = &process->search->tids;
        _cleanup_close_ int dir = -EBADF;
        struct stat status;
        int r;

        tids->n = 0;
        if (fstatat(process->dir, "task", &status, 0) < 0 || status.st_nlink == 3)
                return 0;
        dir = openat(process->dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return holder_passes(-errno) ? 0 : -errno;
        r = numbers_read(tids, dir);
        return holder_passes(r) ? 0 : r;
}

/* A first thread that has ended while others live has no memory any more; they have it. */
static int read_maps(HolderProcess *process) {
        const HolderSearch *search = process->search;
        int r = holder_maps_read(process, "maps");

        for (size_t i = 0; (r == -ESRCH || r == -ENOENT) && i < search->tids.n; i++) {
                char path[PREFIX_SIZE + 8];

                (void)snprintf(path, sizeof(path), "task/%" PRIu32 "/maps",
                               search->tids.numbers[i]);
                r = holder_maps_read(process, path);
        }
        return holder_passes(r) ? 0 : r;
}

int holder_process_look(HolderSearch *search, pid_t pid, HolderSink sink, void *userdata) {
        HolderProcess process = {
                .search = search, .sink = sink, .userdata = userdata, .who.pid = pid};
        _cleanup_close_ int dir = -EBADF;
        char name[16];
        int r;

        if (pid <= 1 || pid == search->vfiod)
                return 0;
        if (holder_search_is_cancelled(search))
                return -ECANCELED;
        (void)snprintf(name, sizeof(name), "%d", pid);
        dir = openat(search->roots->proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return holder_passes(-errno) ? 0 : -errno;
        process.dir = dir;
        for (size_t i = 0; i < search->n_groups; i++)
                search->groups[i].is_open = false;
        search->untold.n = 0;
        r = read_threads(&process);
        if (r >= 0)
                r = read_maps(&process);
        if (r >= 0)
                r = look_at_tables(&process);
        if (r >= 0)
                r = report_untold(&process);
        if (r >= 0)
                r = holder_maps_report(&process);
        if (process.over)
                return process.result;
        return holder_passes(r) ? 0 : r;
}
