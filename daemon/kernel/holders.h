/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Finds the processes that have a file of an IOMMU group, open or mapped, by looking into /proc.
 * How exactly depends on the kernel:
 *   - group and cdev files: st_rdev of the node (drivers/vfio/group.c, device_cdev.c).
 *   - device files got from a group: fdinfo's "vfio-device-syspath" (Linux 6.18); before that,
 *     kcmp(2) KCMP_FILE against a file of ours, or, of those that their holder got by itself, that
 *     it has the group's file too; which device of the group it is stays unsaid then (""). A file
 *     that vfiod or a worker of it has, and that is none of the references, is of another group.
 *   - mappings of a device that was opened by its node: /proc/PID/maps shows the node's inode.
 *   - mappings of one that was got from a group: maps has the same name and inode for all, and
 *     /proc/PID/pagemap shows no page frames of them (VM_PFNMAP). What remains is, in this order:
 *     it was told before, in the same search; no other device is open of which it could be (place
 *     and size of the BARs, PCI's `enable` counter); all device files of the process are of one
 *     device. A mapping of which none of this is true is not reported. `device` is "" where two of
 *     one group remain.
 *   - lease pipes: the inode of the pipe.
 * An fd in flight in a socket, or registered with io_uring, is in no table and is not found; nor is
 * a node that somebody made under a name without "vfio" in it. A file whose path is longer than the
 * kernel tells may be any node, and is looked at.
 *
 * Takes CAP_SYS_PTRACE; reads all of /proc, so it belongs into a worker process.
 */

#include "daemon/kernel/roots.h"
#include "daemon/util/hold.h"

/* A file of ours to compare with. The strings and the fd are borrowed. */
typedef struct HolderReference {
        HoldKind kind; /* HOLD_CONTAINER, HOLD_IOMMUFD, HOLD_DEVICE, or HOLD_LEASE: any end of the
                          pipe */
        uint32_t group;
        const char *device;
        int fd;
} HolderReference;

typedef struct HolderSearch HolderSearch;

/* -errno to end the search. */
typedef int (*HolderSink)(void *userdata, const Hold *hold);

/*
 * Prepares a search for holders of the groups: reads their nodes, members and BARs from sysfs.
 * `vfiod` is the daemon's pid: it, its children and theirs are not holders. Copies what it needs;
 * the references' fds must stay open, and belong to the process that searches; `roots` is borrowed.
 * Groups that do not exist have no holders. Made once and used for every look of one operation, it
 * knows mappings again, and nodes that are gone since.
 */
int holder_search_new(const Roots *roots, const uint32_t *groups, size_t n_groups,
                      const HolderReference *references, size_t n_references, pid_t vfiod,
                      HolderSearch **ret);
HolderSearch *holder_search_free(HolderSearch *search);

/* `cancelled` is asked again and again while the search looks; it ends with -ECANCELED then. */
void holder_search_set_cancelled(HolderSearch *search, bool (*cancelled)(void *userdata),
                                 void *userdata);

/* Every hold of every process. Processes that end meanwhile are left out, and so is what a process
 * lets nobody look at: what it does to its files ends no search. */
int holder_search_all(HolderSearch *search, HolderSink sink, void *userdata);

/* Every hold of one process; none when it has ended. */
int holder_search_process(HolderSearch *search, pid_t pid, HolderSink sink, void *userdata);

/*
 * Sends a signal to the process of `holder`, if it is still that process and is shown, at this
 * moment, to have a file of the groups for which `counts` is true: the process is pinned by a pidfd
 * first, then looked at, then signalled through the pidfd. Never vfiod, pid 1 or a kernel thread.
 * *ret_pidfd, if wanted, is that pidfd, for waiting for its end; the caller owns it.
 * -ESRCH: it has ended, or has no such file any more; nobody was signalled. Or -errno. That no file
 * of it is found because we may not look (-EACCES) is the same.
 */
int holder_signal(HolderSearch *search, const Hold *holder, bool (*counts)(HoldKind kind),
                  int signal, int *ret_pidfd);

DEFINE_TRIVIAL_CLEANUP(HolderSearch *, holder_search_free, NULL);
