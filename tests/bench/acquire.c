/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * acquire: what leasing a bound group through vfiod costs, over the floor: the same system calls
 * done directly by root, and one D-Bus ping to the daemon. The two are measured in turn, so that
 * both see the same machine.
 *
 *      acquire MODE PREPARE GROUP DEVICE ROUNDS
 *
 * MODE is "group" or "iommufd", PREPARE "open" or "attach", as of Manager.Acquire. Prints one JSON
 * object with the medians in microseconds and the ratio.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/kernel/iommufd.h"
#include "protocol/names.h"
#include "tests/bench/common.h"

#define ROUNDS_MAX 1000

typedef struct Bench {
        sd_bus *bus;
        Roots roots;
        const char *mode;
        const char *prepare;
        bool attach;
        const char *device;
        char group_node[64];
        char cdev_node[64];   /* in iommufd mode */
        double acquired_usec; /* when the last Acquire was answered */
} Bench;

typedef void (*Round)(Bench *bench);

static void call(const Bench *bench, const char *path, const char *interface, const char *method) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        check_errno(sd_bus_call_method(bench->bus, VFIOD_BUS_NAME, path, interface, method, &error,
                                       NULL, ""),
                    method);
}

static void ping(Bench *bench) {
        call(bench, VFIOD_PATH, "org.freedesktop.DBus.Peer", "Ping");
}

/* What vfiod does for the lease of one device, in the same order, and the closing. */
static void direct_group(const Bench *bench) {
        struct vfio_group_status status = {.argsz = sizeof(status)};
        int container, group, device;

        container = check(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), "open the container");
        group = check(open(bench->group_node, O_RDWR | O_CLOEXEC), bench->group_node);
        check(ioctl(group, VFIO_GROUP_GET_STATUS, &status), "VFIO_GROUP_GET_STATUS");
        if (bench->attach) {
                check(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container),
                      "VFIO_GROUP_SET_CONTAINER");
                check(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "VFIO_SET_IOMMU");
                device = check(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bench->device),
                               "VFIO_GROUP_GET_DEVICE_FD");
                close(device);
        }
        close(group);
        close(container);
}

/* The same in iommufd mode. That the group can be opened shows that nobody has it. */
static void direct_iommufd(const Bench *bench) {
        int iommufd = check_errno(iommufd_open(&bench->roots), "open /dev/iommu"), cdev;
        uint32_t ioas = 0, id;
        uint64_t alignment;
        IovaRange *ranges;
        size_t n_ranges;

        if (bench->attach)
                check_errno(iommufd_alloc_ioas(iommufd, &ioas), "IOMMU_IOAS_ALLOC");
        close(check(open(bench->group_node, O_RDWR | O_CLOEXEC), bench->group_node));
        cdev = check(open(bench->cdev_node, O_RDWR | O_CLOEXEC), bench->cdev_node);
        if (bench->attach) {
                check_errno(cdev_bind(cdev, iommufd, &id), "VFIO_DEVICE_BIND_IOMMUFD");
                check_errno(cdev_attach(cdev, ioas), "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
                check_errno(iommufd_read_iovas(iommufd, ioas, &ranges, &n_ranges, &alignment),
                            "IOMMU_IOAS_IOVA_RANGES");
                free(ranges);
        }
        close(cdev);
        close(iommufd);
}

static void direct(Bench *bench) {
        if (strcmp(bench->mode, "iommufd") == 0)
                direct_iommufd(bench);
        else
                direct_group(bench);
        ping(bench);
}

static void brokered(Bench *bench) {
        Leased leased;

        lease_acquire(bench->bus, bench->device, bench->mode, bench->prepare, &leased);
        bench->acquired_usec = now_usec();
        while (leased.n_fds > 0)
                close(leased.fds[--leased.n_fds]);
        call(bench, leased.path, VFIOD_INTERFACE_LEASE, "Release");
        lease_close(&leased);
}

static double measure(Bench *bench, Round round) {
        double started = now_usec();

        round(bench);
        return now_usec() - started;
}

/* Looked up before anything is measured: the node's number is another one each time it is bound. */
static void find_nodes(Bench *bench, const char *group) {
        char pattern[128];
        glob_t found;

        snprintf(bench->group_node, sizeof(bench->group_node), "/dev/vfio/%s", group);
        if (strcmp(bench->mode, "iommufd") != 0)
                return;
        snprintf(pattern, sizeof(pattern), "/sys/bus/pci/devices/%s/vfio-dev/vfio*", bench->device);
        if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc != 1)
                die(pattern, ENOENT);
        snprintf(bench->cdev_node, sizeof(bench->cdev_node), "/dev/vfio/devices/%s",
                 strrchr(found.gl_pathv[0], '/') + 1);
        globfree(&found);
}

int main(int argc, char **argv) {
        static double floors[ROUNDS_MAX], ours[ROUNDS_MAX], acquires[ROUNDS_MAX], pings[ROUNDS_MAX];
        Bench bench = {.roots = ROOTS_NULL};
        size_t rounds;
        double floor_usec, our_usec;

        if (argc != 6)
                die("usage: acquire MODE PREPARE GROUP DEVICE ROUNDS", EINVAL);
        bench.mode = argv[1];
        bench.prepare = argv[2];
        bench.attach = strcmp(bench.prepare, "attach") == 0;
        bench.device = argv[4];
        rounds = strtoul(argv[5], NULL, 10);
        if (rounds == 0 || rounds > ROUNDS_MAX)
                die("rounds", ERANGE);
        find_nodes(&bench, argv[3]);
        check_errno(roots_open(&bench.roots), "open /sys, /dev and /proc");
        check_errno(sd_bus_open_system(&bench.bus), "connect to the system bus");

        /* Once for nothing: page faults, and the daemon's first look at this caller. */
        direct(&bench);
        brokered(&bench);
        for (size_t i = 0; i < rounds; i++) {
                floors[i] = measure(&bench, direct);
                acquires[i] = -now_usec();
                ours[i] = measure(&bench, brokered);
                acquires[i] += bench.acquired_usec;
                pings[i] = measure(&bench, ping);
        }
        floor_usec = median(floors, rounds);
        our_usec = median(ours, rounds);
        printf("{\"acquire_release_usec\": %.0f, \"acquire_usec\": %.0f, \"floor_usec\": %.0f, "
               "\"ping_usec\": %.0f, \"ratio\": %.3f}\n",
               our_usec, median(acquires, rounds), floor_usec, median(pings, rounds),
               our_usec / floor_usec);
        sd_bus_flush_close_unref(bench.bus);
        roots_done(&bench.roots);
        return 0;
}
