/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/holders.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/kernel/holder-private.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

/* A directory of a process with a thousand files in one call. */
#define ENTRIES_SIZE 32768

#define CROWD 16
#define SHARED_USEC (20 * 1000ULL)

int numbers_add(Numbers *numbers, uint32_t number) {
        if (numbers->n == numbers->size) {
                size_t size = numbers->size ? numbers->size * 2 : 256;
                uint32_t *grown = reallocarray(numbers->numbers, size, sizeof(uint32_t));

                if (!grown)
                        return -ENOMEM;
                numbers->numbers = grown;
                numbers->size = size;
        }
        numbers->numbers[numbers->n++] = number;
        return 0;
}

int numbers_read(Numbers *numbers, int dir) {
        _Alignas(struct dirent64) char entries[ENTRIES_SIZE];
        ssize_t size;

        numbers->n = 0;
        while ((size = getdents64(dir, entries, sizeof(entries))) > 0) {
                for (ssize_t at = 0; at < size;) {
                        const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
                        uint64_t number;

                        at += entry->d_reclen;
                        if (string_to_u64(entry->d_name, INT32_MAX, &number) < 0)
                                continue;
                        if (numbers_add(numbers, (uint32_t)number) < 0)
                                return -ENOMEM;
                }
        }
        return size < 0 ? -errno : 0;
}

void numbers_done(Numbers *numbers) {
        free(numbers->numbers);
        *numbers = (Numbers){0};
}

int holder_search_new(const Roots *roots, const uint32_t *groups, size_t n_groups,
                      const HolderReference *references, size_t n_references, pid_t vfiod,
                      HolderSearch **ret) {
        _cleanup_(holder_search_freep) HolderSearch *search = calloc(1, sizeof(HolderSearch));
        int r;

        if (!search)
                return -ENOMEM;
        search->roots = roots;
        search->vfiod = vfiod;
        r = holder_targets_read(search, groups, n_groups);
        if (r >= 0)
                r = holder_targets_copy_files(search, references, n_references);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(search);
        return 0;
}

HolderSearch *holder_search_free(HolderSearch *search) {
        if (!search)
                return NULL;
        holder_targets_free(search);
        holder_devices_free(search);
        free(search->mappings);
        free(search->ranges);
        free(search->others.fds);
        free(search->untold.fds);
        numbers_done(&search->fds);
        numbers_done(&search->tids);
        free(search);
        return NULL;
}

void holder_search_set_cancelled(HolderSearch *search, bool (*cancelled)(void *userdata),
                                 void *userdata) {
        search->cancelled = cancelled;
        search->userdata = userdata;
}

bool holder_search_is_cancelled(const HolderSearch *search) {
        return search->cancelled && search->cancelled(search->userdata);
}

/*
 * What vfiod and its workers have is read for each process that is looked at by itself, since it
 * decides who is signalled. Only whoever has made a crowd of holders shares it among those that are
 * looked at within a few milliseconds: it takes as long as looking through all processes.
 */
static void forget_others(HolderSearch *search) {
        search->others_read = search->others_read && search->n_others_reads >= CROWD &&
                              clock_now(CLOCK_MONOTONIC) < search->others_usec + SHARED_USEC;
}

int holder_search_process(HolderSearch *search, pid_t pid, HolderSink sink, void *userdata) {
        search->devices_read = false;
        forget_others(search);
        return holder_process_look(search, pid, sink, userdata);
}

/* A directory of our own: the position in roots->proc_fd is shared with all who inherited it. */
int holder_pids_read(const HolderSearch *search, Numbers *pids) {
        _cleanup_close_ int dir =
                openat(search->roots->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return dir < 0 ? -errno : numbers_read(pids, dir);
}

static int compare_numbers(const void *a, const void *b) {
        uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

        return first < second ? -1 : first > second;
}

int holder_search_all(HolderSearch *search, HolderSink sink, void *userdata) {
        _cleanup_(numbers_done) Numbers pids = {0};
        int r = holder_pids_read(search, &pids);

        search->devices_read = false;
        search->others_read = false;
        if (r >= 0)
                holder_crowd_sift(search, &pids);
        /* As /proc has them, and as they are kept: whoever sifts them puts them in any order. */
        if (r >= 0 && pids.n > 0)
                qsort(pids.numbers, pids.n, sizeof(uint32_t), compare_numbers);
        for (size_t i = 0; r >= 0 && i < pids.n; i++)
                r = holder_process_look(search, (pid_t)pids.numbers[i], sink, userdata);
        search->n_others_reads = 0;
        return r;
}
