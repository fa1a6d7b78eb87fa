/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/bench/common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "protocol/names.h"

void die(const char *what, int error) {
        fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(error));
        exit(EXIT_FAILURE);
}

int check(int r, const char *what) {
        if (r < 0)
                die(what, errno);
        return r;
}

int check_errno(int r, const char *what) {
        if (r < 0)
                die(what, -r);
        return r;
}

double now_usec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b) {
        double x = *(const double *)a, y = *(const double *)b;

        return x < y ? -1 : x > y;
}

double median(double *values, size_t n) {
        qsort(values, n, sizeof(double), compare);
        return values[n / 2];
}

static void take_fds(sd_bus_message *reply, Leased *leased) {
        int fd;

        check_errno(sd_bus_message_enter_container(reply, 'a', "(ssh)"), "read the fds");
        while (leased->n_fds < FDS_MAX &&
               check_errno(sd_bus_message_read(reply, "(ssh)", NULL, NULL, &fd), "read an fd") > 0)
                leased->fds[leased->n_fds++] =
                        check(fcntl(fd, F_DUPFD_CLOEXEC, 3), "duplicate an fd");
}

void lease_acquire(sd_bus *bus, const char *device, const char *mode, const char *prepare,
                   Leased *ret) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *path;
        int lease_fd;

        *ret = (Leased){0};
        check_errno(sd_bus_call_method(bus, VFIOD_BUS_NAME, VFIOD_PATH, VFIOD_INTERFACE_MANAGER,
                                       "Acquire", &error, &reply, "asa{sv}", 1, device, 2, "mode",
                                       "s", mode, "prepare", "s", prepare),
                    error.message ? error.message : "Acquire");
        check_errno(sd_bus_message_read(reply, "oh", &path, &lease_fd), "read the lease");
        ret->path = strdup(path);
        /* Closing the last copy ends the lease. */
        ret->lease_fd = check(fcntl(lease_fd, F_DUPFD_CLOEXEC, 3), "duplicate lease_fd");
        take_fds(reply, ret);
        sd_bus_message_unref(reply);
}

void lease_close(Leased *leased) {
        while (leased->n_fds > 0)
                close(leased->fds[--leased->n_fds]);
        close(leased->lease_fd);
        free(leased->path);
        *leased = (Leased){.lease_fd = -1};
}
