/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the lab's stand-ins for programs that drive devices have in common: the files that they
 * inherit from `vfioctl exec`, named on their command line, and what is done with them. Whatever
 * fails ends the program.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DEVICES_MAX 32
#define MIB (UINT64_C(1) << 20)

/* Where memory is mapped for the device: above 4 GiB, where the host reserves nothing. */
#define IOVA (UINT64_C(1) << 32)

typedef struct Device {
        const char *name;
        int fd;
        volatile uint32_t *bar; /* BAR 0, NULL where it is not mapped */
        size_t bar_size;
} Device;

/* fds are -EBADF where there is no such file: container and group, or the iommufd. */
typedef struct Files {
        int container;
        int group;
        int iommufd;
        uint32_t ioas; /* in the iommufd; 0: the cdevs are left unbound */
        int lease;
        Device devices[DEVICES_MAX];
        size_t n_devices;
        uint64_t mapped; /* bytes, for DMA */
} Files;

extern Files files;

/* Prints the program's name and the sentence. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

uint64_t parse_number(const char *text);

/* The next one of a list that ends with NULL, which moves on; `what` is missing if there is none.
 */
char *next_argument(char ***arguments, const char *what);

/*
 * Takes off the arguments
 *      [--container FD] [--group FD] [--lease FD] [--device NAME=FD]...
 * or, for cdevs,
 *      --iommufd FD [--ioas ID] [--lease FD] [--cdev NAME=FD]...
 * --ioas says what the cdevs are attached to, or that it is in $VFIOD_IOAS (`given`). Without it
 * they are not, and are now bound and attached to an IOAS of their own; with 0 they stay as they
 * are.
 */
void take_files(char ***arguments);

/* Takes a device's cdev from its node, and an iommufd unless there is one, as root without vfiod.
 */
void open_cdev(const char *name);
/* Binds to the iommufd; -1 with errno. */
int bind_cdev(const Device *device);
void attach_cdevs(void);

/* Container or iommufd: what memory is mapped through. */
int *mapper(void);

uint16_t config_read(const Device *device, off_t offset);
void config_write(const Device *device, off_t offset, uint16_t value);

/* Fresh memory, which a child of this process does not get. */
void map_memory(uint64_t size);
/* How many bytes that were. */
uint64_t unmap_memory(void);

/* Maps BAR 0, and has the device decode memory, without which it does not answer. */
void map_bar(Device *device);
void unmap_bar(Device *device);
uint32_t read_register(const Device *device, uint64_t offset);
