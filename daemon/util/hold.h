/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who has what of a group: one Hold is one file of one process, open or mapped. kernel/ finds them
 * (daemon/kernel/holders.h), core/ words them, bus/ lists them. Plain values of a fixed size, so
 * that a worker process can send them to the daemon as they are.
 *
 * A process may have a file a million times, and hand it to as many others. So only so many are
 * told of one by one, and the rest are numbers; but whether anybody has a group stays exact.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/util/cleanup.h"

typedef enum HoldKind {
        HOLD_CONTAINER, /* the container: keeps no device, but its mappings can be changed */
        HOLD_IOMMUFD,   /* the iommufd: the same */
        HOLD_GROUP,     /* the group's file: keeps everybody else from opening the group */
        HOLD_DEVICE,    /* a device's file, got from its group */
        HOLD_CDEV,      /* a device's file, opened by its node under /dev/vfio/devices */
        HOLD_MAPPING,   /* a part of a device is mapped; its file may be closed */
        HOLD_LEASE,     /* the read end of a lease's pipe: keeps the lease, not the device */
        _HOLD_KIND_MAX,
} HoldKind;

#define HOLD_DEVICE_MAX 128
#define HOLD_UNIT_MAX 128

/* Told of one by one: so many files of a process, so many processes. */
#define HOLDS_FILES_MAX 64
#define HOLDS_PROCESSES_MAX 1024

typedef struct Hold {
        HoldKind kind;
        pid_t pid; /* of the process (thread group) */
        pid_t tid; /* of the thread in whose fd table it is; pid but for tables of their own */
        uid_t uid; /* effective */
        uint64_t start_time; /* clock ticks since boot (proc(5), stat): with pid, this process */
        uint32_t group;
        int fd;             /* its number there; -1 for a mapping */
        uint64_t map_first; /* HOLD_MAPPING: addresses, the last one exclusive */
        uint64_t map_end;
        /* "" for container, iommufd, group and lease, and for a mapping that may be of either of
         * two. */
        char device[HOLD_DEVICE_MAX + 1];
        char command[17];             /* comm, as string_quotable() leaves it */
        char unit[HOLD_UNIT_MAX + 1]; /* systemd unit, "" where there is none */
        uint32_t n_more; /* files of the process that are not told of: the sum over its holds */
} Hold;

/* What is not told of one by one: of a group, the kinds of which there is something. */
typedef struct HoldsUntold {
        uint32_t group;
        uint32_t kinds; /* 1 << HoldKind */
} HoldsUntold;

/* Ordered by pid, so that the files of one process stand together. */
typedef struct Holds {
        Hold *holds;
        size_t n_holds;
        size_t n_processes; /* whose holds these are */
        HoldsUntold *untold;
        size_t n_untold;
        uint32_t n_more;         /* processes that are not told of */
        uint32_t n_more_keepers; /* those of them that keep a group (hold_keeps_group()) */
        struct {
                pid_t pid;
                uint64_t start_time;
                bool keeps;
        } last_more; /* the last of these */
} Holds;

#define HOLDS_NULL {.holds = NULL}

/*
 * Copies the hold to its place in the order, or counts it where there is no room: one of a kind
 * and device that is not told of yet then takes the place of one that is told of several times. The
 * same file of the same process is taken once, even if it is a container or a lease of several
 * groups. All holds of a process are to be added before those of the next. -ENOMEM.
 */
int holds_add(Holds *holds, const Hold *hold);

/* Notes what another has not told of. -ENOMEM. */
int holds_add_untold(Holds *holds, const HoldsUntold *untold);
void holds_done(Holds *holds);

/* The process of `index` begins there: its files are [index, holds_next_process()). */
size_t holds_next_process(const Holds *holds, size_t index);
/* How many more it has. */
uint32_t holds_more_files(const Holds *holds, size_t begin, size_t end);

/* "container", "iommufd", "group", "device", "cdev", "mapping", "lease": the words of
 * Group.ListHolders. */
const char *hold_kind_name(HoldKind kind);

/* Keeps the kernel from unbinding the device: device, cdev, mapping. */
bool hold_keeps_device(HoldKind kind);

/* That, or keeps everybody else from opening the group: group, device, cdev, mapping. */
bool hold_keeps_group(HoldKind kind);

/* Whether a hold of the group, told of or not, is of a kind that counts. */
bool holds_any(const Holds *holds, uint32_t group, bool (*kind_counts)(HoldKind kind));

#define _cleanup_holds_ _cleanup_(holds_done)
