/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfio-user: a stand-in for a program that drives devices from user space, for the lab cases. It
 * opens nothing itself: the files come inherited, their numbers as arguments, as `vfioctl exec`
 * hands them over.
 *
 *      vfio-user [--container FD] [--group FD] [--device NAME=FD]... VERB...
 *
 *      identify         reads vendor and device from each device's configuration space
 *      map MIB          maps so much fresh memory for DMA, until the end
 *      unmap            ends the last mapping
 *      read-bar OFFSET  maps BAR 0 of each device and reads the 32-bit register there
 *      group-status     asks the group whether it is viable
 *      leave-child      goes on in a child process, the parent ends: the files stay open
 *      hold             waits for SIGTERM, or for the end of standard input if that is a pipe
 *
 * A line for each result; the first failure ends it with status 1, and says which call failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICES_MAX 32
#define MIB (UINT64_C(1) << 20)

/* Where memory is mapped for the device: above 4 GiB, where the host reserves nothing. */
#define IOVA (UINT64_C(1) << 32)

typedef struct Device {
        const char *name;
        int fd;
} Device;

static struct {
        int container;
        int group;
        Device devices[DEVICES_MAX];
        size_t n_devices;
        uint64_t mapped;
} user = {
        .container = -EBADF,
        .group = -EBADF,
};

static __attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...) {
        va_list words;

        fputs("vfio-user: ", stderr);
        va_start(words, format);
        vfprintf(stderr, format, words);
        va_end(words);
        fputc('\n', stderr);
        exit(EXIT_FAILURE);
}

static uint64_t parse_number(const char *text) {
        unsigned long long number;
        char *end;

        errno = 0;
        number = strtoull(text, &end, 0);
        if (errno != 0 || end == text || *end != '\0')
                die("'%s' is not a number", text);
        return number;
}

static int parse_fd(const char *text) {
        int fd = (int)parse_number(text);

        if (fcntl(fd, F_GETFD) < 0)
                die("file descriptor %d is not open", fd);
        return fd;
}

static void parse_device(char *text) {
        char *number = strrchr(text, '=');

        if (!number)
                die("--device takes NAME=FD, not '%s'", text);
        if (user.n_devices == DEVICES_MAX)
                die("more than %d devices", DEVICES_MAX);
        *number++ = '\0';
        user.devices[user.n_devices++] = (Device){.name = text, .fd = parse_fd(number)};
}

static struct vfio_region_info region(const Device *device, uint32_t index) {
        struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

