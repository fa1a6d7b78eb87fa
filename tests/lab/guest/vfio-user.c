/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio-user: a stand-in for a program that drives devices from user space, for the lab cases. It
 * opens (but for open-node) nothing itself: the files come inherited, their numbers as arguments,
 * as `vfioctl exec` hands them over.
 *
 *      vfio-user FILES... VERB...    (FILES: take_files() in vfio-files.h)
 *
 *      open-node NAME   opens the device's cdev by its node, and an iommufd: the exception, as root
 *      attach           binds the cdevs to the iommufd and attaches them to an IOAS of it
 *      bind             binds the cdevs to the iommufd, or says why it cannot
 *      identify         reads vendor and device from each device's configuration space
 *      map MIB          maps so much fresh memory for DMA, until the end
 *      unmap            ends the last mapping
 *      read-bar OFFSET  maps BAR 0 of each device and reads the 32-bit register there
 *      group-status     asks the group whether it is viable
 *      leave-child      goes on in a child process, the parent ends: the files stay open
 *      hold             waits for SIGTERM, or for the end of standard input if that is a pipe
 *
 * A line for each result; the first failure ends it with status 1, and says which call failed. How
 * programs behave when they are to give a device back is what holder.c is for.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio-files.h"

static void bind_cdevs(void) {
        for (size_t i = 0; i < files.n_devices; i++) {
                const Device *device = &files.devices[i];

                if (bind_cdev(device) < 0)
                        printf("%s: cannot be bound: %m\n", device->name);
                else
                        printf("%s: bound\n", device->name);
        }
}

static void identify(void) {
        for (size_t i = 0; i < files.n_devices; i++) {
                const Device *device = &files.devices[i];

                printf("%s: config space says %04x:%04x\n", device->name,
                       config_read(device, PCI_VENDOR_ID), config_read(device, PCI_DEVICE_ID));
        }
}

static void read_bars(uint64_t offset) {
        for (size_t i = 0; i < files.n_devices; i++) {
                Device *device = &files.devices[i];

                map_bar(device);
                printf("%s: BAR 0 (%zu KiB) mapped, the register at 0x%llx is 0x%08x\n",
                       device->name, device->bar_size / 1024, (unsigned long long)offset,
                       read_register(device, offset));
        }
}

static void map(uint64_t mib) {
        map_memory(mib * MIB);
        printf("container: %llu MiB mapped for DMA at 0x%llx\n", (unsigned long long)mib,
               (unsigned long long)IOVA);
}

static void unmap(void) {
        printf("container: %llu MiB unmapped\n", (unsigned long long)(unmap_memory() / MIB));
}

static void group_status(void) {
        struct vfio_group_status status = {.argsz = sizeof(status)};

        if (ioctl(files.group, VFIO_GROUP_GET_STATUS, &status) < 0)
                die("VFIO_GROUP_GET_STATUS: %m");
        printf("group: %s, %s\n", status.flags & VFIO_GROUP_FLAGS_VIABLE ? "viable" : "not viable",
               status.flags & VFIO_GROUP_FLAGS_CONTAINER_SET ? "in a container"
                                                             : "in no container");
}

static void leave_child(void) {
        pid_t child = fork();

        if (child < 0)
                die("fork: %m");
        if (child > 0) {
                printf("process %d goes on with the files\n", (int)child);
                exit(EXIT_SUCCESS);
        }
        if (setsid() < 0)
                die("setsid: %m");
}

static void hold(void) {
        struct pollfd fds[2] = {{.events = POLLIN}, {.fd = -1, .events = POLLIN}};
        struct stat input;
        sigset_t end;

        sigemptyset(&end);
        sigaddset(&end, SIGTERM);
        sigaddset(&end, SIGINT);
        sigprocmask(SIG_BLOCK, &end, NULL);
        fds[0].fd = signalfd(-1, &end, SFD_CLOEXEC);
        if (fds[0].fd < 0)
                die("signalfd: %m");
        if (fstat(STDIN_FILENO, &input) == 0 && S_ISFIFO(input.st_mode))
                fds[1].fd = STDIN_FILENO;
        puts("holding");
        while (poll(fds, 2, -1) < 0)
                if (errno != EINTR)
                        die("poll: %m");
        puts("letting go");
}

static void run_verb(const char *verb, char ***arguments) {
        if (strcmp(verb, "open-node") == 0)
                open_cdev(next_argument(arguments, "the device"));
        else if (strcmp(verb, "attach") == 0)
                attach_cdevs();
        else if (strcmp(verb, "bind") == 0)
                bind_cdevs();
        else if (strcmp(verb, "identify") == 0)
                identify();
        else if (strcmp(verb, "map") == 0)
                map(parse_number(next_argument(arguments, "the number of MiB")));
        else if (strcmp(verb, "unmap") == 0)
                unmap();
        else if (strcmp(verb, "read-bar") == 0)
                read_bars(parse_number(next_argument(arguments, "the register's offset")));
        else if (strcmp(verb, "group-status") == 0)
                group_status();
        else if (strcmp(verb, "leave-child") == 0)
                leave_child();
        else if (strcmp(verb, "hold") == 0)
                hold();
        else
                die("no verb '%s'", verb);
}

int main(int argc, char **argv) {
        char **arguments = argv + (argc > 0);

        setvbuf(stdout, NULL, _IOLBF, 0);
        take_files(&arguments);
        while (*arguments) {
                const char *verb = next_argument(&arguments, "a verb");

                run_verb(verb, &arguments);
        }
        return EXIT_SUCCESS;
}
