/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "vfio-files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

Files files = {.container = -EBADF, .group = -EBADF, .iommufd = -EBADF, .lease = -EBADF};

void die(const char *format, ...) {
        va_list words;

        fprintf(stderr, "%s: ", program_invocation_short_name);
        va_start(words, format);
        vfprintf(stderr, format, words);
        va_end(words);
        fputc('\n', stderr);
        exit(EXIT_FAILURE);
}

uint64_t parse_number(const char *text) {
        unsigned long long number;
        char *end;

        errno = 0;
        number = strtoull(text, &end, 0);
        if (errno != 0 || end == text || *end != '\0')
                die("'%s' is not a number", text);
        return number;
}

char *next_argument(char ***arguments, const char *what) {
        char *argument = **arguments;

        if (!argument)
                die("%s is missing", what);
        (*arguments)++;
        return argument;
}

static int parse_fd(const char *text) {
        int fd = (int)parse_number(text);

        if (fcntl(fd, F_GETFD) < 0)
                die("file descriptor %d is not open", fd);
        return fd;
}

static void add_device(const char *name, int fd) {
        if (files.n_devices == DEVICES_MAX)
                die("more than %d devices", DEVICES_MAX);
        files.devices[files.n_devices++] = (Device){.name = name, .fd = fd};
}

static void parse_device(char *text) {
        char *number = strrchr(text, '=');

        if (!number)
                die("--device takes NAME=FD, not '%s'", text);
        *number++ = '\0';
        add_device(text, parse_fd(number));
}

static int open_node(const char *path) {
        int fd = open(path, O_RDWR | O_CLOEXEC);

        if (fd < 0)
                die("%s: %m", path);
        return fd;
}

void open_cdev(const char *name) {
        char pattern[256], node[256];
        glob_t found;

        (void)snprintf(pattern, sizeof(pattern), "/sys/bus/*/devices/%s/vfio-dev/vfio*", name);
        if (glob(pattern, 0, NULL, &found) != 0)
                die("%s has no cdev", name);
        (void)snprintf(node, sizeof(node), "/dev/vfio/devices/%s",
                       strrchr(found.gl_pathv[0], '/') + 1);
        globfree(&found);
        add_device(name, open_node(node));
        if (files.iommufd < 0)
                files.iommufd = open_node("/dev/iommu");
}

int bind_cdev(const Device *device) {
        struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = files.iommufd};

        return ioctl(device->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

/* As QEMU does it: the iommufd gets an IOAS, and the devices are attached to that. */
void attach_cdevs(void) {
        struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};

        if (ioctl(files.iommufd, IOMMU_IOAS_ALLOC, &alloc) < 0)
                die("IOMMU_IOAS_ALLOC: %m");
        files.ioas = alloc.out_ioas_id;
        for (size_t i = 0; i < files.n_devices; i++) {
                const Device *device = &files.devices[i];
                struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach),
                                                               .pt_id = files.ioas};

                if (bind_cdev(device) < 0)
                        die("%s: VFIO_DEVICE_BIND_IOMMUFD: %m", device->name);
                if (ioctl(device->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) < 0)
                        die("%s: VFIO_DEVICE_ATTACH_IOMMUFD_PT: %m", device->name);
        }
}

int *mapper(void) {
        return files.iommufd >= 0 ? &files.iommufd : &files.container;
}

/* As `vfioctl exec` has been told by vfiod, or as the command line says. */
static uint32_t parse_ioas(const char *text) {
        const char *given = getenv("VFIOD_IOAS");

        if (strcmp(text, "given") != 0)
                return (uint32_t)parse_number(text);
        if (!given)
                die("VFIOD_IOAS is not set");
        return (uint32_t)parse_number(given);
}

void take_files(char ***arguments) {
        bool attached = false;

        while (**arguments && strncmp(**arguments, "--", 2) == 0) {
                const char *option = next_argument(arguments, "an option");
                char *value = next_argument(arguments, option);

                if (strcmp(option, "--container") == 0)
                        files.container = parse_fd(value);
                else if (strcmp(option, "--group") == 0)
                        files.group = parse_fd(value);
                else if (strcmp(option, "--lease") == 0)
                        files.lease = parse_fd(value);
                else if (strcmp(option, "--iommufd") == 0)
                        files.iommufd = parse_fd(value);
                else if (strcmp(option, "--ioas") == 0) {
                        files.ioas = parse_ioas(value);
                        attached = true;
                } else if (strcmp(option, "--device") == 0 || strcmp(option, "--cdev") == 0)
                        parse_device(value);
                else
                        die("no option '%s'", option);
        }
        if (files.iommufd >= 0 && !attached)
                attach_cdevs();
}

