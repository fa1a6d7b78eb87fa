/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is looked for, and by which sign each thing is known. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/kernel/enumerate.h"
#include "daemon/kernel/holder-private.h"
#include "daemon/kernel/process.h"
#include "daemon/kernel/sysfs.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define PATH_SIZE 512

/* An attribute `dev`, "240:3"; no node where there is no such attribute. */
static int read_rdev(int dir, const char *path, dev_t *ret) {
        _cleanup_free_ char *text = NULL;
        unsigned major, minor;
        int r = sysfs_read_optional(dir, path, &text);

        if (r < 0)
                return r;
        *ret = sscanf(text, "%u:%u", &major, &minor) == 2 ? makedev(major, minor) : HOLDER_NO_NODE;
        return 0;
}

/* A group without an IOMMU has another name for its node (drivers/vfio/group.c). */
static int read_group(HolderSearch *search, uint32_t number) {
        HolderGroup *group = &search->groups[search->n_groups++];
        char path[PATH_SIZE];
        int r;

        group->number = number;
        (void)snprintf(path, sizeof(path), "class/vfio/%" PRIu32 "/dev", number);
        r = read_rdev(search->roots->sys_fd, path, &group->rdev);
        if (r < 0 || group->rdev != HOLDER_NO_NODE)
                return r;
        (void)snprintf(path, sizeof(path), "class/vfio/noiommu-%" PRIu32 "/dev", number);
        return read_rdev(search->roots->sys_fd, path, &group->rdev);
}

/* /proc/PID/maps knows the node only as a file, by its inode. */
static int read_node(const Roots *roots, int dir, HolderMember *ret) {
        _cleanup_strv_ char **names = NULL;
        char path[PATH_SIZE];
        struct stat status;
        int r = sysfs_list(dir, "vfio-dev", &names);

        if (r < 0 || !names || !names[0])
                return r;
        (void)snprintf(path, sizeof(path), "vfio-dev/%s/dev", names[0]);
        r = read_rdev(dir, path, &ret->rdev);
        if (r < 0 || ret->rdev == HOLDER_NO_NODE)
                return r;
        (void)snprintf(path, sizeof(path), "vfio/devices/%s", names[0]);
        if (fstatat(roots->dev_fd, path, &status, 0) >= 0) {
                ret->node_dev = status.st_dev;
                ret->node_inode = status.st_ino;
        }
        return 0;
}

/* "../../../../devices/pci0000:00/..." without the way up. */
static int read_syspath(const Roots *roots, const char *member, char **ret) {
        _cleanup_free_ char *target = NULL;
        int r = sysfs_read_target(roots->sys_fd, member, &target);
        const char *path = string_or_empty(target), *rest;

        if (r == -ENOMEM)
                return r;
        while ((rest = string_after(path, "../")))
                path = rest;
        *ret = strdup(path);
        return *ret ? 0 : -ENOMEM;
}

static int read_member(HolderSearch *search, uint32_t group, const char *name) {
        HolderMember *grown = reallocarray(search->members, search->n_members + 1, sizeof(*grown));
        _cleanup_close_ int dir = -EBADF;
        HolderMember *member;
        char path[PATH_SIZE];
        int r;

        if (!grown)
                return -ENOMEM;
        search->members = grown;
        member = &grown[search->n_members++];
        *member = (HolderMember){.group = group, .name = strdup(name)};
        if (!member->name)
                return -ENOMEM;
        (void)snprintf(path, sizeof(path), "kernel/iommu_groups/%" PRIu32 "/devices/%s", group,
                       name);
        r = read_syspath(search->roots, path, &member->syspath);
        dir = openat(search->roots->sys_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (r < 0 || dir < 0)
                return r; /* without a directory it has just been unplugged */
        return read_node(search->roots, dir, member);
}

int holder_targets_read(HolderSearch *search, const uint32_t *groups, size_t n_groups) {
        int r = 0;

        search->groups = calloc(n_groups + 1, sizeof(HolderGroup));
        if (!search->groups)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n_groups; i++) {
                _cleanup_strv_ char **names = NULL;

                r = read_group(search, groups[i]);
                if (r >= 0)
                        r = enumerate_members(search->roots, groups[i], &names);
                for (char **name = names; r >= 0 && name && *name; name++)
                        r = read_member(search, groups[i], *name);
        }
        return r;
}

int holder_targets_copy_files(HolderSearch *search, const HolderReference *references, size_t n) {
        search->files = calloc(n + 1, sizeof(HolderFile));
        if (!search->files)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                HolderFile *file = &search->files[search->n_files++];
                struct stat status;

                *file = (HolderFile){
                        .kind = references[i].kind,
                        .group = references[i].group,
                        .device = strdup(string_or_empty(references[i].device)),
                        .fd = references[i].fd,
                };
                if (!file->device)
                        return -ENOMEM;
                if (fstat(file->fd, &status) < 0)
                        return -errno;
                file->inode = status.st_ino;
        }
        return 0;
}

void holder_targets_free(HolderSearch *search) {
        free(search->groups);
        for (size_t i = 0; i < search->n_members; i++) {
                free(search->members[i].name);
                free(search->members[i].syspath);
        }
        free(search->members);
        for (size_t i = 0; i < search->n_files; i++)
                free(search->files[i].device);
        free(search->files);
}

static bool tell(Hold *hold, HoldKind kind, uint32_t group, const char *device) {
        hold->kind = kind;
        hold->group = group;
        (void)snprintf(hold->device, sizeof(hold->device), "%s", device);
        return true;
}

bool holder_target_by_rdev(const HolderSearch *search, dev_t rdev, Hold *hold) {
        if (rdev == HOLDER_NO_NODE)
                return false;
        for (size_t i = 0; i < search->n_groups; i++)
                if (search->groups[i].rdev == rdev)
                        return tell(hold, HOLD_GROUP, search->groups[i].number, "");
        for (size_t i = 0; i < search->n_members; i++)
                if (search->members[i].rdev == rdev)
                        return tell(hold, HOLD_CDEV, search->members[i].group,
                                    search->members[i].name);
        return false;
}

bool holder_target_by_syspath(const HolderSearch *search, const char *syspath, Hold *hold) {
        for (size_t i = 0; i < search->n_members; i++)
                if (strcmp(search->members[i].syspath, syspath) == 0)
                        return tell(hold, HOLD_DEVICE, search->members[i].group,
                                    search->members[i].name);
        return false;
}

bool holder_target_by_pipe(const HolderSearch *search, ino_t inode, Hold *hold) {
        for (size_t i = 0; i < search->n_files; i++)
                if (search->files[i].kind == HOLD_LEASE && search->files[i].inode == inode)
                        return tell(hold, HOLD_LEASE, search->files[i].group, "");
        return false;
}

/* The references are in the table of whoever is searching, which is not who made the search when it
 * has forked since. */
bool holder_target_by_file(const HolderSearch *search, HoldKind kind, pid_t tid, int fd,
                           Hold *hold) {
        for (size_t i = 0; i < search->n_files; i++) {
                const HolderFile *file = &search->files[i];

                if (file->kind == kind && process_same_file(getpid(), file->fd, tid, fd))
                        return tell(hold, kind, file->group, file->device);
        }
        return false;
}

bool holder_target_by_node(const HolderSearch *search, dev_t dev, ino_t inode, Hold *hold) {
        for (size_t i = 0; i < search->n_members; i++) {
                const HolderMember *member = &search->members[i];

                if (member->node_inode != 0 && member->node_inode == inode &&
                    member->node_dev == dev)
                        return tell(hold, HOLD_MAPPING, member->group, member->name);
        }
        return false;
}
