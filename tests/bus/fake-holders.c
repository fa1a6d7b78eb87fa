/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The twin of daemon/kernel/holders.c: a holder is a real process that has a file of the fake
 * machine open. The path of the file says of what it is.
 */

#include "daemon/kernel/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

struct HolderSearch {
        uint32_t *groups;
        size_t n_groups;
        pid_t vfiod;
        ino_t pipe; /* of a lease; 0 for none */
        uint32_t pipe_group;
        int iommufd; /* of a lease; -EBADF for none */
        uint32_t iommufd_group;
};

int holder_search_new(const Roots *roots _unused_, const uint32_t *groups, size_t n_groups,
                      const HolderReference *references, size_t n_references, pid_t vfiod,
                      HolderSearch **ret) {
        HolderSearch *search = calloc(1, sizeof(HolderSearch));
        struct stat status;

        if (!search)
                abort();
        search->groups = calloc(n_groups + 1, sizeof(uint32_t));
        if (!search->groups)
                abort();
        if (n_groups > 0)
                memcpy(search->groups, groups, n_groups * sizeof(uint32_t));
        search->n_groups = n_groups;
        search->vfiod = vfiod;
        search->iommufd = -EBADF;
        for (size_t i = 0; i < n_references; i++)
                if (references[i].kind == HOLD_LEASE && fstat(references[i].fd, &status) == 0) {
                        search->pipe = status.st_ino;
                        search->pipe_group = references[i].group;
                } else if (references[i].kind == HOLD_IOMMUFD) {
                        search->iommufd = references[i].fd;
                        search->iommufd_group = references[i].group;
                }
        *ret = search;
        return 0;
}

/* No look takes long here. */
void holder_search_set_cancelled(HolderSearch *search _unused_,
                                 bool (*cancelled)(void *userdata) _unused_,
                                 void *userdata _unused_) {
}

HolderSearch *holder_search_free(HolderSearch *search) {
        if (search)
                free(search->groups);
        free(search);
        return NULL;
}

static bool is_searched(const HolderSearch *search, uint32_t group) {
        for (size_t i = 0; i < search->n_groups; i++)
                if (search->groups[i] == group)
                        return true;
        return false;
}

/* The file says of which device it is; false for one that was closed meanwhile. */
static bool read_cdev(Hold *hold) {
        _cleanup_free_ char *path = string_format("/proc/%d/fd/%d", hold->pid, hold->fd);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *device = fd >= 0 ? fake_machine_read(fd) : NULL;

        if (!device)
                return false;
        hold->kind = HOLD_CDEV;
        hold->group = fake_machine_group(device);
        (void)snprintf(hold->device, sizeof(hold->device), "%s", device);
        return true;
}

static bool is_our_iommufd(const HolderSearch *search, const Hold *hold) {
        return search->iommufd >= 0 &&
               syscall(SYS_kcmp, getpid(), hold->pid, KCMP_FILE, search->iommufd, hold->fd) == 0;
}

/* What the link of an fd says; false for what is no file of the searched groups. */
static bool read_link(const HolderSearch *search, const char *link, Hold *hold) {
        _cleanup_free_ char *dev = fake_machine_path("dev/");
        const char *rest = strncmp(link, dev, strlen(dev)) == 0 ? link + strlen(dev) : NULL;
        char pipe[32];

        (void)snprintf(pipe, sizeof(pipe), "pipe:[%lu]", (unsigned long)search->pipe);
        if (search->pipe && strcmp(link, pipe) == 0) {
                hold->kind = HOLD_LEASE;
                hold->group = search->pipe_group;
                return true;
        }
        if (rest && strncmp(rest, "device/", 7) == 0) {
                hold->kind = HOLD_DEVICE;
                (void)snprintf(hold->device, sizeof(hold->device), "%s", rest + 7);
                hold->group = fake_machine_group(hold->device);
        } else if (rest && strncmp(rest, "vfio/devices/", 13) == 0) {
                if (!read_cdev(hold))
                        return false;
        } else if (rest && strcmp(rest, "iommu") == 0 && is_our_iommufd(search, hold)) {
                hold->kind = HOLD_IOMMUFD;
                hold->group = search->iommufd_group;
        } else if (rest && strcmp(rest, "vfio/vfio") == 0) {
                hold->kind = HOLD_CONTAINER;
                hold->group = search->groups[0];
        } else if (rest && strncmp(rest, "vfio/", 5) == 0) {
                hold->kind = HOLD_GROUP;
                hold->group = (uint32_t)strtoul(rest + 5, NULL, 10);
        } else
                return false;
        return is_searched(search, hold->group);
}

static pid_t parent_of(pid_t pid) {
        char path[64], line[256] = "";
        pid_t parent = 0;
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "PPid: %d", &parent) == 1)
                        break;
        if (file)
                (void)fclose(file);
        return parent;
}

int holder_search_process(HolderSearch *search, pid_t pid, HolderSink sink, void *userdata) {
        char path[300], link[512];
        DIR *directory;
        int r = 0;

        if (pid == search->vfiod || parent_of(pid) == search->vfiod)
                return 0;
        (void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        directory = opendir(path);
        for (struct dirent *entry; directory && r >= 0 && (entry = readdir(directory));) {
                Hold hold = {.pid = pid,
                             .tid = pid,
                             .start_time = (uint64_t)pid,
                             .fd = atoi(entry->d_name),
                             .command = "client"};
                ssize_t n;

                (void)snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
                n = readlink(path, link, sizeof(link) - 1);
                if (n <= 0)
                        continue;
                link[n] = '\0';
                if (read_link(search, link, &hold))
                        r = sink(userdata, &hold);
        }
        if (directory)
                (void)closedir(directory);
        return r;
}

/* Above all numbers that there may be: PID_MAX_LIMIT. */
#define CROWD_FIRST 5000000

static int look_at_crowd(const HolderSearch *search, HolderSink sink, void *userdata) {
        size_t n = search->n_groups > 0 ? fake_machine_crowd() : 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                Hold hold = {.kind = HOLD_DEVICE,
                             .pid = CROWD_FIRST + (pid_t)i,
                             .tid = CROWD_FIRST + (pid_t)i,
                             .fd = 3,
                             .group = search->groups[0],
                             .command = "crowd"};

                r = sink(userdata, &hold);
        }
        return r;
}

int holder_search_all(HolderSearch *search, HolderSink sink, void *userdata) {
        int r = fake_machine_obey("look", "any");
        DIR *directory = opendir("/proc");

        for (struct dirent *entry; directory && r >= 0 && (entry = readdir(directory));)
                if (atoi(entry->d_name) > 0)
                        r = holder_search_process(search, atoi(entry->d_name), sink, userdata);
        if (directory)
                (void)closedir(directory);
        return r < 0 ? r : look_at_crowd(search, sink, userdata);
}

int holder_signal(HolderSearch *search _unused_, const Hold *holder,
                  bool (*counts)(HoldKind kind) _unused_, int number, int *ret_pidfd) {
        _cleanup_close_ int pidfd = pidfd_open(holder->pid, 0);

        /* Valgrind knows no pidfd_send_signal(2), and these are children of the test's. */
        if (pidfd < 0 || kill(holder->pid, number) < 0)
                return -ESRCH;
        fake_machine_log("send %s", number == SIGBUS ? "SIGBUS" : "SIGKILL");
        if (ret_pidfd)
                *ret_pidfd = TAKE_FD(pidfd);
        return 0;
}
