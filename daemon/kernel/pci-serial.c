/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/pci-serial.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define PATH_SIZE 256

/* linux/pci_regs.h */
#define CONFIG_SIZE 256
#define EXTENDED_SIZE 4096
#define CAPABILITY_SERIAL 0x0003U
#define CAPABILITY_MIN 8

static uint32_t word_at(const uint8_t *config, size_t at) {
        return (uint32_t)config[at] | (uint32_t)config[at + 1] << 8 |
               (uint32_t)config[at + 2] << 16 | (uint32_t)config[at + 3] << 24;
}

/* Where the capability's eight bytes begin; 0 for none. The list may be anything. */
static size_t find_serial(const uint8_t *config, size_t size) {
        size_t at = CONFIG_SIZE;

        for (size_t left = (EXTENDED_SIZE - CONFIG_SIZE) / CAPABILITY_MIN; left > 0; left--) {
                uint32_t header;

                if (at < CONFIG_SIZE || at + 4 + CAPABILITY_MIN > size)
                        return 0;
                header = word_at(config, at);
                if (header == 0 || header == UINT32_MAX)
                        return 0;
                if ((header & 0xffff) == CAPABILITY_SERIAL)
                        return at + 4;
                at = header >> 20 & ~3U;
        }
        return 0;
}

/* As lspci(8) writes it: the most significant byte first. */
static char *serial_text(const uint8_t *bytes) {
        return string_format("%02x-%02x-%02x-%02x-%02x-%02x-%02x-%02x", bytes[7], bytes[6],
                             bytes[5], bytes[4], bytes[3], bytes[2], bytes[1], bytes[0]);
}

int pci_read_serial(const Roots *roots, const char *device, char **ret) {
        _cleanup_close_ int fd = -EBADF;
        uint8_t config[EXTENDED_SIZE];
        char path[PATH_SIZE];
        struct stat status;
        ssize_t n;
        size_t at;

        (void)snprintf(path, sizeof(path), "bus/pci/devices/%s/config", device);
        fd = openat(roots->sys_fd, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        n = pread(fd, config, sizeof(config), 0);
        if (n < 0)
                return -errno;
        /* The attribute is as large as the device's space, whoever reads it. */
        if (n <= CONFIG_SIZE && status.st_size > CONFIG_SIZE)
                return -EPERM;
        at = find_serial(config, (size_t)n);
        *ret = at > 0 ? serial_text(&config[at]) : strdup("");
        return *ret ? 0 : -ENOMEM;
}
