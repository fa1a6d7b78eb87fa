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
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "protocol/names.h"

#define ROUNDS_MAX 1000
#define FDS_MAX 16

typedef struct Bench {
        sd_bus *bus;
        const char *group; /* its number */
        const char *device;
} Bench;

typedef void (*Round)(const Bench *bench);

static _Noreturn void die(const char *what, int error) {
        fprintf(stderr, "acquire: %s: %s\n", what, strerror(error));
        exit(EXIT_FAILURE);
}

static int check(int r, const char *what) {
        if (r < 0)
                die(what, errno);
        return r;
}

static int check_bus(int r, const char *what) {
        if (r < 0)
                die(what, -r);
        return r;
}

static double now_usec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

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

static size_t take_fds(sd_bus_message *reply, int *fds) {
        size_t n = 0;
        int fd;

        check_bus(sd_bus_message_enter_container(reply, 'a', "(ssh)"), "read the fds");
        while (n < FDS_MAX &&
               check_bus(sd_bus_message_read(reply, "(ssh)", NULL, NULL, &fd), "read an fd") > 0)
                fds[n++] = check(fcntl(fd, F_DUPFD_CLOEXEC, 3), "duplicate an fd");
        return n;
}

static void brokered(const Bench *bench) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int fds[FDS_MAX], lease_fd;
        const char *path;
        char *lease;
        size_t n;

        check_bus(sd_bus_call_method(bench->bus, VFIOD_BUS_NAME, VFIOD_PATH,
                                     VFIOD_INTERFACE_MANAGER, "Acquire", &error, &reply, "asa{sv}",
                                     1, bench->device, 0),
                  error.message ? error.message : "Acquire");
        check_bus(sd_bus_message_read(reply, "oh", &path, &lease_fd), "read the lease");
        lease = strdup(path);
        /* Closing the last copy would end the lease before Release does. */
        lease_fd = check(fcntl(lease_fd, F_DUPFD_CLOEXEC, 3), "duplicate lease_fd");
        n = take_fds(reply, fds);
        sd_bus_message_unref(reply);
        while (n > 0)
                close(fds[--n]);
        call(bench, lease, VFIOD_INTERFACE_LEASE, "Release");
        close(lease_fd);
        free(lease);
}

static int compare(const void *a, const void *b) {
        double x = *(const double *)a, y = *(const double *)b;

        return x < y ? -1 : x > y;
}

static double median(double *values, size_t n) {
        qsort(values, n, sizeof(double), compare);
        return values[n / 2];
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