static struct vfio_region_info region(const Device *device, uint32_t index) {
        struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

        if (ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
                die("%s: VFIO_DEVICE_GET_REGION_INFO of region %u: %m", device->name, index);
        return info;
}

uint16_t config_read(const Device *device, off_t offset) {
        struct vfio_region_info config = region(device, VFIO_PCI_CONFIG_REGION_INDEX);
        uint8_t bytes[2];

        if (pread(device->fd, bytes, sizeof(bytes), (off_t)config.offset + offset) !=
            (ssize_t)sizeof(bytes))
                die("%s: reading configuration space at 0x%llx: %m", device->name,
                    (unsigned long long)offset);
        return (uint16_t)(bytes[0] | bytes[1] << 8);
}

void config_write(const Device *device, off_t offset, uint16_t value) {
        struct vfio_region_info config = region(device, VFIO_PCI_CONFIG_REGION_INDEX);
        uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

        if (pwrite(device->fd, bytes, sizeof(bytes), (off_t)config.offset + offset) !=
            (ssize_t)sizeof(bytes))
                die("%s: writing configuration space at 0x%llx: %m", device->name,
                    (unsigned long long)offset);
}

static int map_in_container(void *memory, uint64_t size) {
        struct vfio_iommu_type1_dma_map map = {
                .argsz = sizeof(map),
                .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                .vaddr = (uintptr_t)memory,
                .iova = IOVA,
                .size = size,
        };

        return ioctl(files.container, VFIO_IOMMU_MAP_DMA, &map);
}

static int map_in_ioas(void *memory, uint64_t size) {
        struct iommu_ioas_map map = {
                .size = sizeof(map),
                .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
                         IOMMU_IOAS_MAP_WRITEABLE,
                .ioas_id = files.ioas,
                .user_va = (uintptr_t)memory,
                .length = size,
                .iova = IOVA,
        };

        return ioctl(files.iommufd, IOMMU_IOAS_MAP, &map);
}

void map_memory(uint64_t size) {
        void *memory;

        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
                die("mmap of %llu KiB: %m", (unsigned long long)(size / 1024));
        /* A child would be given a copy of what is pinned. */
        if (madvise(memory, size, MADV_DONTFORK) < 0)
                die("MADV_DONTFORK: %m");
        if ((files.iommufd >= 0 ? map_in_ioas(memory, size) : map_in_container(memory, size)) < 0)
                die("mapping %llu KiB for DMA: %m", (unsigned long long)(size / 1024));
        files.mapped = size;
}

static uint64_t unmap_in_ioas(void) {
        struct iommu_ioas_unmap unmap = {
                .size = sizeof(unmap), .ioas_id = files.ioas, .iova = IOVA, .length = files.mapped};

        if (ioctl(files.iommufd, IOMMU_IOAS_UNMAP, &unmap) < 0)
                die("IOMMU_IOAS_UNMAP: %m");
        return unmap.length;
}

uint64_t unmap_memory(void) {
        struct vfio_iommu_type1_dma_unmap unmap = {
                .argsz = sizeof(unmap), .iova = IOVA, .size = files.mapped};

        if (files.iommufd >= 0)
                return unmap_in_ioas();
        if (ioctl(files.container, VFIO_IOMMU_UNMAP_DMA, &unmap) < 0)
                die("VFIO_IOMMU_UNMAP_DMA: %m");
        return unmap.size;
}

void map_bar(Device *device) {
        struct vfio_region_info bar = region(device, VFIO_PCI_BAR0_REGION_INDEX);
        void *registers;

        if (!(bar.flags & VFIO_REGION_INFO_FLAG_MMAP))
                die("%s: BAR 0 cannot be mapped", device->name);
        config_write(device, PCI_COMMAND, config_read(device, PCI_COMMAND) | PCI_COMMAND_MEMORY);
        registers = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device->fd,
                         (off_t)bar.offset);
        if (registers == MAP_FAILED)
                die("%s: mmap of BAR 0: %m", device->name);
        device->bar = registers;
        device->bar_size = bar.size;
}

void unmap_bar(Device *device) {
        if (device->bar && munmap((void *)device->bar, device->bar_size) < 0)
                die("%s: munmap of BAR 0: %m", device->name);
        device->bar = NULL;
}

uint32_t read_register(const Device *device, uint64_t offset) {
        if (offset % sizeof(*device->bar) != 0 || offset + sizeof(*device->bar) > device->bar_size)
                die("%s: BAR 0 has no register at 0x%llx", device->name,
                    (unsigned long long)offset);
        return device->bar[offset / sizeof(*device->bar)];
}
