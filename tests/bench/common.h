/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the measuring programs share. Whatever goes wrong ends the program. */

#include <stddef.h>
#include <systemd/sd-bus.h>

#define FDS_MAX 16

_Noreturn void die(const char *what, int error);
/* Of a system call: -1 and errno. */
int check(int r, const char *what);
/* Of sd-bus and of daemon/kernel: -errno. */
int check_errno(int r, const char *what);

double now_usec(void);
double median(double *values, size_t n);

/* What Acquire hands over; the caller owns the fds and the path. */
typedef struct Leased {
        char *path;
        int lease_fd;
        int fds[FDS_MAX];
        size_t n_fds;
} Leased;

/* `mode` and `prepare` as of Manager.Acquire. */
void lease_acquire(sd_bus *bus, const char *device, const char *mode, const char *prepare,
                   Leased *ret);
/* Closes the files; lease_fd last, if it is still there. */
void lease_close(Leased *leased);
