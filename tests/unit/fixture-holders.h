/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A machine for the search for holders, with processes that the test makes file by file:
 *
 *      group 3    0000:03:01.0 (node 1:7), 0000:03:02.0    BAR 0 of 16 KiB, at 0xfe000000,
 * 0xfe010000 group 4    0000:04:00.0                             BAR 0 of 16 KiB, at 0xfd000000
 *      group 5    0000:05:00.0 on a driver of the host     the same, at 0xfc000000
 *
 * Only the devices of group 3 are enabled. The nodes are /dev/null, /dev/zero and /dev/full. The
 * one process that is there is vfiod, without a file.
 * Processes have numbers that no kernel gives out (PID_MAX_LIMIT), so that code that goes wrong
 * signals nobody.
 */

#include "daemon/kernel/holders.h"
#include "tests/unit/fixture-tree.h"

#define DEVICE_A "0000:03:01.0"
#define DEVICE_B "0000:03:02.0"
#define DEVICE_C "0000:04:00.0"
#define DEVICE_D "0000:05:00.0"
#define VFIOD 5000050

typedef struct Machine {
        Tree tree;
        HolderSearch *search; /* of group 3 */
        HolderReference references[4];
        size_t n_references;
} Machine;

void machine_init(Machine *machine);
void machine_done(Machine *machine);
#define _cleanup_machine_ _cleanup_(machine_done)

/* A process of uid 1001, child of 1, its comm "qemu"; pid * 10 is when it started. */
void machine_add_process(const Machine *machine, pid_t pid);
void machine_set_stat(const Machine *machine, pid_t pid, pid_t parent, unsigned flags,
                      unsigned long long start_time);

/* `process` is "5000100", or "5000100/task/5000101" for a table of its own. */
void machine_add_fd(const Machine *machine, const char *process, int fd, const char *target);
/* The file of a group or device node, by its path below /dev. */
void machine_add_node(const Machine *machine, const char *process, int fd, const char *node);
void machine_add_device(const Machine *machine, const char *process, int fd, const char *fdinfo);
void machine_close(const Machine *machine, const char *process, int fd);

/* A line of maps for a device that was got from a group; `pages` pages from `first` on. */
char *machine_map(uint64_t first, unsigned pages, uint64_t offset);
void machine_set_maps(const Machine *machine, const char *process, const char *maps);

/* One more device, of which nothing is known. */
void machine_add_unknown_device(const Machine *machine);
void machine_set_enable(const Machine *machine, const char *device, const char *enable);

/* A file of ours to compare with; the stub calls it `file`. */
void machine_add_reference(Machine *machine, HoldKind kind, const char *device, int fd, int file);

/* Makes the search, if there is none yet, and looks at all processes. A line a hold. */
char *machine_look(Machine *machine);
void machine_search(Machine *machine, Holds *holds);
void machine_assert(Machine *machine, const char *expected);