        if (ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
                die("%s: VFIO_DEVICE_GET_REGION_INFO of region %u: %m", device->name, index);
        return info;
}

static uint16_t config_read(const Device *device, off_t offset) {
        struct vfio_region_info config = region(device, VFIO_PCI_CONFIG_REGION_INDEX);
        uint8_t bytes[2];

        if (pread(device->fd, bytes, sizeof(bytes), (off_t)config.offset + offset) !=
            (ssize_t)sizeof(bytes))
                die("%s: reading configuration space at 0x%llx: %m", device->name,
                    (unsigned long long)offset);
        return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static void config_write(const Device *device, off_t offset, uint16_t value) {
        struct vfio_region_info config = region(device, VFIO_PCI_CONFIG_REGION_INDEX);
        uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

        if (pwrite(device->fd, bytes, sizeof(bytes), (off_t)config.offset + offset) !=
            (ssize_t)sizeof(bytes))
                die("%s: writing configuration space at 0x%llx: %m", device->name,
                    (unsigned long long)offset);
}

static void identify(const Device *device) {
        printf("%s: config space says %04x:%04x\n", device->name,
               config_read(device, PCI_VENDOR_ID), config_read(device, PCI_DEVICE_ID));
}

static void map_memory(uint64_t size) {
        struct vfio_iommu_type1_dma_map map = {
                .argsz = sizeof(map),
                .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                .iova = IOVA,
                .size = size,
        };
        void *memory;

        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
                die("mmap of %llu MiB: %m", (unsigned long long)(size / MIB));
        map.vaddr = (uintptr_t)memory;
        if (ioctl(user.container, VFIO_IOMMU_MAP_DMA, &map) < 0)
                die("VFIO_IOMMU_MAP_DMA of %llu MiB: %m", (unsigned long long)(size / MIB));
        user.mapped = size;
        printf("container: %llu MiB mapped for DMA at 0x%llx\n", (unsigned long long)(size / MIB),
               (unsigned long long)IOVA);
}

static void unmap_memory(void) {
        struct vfio_iommu_type1_dma_unmap unmap = {
                .argsz = sizeof(unmap), .iova = IOVA, .size = user.mapped};

        if (ioctl(user.container, VFIO_IOMMU_UNMAP_DMA, &unmap) < 0)
                die("VFIO_IOMMU_UNMAP_DMA: %m");
        printf("container: %llu MiB unmapped\n", (unsigned long long)(unmap.size / MIB));
}

/* A BAR answers only while the device decodes memory; a driver switches that on first, and so do
 * we. */
static void read_bar(const Device *device, uint64_t offset) {
        struct vfio_region_info bar = region(device, VFIO_PCI_BAR0_REGION_INDEX);
        volatile uint32_t *registers;

        if (!(bar.flags & VFIO_REGION_INFO_FLAG_MMAP))
                die("%s: BAR 0 cannot be mapped", device->name);
        if (offset % sizeof(*registers) != 0 || offset + sizeof(*registers) > bar.size)
                die("%s: BAR 0 has no register at 0x%llx", device->name,
                    (unsigned long long)offset);
        config_write(device, PCI_COMMAND, config_read(device, PCI_COMMAND) | PCI_COMMAND_MEMORY);
        registers = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device->fd,
                         (off_t)bar.offset);
        if (registers == MAP_FAILED)
                die("%s: mmap of BAR 0: %m", device->name);
        printf("%s: BAR 0 (%llu KiB) mapped, the register at 0x%llx is 0x%08x\n", device->name,
               (unsigned long long)(bar.size / 1024), (unsigned long long)offset,
               registers[offset / sizeof(*registers)]);
}

static void group_status(void) {
        struct vfio_group_status status = {.argsz = sizeof(status)};

        if (ioctl(user.group, VFIO_GROUP_GET_STATUS, &status) < 0)
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

static void for_each_device(void (*verb)(const Device *device)) {
        for (size_t i = 0; i < user.n_devices; i++)
                verb(&user.devices[i]);
}

static char *next(char ***arguments, const char *what) {
        char *argument = **arguments;

        if (!argument)
                die("%s is missing", what);
        (*arguments)++;
        return argument;
}

static void run_verb(const char *verb, char ***arguments) {
        if (strcmp(verb, "identify") == 0) {
                for_each_device(identify);
        } else if (strcmp(verb, "map") == 0) {
                map_memory(parse_number(next(arguments, "the number of MiB")) * MIB);
        } else if (strcmp(verb, "unmap") == 0) {
                unmap_memory();
        } else if (strcmp(verb, "read-bar") == 0) {
                uint64_t offset = parse_number(next(arguments, "the register's offset"));

                for (size_t i = 0; i < user.n_devices; i++)
                        read_bar(&user.devices[i], offset);
        } else if (strcmp(verb, "group-status") == 0) {
                group_status();
        } else if (strcmp(verb, "leave-child") == 0) {
                leave_child();
        } else if (strcmp(verb, "hold") == 0) {
                hold();
        } else {
                die("no verb '%s'", verb);
        }
}

int main(int argc, char **argv) {
        char **arguments = argv + (argc > 0);

        setvbuf(stdout, NULL, _IOLBF, 0);
        while (*arguments && strncmp(*arguments, "--", 2) == 0) {
                const char *option = next(&arguments, "an option");

                if (strcmp(option, "--container") == 0)
                        user.container =
                                parse_fd(next(&arguments, "the container's file descriptor"));
                else if (strcmp(option, "--group") == 0)
                        user.group = parse_fd(next(&arguments, "the group's file descriptor"));
                else if (strcmp(option, "--device") == 0)
                        parse_device(next(&arguments, "NAME=FD"));
                else
                        die("no option '%s'", option);
        }
        while (*arguments) {
                const char *verb = next(&arguments, "a verb");

                run_verb(verb, &arguments);
        }
        return EXIT_SUCCESS;
}
