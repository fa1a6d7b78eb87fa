/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * acquire: what leasing a bound group through vfiod costs, over the floor: the same system calls
 * done directly by root, and one D-Bus ping to the daemon. The two are measured in turn, so that
 * both see the same machine.
 *
 *      acquire GROUP DEVICE ROUNDS
 *
 * Prints one JSON object with the medians in microseconds and the ratio.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "protocol/names.h"
#include "tests/bench/common.h"

#define ROUNDS_MAX 1000

typedef struct Bench {
        sd_bus *bus;
        const char *group; /* its number */
        const char *device;
} Bench;

typedef void (*Round)(const Bench *bench);

static void call(const Bench *bench, const char *path, const char *interface, const char *method) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        check_bus(sd_bus_call_method(bench->bus, VFIOD_BUS_NAME, path, interface, method, &error,
                                     NULL, ""),
                  method);
}

static void ping(const Bench *bench) {
        call(bench, VFIOD_PATH, "org.freedesktop.DBus.Peer", "Ping");
}

/* What vfiod does for the lease of one device, in the same order, and the closing. */
static void direct(const Bench *bench) {
        struct vfio_group_status status = {.argsz = sizeof(status)};
        int container, group, device;
        char path[64];

        snprintf(path, sizeof(path), "/dev/vfio/%s", bench->group);
        container = check(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), "open the container");
        group = check(open(path, O_RDWR | O_CLOEXEC), path);
        check(ioctl(group, VFIO_GROUP_GET_STATUS, &status), "VFIO_GROUP_GET_STATUS");
        check(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container), "VFIO_GROUP_SET_CONTAINER");
        check(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "VFIO_SET_IOMMU");
        device = check(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bench->device),
                       "VFIO_GROUP_GET_DEVICE_FD");
        close(device);
        close(group);
        close(container);
        ping(bench);
}

static void brokered(const Bench *bench) {
        Leased leased;

        lease_acquire(bench->bus, bench->device, &leased);
        while (leased.n_fds > 0)
                close(leased.fds[--leased.n_fds]);
        call(bench, leased.path, VFIOD_INTERFACE_LEASE, "Release");
        lease_close(&leased);
}

static double measure(const Bench *bench, Round round) {
        double started = now_usec();

        round(bench);
        return now_usec() - started;
}

int main(int argc, char **argv) {
        static double floors[ROUNDS_MAX], ours[ROUNDS_MAX], pings[ROUNDS_MAX];
        Bench bench = {0};
        size_t rounds;
        double floor_usec, our_usec;

        if (argc != 4)
                die("usage: acquire GROUP DEVICE ROUNDS", EINVAL);
        bench.group = argv[1];
        bench.device = argv[2];
        rounds = strtoul(argv[3], NULL, 10);
        if (rounds == 0 || rounds > ROUNDS_MAX)
                die("rounds", ERANGE);
        check_bus(sd_bus_open_system(&bench.bus), "connect to the system bus");

        /* Once for nothing: page faults, and the daemon's first look at this caller. */
        direct(&bench);
        brokered(&bench);
        for (size_t i = 0; i < rounds; i++) {
                floors[i] = measure(&bench, direct);
                ours[i] = measure(&bench, brokered);
                pings[i] = measure(&bench, ping);
        }
        floor_usec = median(floors, rounds);
        our_usec = median(ours, rounds);
        printf("{\"acquire_release_usec\": %.0f, \"floor_usec\": %.0f, \"ping_usec\": %.0f, "
               "\"ratio\": %.3f}\n",
               our_usec, floor_usec, median(pings, rounds), our_usec / floor_usec);
        sd_bus_flush_close_unref(bench.bus);
        return 0;
}
