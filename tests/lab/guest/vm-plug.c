/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vm-plug: does what a VM manager does to plug a device into a running VM: adds it to the VM's
 * lease, and hands the cdev to QEMU.
 *
 *      vm-plug QMP-SOCKET LEASE-ID DEVICE JSON
 *
 * JSON is what device_add gets; its "fd" must be "vfiod". Ends as `qmp` does, which it becomes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/lib/vfiod.h"

#define QMP "/usr/lib/vfiod-lab/qmp"

static void check(int r, const char *what, const vfiod_connection *c) {
        if (r >= 0)
                return;
        fprintf(stderr, "vm-plug: %s: %s\n", what, vfiod_error_message(c) ?: "failed");
        exit(EXIT_FAILURE);
}

int main(int argc, char **argv) {
        vfiod_connection *c = NULL;
        vfiod_lease *lease = NULL;
        char path[64], file[32];
        int fd;

        if (argc != 5)
                return 2;
        check(vfiod_connection_new(&c), "memory", NULL);
        check(vfiod_connection_open(c, NULL), "the bus", c);
        snprintf(path, sizeof(path), "/org/vfiod1/lease/%s", argv[2]);
        check(vfiod_lease_open(c, path, &lease), path, c);
        check(vfiod_lease_add(lease, (const char *[]){argv[3], NULL}, NULL), argv[3], c);
        fd = vfiod_lease_take_fd(lease, VFIOD_KIND_CDEV, argv[3]);
        check(fd, "its cdev", c);
        check(fcntl(fd, F_SETFD, 0), "fcntl", c);
        snprintf(file, sizeof(file), "--file=vfiod=%d", fd);
        execl(QMP, QMP, file, argv[1], "device_add", argv[4], NULL);
        perror(QMP);
        return EXIT_FAILURE;
}
