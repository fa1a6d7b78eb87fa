/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The device files that vfiod and its workers have themselves. What is searched for among them is
 * known by the references; a file that is like one of the others is of a group that is not searched
 * for, and nobody is a holder because of it.
 *
 * They are compared where they are. A copy in the process that searches would keep the devices of
 * groups that it has nothing to do with open, while others close, reset and unbind them.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/kernel/holder-private.h"
#include "daemon/kernel/process-stat.h"
#include "daemon/kernel/process.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

int holder_fds_add(HolderFds *fds, pid_t tid, int fd) {
        if (fds->n == fds->size) {
                size_t size = fds->size ? fds->size * 2 : 64;
                HolderFd *grown = reallocarray(fds->fds, size, sizeof(HolderFd));

                if (!grown)
                        return -ENOMEM;
                fds->fds = grown;
                fds->size = size;
        }
        fds->fds[fds->n++] = (HolderFd){.tid = tid, .fd = fd};
        return 0;
}

static bool is_searched_group(const HolderSearch *search, int dir, const char *name) {
        struct stat status;
        Hold hold;

        return fstatat(dir, name, &status, 0) >= 0 && S_ISCHR(status.st_mode) &&
               holder_target_by_rdev(search, status.st_rdev, &hold) && hold.kind == HOLD_GROUP;
}

/* *searched becomes true for the file of a group that is searched for. */
static int read_fd(HolderSearch *search, pid_t pid, int dir, uint32_t fd, bool *searched) {
        char name[16], target[PATH_MAX];
        ssize_t n;

        (void)snprintf(name, sizeof(name), "%" PRIu32, fd);
        /* The directory has just been read.
         * NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions) */
        n = readlinkat(dir, name, target, sizeof(target) - 1);
        if (n < 0)
                return holder_passes(-errno) ? 0 : -errno;
        target[n] = '\0';
        if (string_after(target, HOLDER_DEVICE_LINK))
                return holder_fds_add(&search->others, pid, (int)fd);
        if (strstr(target, "vfio") && is_searched_group(search, dir, name))
                *searched = true;
        return 0;
}

static int read_table(HolderSearch *search, pid_t pid, bool *searched) {
        _cleanup_(numbers_done) Numbers fds = {0};
        _cleanup_close_ int dir = -EBADF;
        char path[32];
        int r;

        (void)snprintf(path, sizeof(path), "%d/fd", pid);
        dir = openat(search->roots->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = dir < 0 ? -errno : numbers_read(&fds, dir);
        for (size_t i = 0; r >= 0 && i < fds.n; i++)
                r = read_fd(search, pid, dir, fds.numbers[i], searched);
        return r;
}

bool holder_is_worker(const HolderSearch *search, pid_t pid) {
        _cleanup_close_ int dir = -EBADF;
        uint64_t start_time;
        unsigned flags;
        pid_t parent;
        char name[16];

        (void)snprintf(name, sizeof(name), "%d", pid);
        dir = openat(search->roots->proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return dir >= 0 && process_read_stat(dir, &parent, &flags, &start_time) >= 0 &&
               parent == search->vfiod;
}

/*
 * A worker that is given a group's files has them all. So one without the file of a group that is
 * searched for has no device of it; of one that has it, we cannot tell which are which.
 */
static int read_worker(HolderSearch *search, pid_t pid) {
        size_t n = search->others.n;
        bool searched = false;
        int r = read_table(search, pid, &searched);

        if (searched)
                search->others.n = n;
        return holder_passes(r) ? 0 : r;
}

/* vfiod before its workers: it closes what it gives a worker when that has it. */
static int read_others(HolderSearch *search) {
        _cleanup_(numbers_done) Numbers pids = {0};
        bool searched = false;
        int r = read_table(search, search->vfiod, &searched);

        if (r >= 0)
                r = holder_pids_read(search, &pids);
        for (size_t i = 0; r >= 0 && i < pids.n; i++)
                if (holder_is_worker(search, (pid_t)pids.numbers[i]))
                        r = read_worker(search, (pid_t)pids.numbers[i]);
        return r;
}

int holder_others_read(HolderSearch *search) {
        int r;

        if (search->others_read)
                return 0;
        search->others.n = 0;
        search->others_usec = clock_now(CLOCK_MONOTONIC);
        search->n_others_reads++;
        r = read_others(search);
        search->others_known = r >= 0;
        search->others_read = r >= 0 || holder_passes(r);
        return search->others_read ? 0 : r;
}

/* The file that was found goes to the front: one holder can have it any number of times. */
bool holder_is_other(HolderSearch *search, const HolderFd *file) {
        HolderFd *others = search->others.fds;

        for (size_t i = 0; i < search->others.n; i++) {
                HolderFd other = others[i];

                if (!process_same_file(other.tid, other.fd, file->tid, file->fd))
                        continue;
                memmove(others + 1, others, i * sizeof(HolderFd));
                others[0] = other;
                return true;
        }
        return !search->others_known;
}
