/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/enumerate.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/kernel/sysfs.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define GROUPS "kernel/iommu_groups"
#define CLASS_VFIO_DEV "class/vfio-dev"
#define PATH_SIZE 512

/* PCI configuration space (linux/pci_regs.h). */
#define CONFIG_HEADER_TYPE 0x0e
#define HEADER_TYPE_MASK 0x7f
#define BASE_CLASS_BRIDGE 0x06

static int compare_numbers(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return x < y ? -1 : x > y;
}

int enumerate_groups(const Roots *roots, uint32_t **ret, size_t *ret_n) {
        _cleanup_strv_ char **names = NULL;
        uint32_t *numbers;
        size_t n = 0;
        int r;

        r = sysfs_list(roots->sys_fd, GROUPS, &names);
        if (r < 0)
                return r;
        numbers = calloc(strv_length(names) + 1, sizeof(uint32_t));
        if (!numbers)
                return -ENOMEM;
        for (char **name = names; name && *name; name++) {
                uint64_t number;

                if (string_to_u64(*name, UINT32_MAX, &number) >= 0)
                        numbers[n++] = (uint32_t)number;
        }
        qsort(numbers, n, sizeof(uint32_t), compare_numbers);
        *ret = numbers;
        *ret_n = n;
        return 0;
}

int enumerate_members(const Roots *roots, uint32_t group, char ***ret) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), GROUPS "/%u/devices", group);
        return sysfs_list(roots->sys_fd, path, ret);
}

/* The links virtfn0, virtfn1, ...; they come and go one by one. */
int enumerate_vfs(const Roots *roots, const char *device, char ***ret) {
        _cleanup_strv_ char **entries = NULL, **names = NULL;
        char path[PATH_SIZE + 64];
        int r;

        (void)snprintf(path, sizeof(path), "bus/pci/devices/%s", device);
        r = sysfs_list(roots->sys_fd, path, &entries);
        for (char **entry = entries; r >= 0 && entry && *entry; entry++) {
                char *name = NULL;

                if (!string_after(*entry, "virtfn"))
                        continue;
                (void)snprintf(path, sizeof(path), "bus/pci/devices/%s/%.32s", device, *entry);
                r = sysfs_read_link(roots->sys_fd, path, &name);
                if (r >= 0 && name[0] == '\0')
                        free(name);
                else if (r >= 0)
                        r = strv_push_consume(&names, name);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

/* Lines "0x00000000fee00000 0x00000000feefffff msi". */
static int parse_regions(const char *text, GroupFacts *facts) {
        for (const char *line = text; *line;) {
                ReservedRegion region, *grown;
                size_t length = strcspn(line, "\n");

                if (sscanf(line, "%" SCNx64 " %" SCNx64 " %23s", &region.first, &region.last,
                           region.kind) == 3) {
                        grown = reallocarray(facts->regions, facts->n_regions + 1, sizeof(region));
                        if (!grown)
                                return -ENOMEM;
                        facts->regions = grown;
                        grown[facts->n_regions++] = region;
                }
                line += length + (line[length] == '\n');
        }
        return 0;
}

int read_group_facts(const Roots *roots, uint32_t group, GroupFacts *ret) {
        _cleanup_group_facts_ GroupFacts facts = {.number = group};
        _cleanup_free_ char *regions = NULL;
        _cleanup_close_ int dir = -EBADF;
        char path[PATH_SIZE];
        int r;

        (void)snprintf(path, sizeof(path), GROUPS "/%u", group);
        dir = openat(roots->sys_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return -errno;
        r = sysfs_read_optional(dir, "type", &facts.type);
        if (r >= 0)
                r = sysfs_read_optional(dir, "name", &facts.name);
        if (r >= 0)
                r = sysfs_read_optional(dir, "reserved_regions", &regions);
        if (r >= 0)
                r = parse_regions(regions, &facts);
        if (r < 0)
                return r;
        *ret = facts;
        facts = (GroupFacts)GROUP_FACTS_NULL;
        return 0;
}

/* The value of KEY= in the text of a uevent attribute, up to the end of its line; NULL for none. */
static const char *uevent_value(const char *uevent, const char *key) {
        size_t n = strlen(key);

        for (const char *line = uevent; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, key, n) == 0 && line[n] == '=')
                        return line + n + 1;
        }
        return NULL;
}

/* One read instead of five: drivers/pci/pci-driver.c (pci_uevent) prints all ids there. */
static int parse_uevent(const char *uevent, DeviceFacts *facts) {
        const char *ids = uevent_value(uevent, "PCI_ID");
        const char *subsystem = uevent_value(uevent, "PCI_SUBSYS_ID");
        const char *class_code = uevent_value(uevent, "PCI_CLASS");
        const char *modalias = uevent_value(uevent, "MODALIAS");

        if (ids)
                (void)sscanf(ids, "%4" SCNx16 ":%4" SCNx16, &facts->vendor, &facts->device);
        if (subsystem)
                (void)sscanf(subsystem, "%4" SCNx16 ":%4" SCNx16, &facts->subsystem_vendor,
                             &facts->subsystem_device);
        if (class_code)
                (void)sscanf(class_code, "%6" SCNx32, &facts->class_code);
        facts->modalias = modalias ? strndup(modalias, strcspn(modalias, "\n")) : strdup("");
        return facts->modalias ? 0 : -ENOMEM;
}

/*
 * Only of bridges by class: reading configuration space wakes a sleeping device, and nothing else
 * has a header type other than normal.
 */
static int read_header_type(int dir, DeviceFacts *facts) {
        _cleanup_close_ int fd = -EBADF;

        if (facts->class_code >> 16 != BASE_CLASS_BRIDGE)
                return 0;
        fd = openat(dir, "config", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (pread(fd, &facts->header_type, 1, CONFIG_HEADER_TYPE) != 1)
                return -EIO;
        facts->header_type &= HEADER_TYPE_MASK;
        return 0;
}

/*
 * "(null)" is how the kernel writes an unset override; some buses have none at all. One that is no
 * text is no driver's name, nor is what is read for it: set again, it keeps the device from as many
 * drivers.
 */
static int read_override(int dir, char **ret) {
        _cleanup_free_ char *override = NULL;
        int r = sysfs_read(dir, "driver_override", &override);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        if (strcmp(override, "(null)") == 0)
                override[0] = '\0';
        (void)string_make_printable(override);
        *ret = TAKE_PTR(override);
        return 0;
}

/* Whoever may name an interface, in a network namespace of his own say, may name it anything. */
static int read_interfaces(int dir, char ***ret) {
        int r = sysfs_list(dir, "net", ret);

        for (char **name = r < 0 ? NULL : *ret; name && *name; name++)
                (void)string_make_printable(*name);
        return r;
}

static int read_numa_node(int dir, int *ret) {
        _cleanup_free_ char *text = NULL;
        int r = sysfs_read_optional(dir, "numa_node", &text);

        if (r >= 0 && !string_is_empty(text))
                *ret = atoi(text);
        return r;
}

/*
 * A vfio device has one directory vfio-dev/vfioN, with a `dev` attribute where cdevs are compiled
 * in (kernel 6.1). Before 6.1 there is no such class, and the driver's name is all there is to go
 * by.
 */
static int read_vfio(const Roots *roots, int dir, DeviceFacts *facts) {
        _cleanup_strv_ char **names = NULL;
        char path[PATH_SIZE];
        int r;

        facts->cdev = strdup("");
        if (!facts->cdev)
                return -ENOMEM;
        r = sysfs_list(dir, "vfio-dev", &names);
        if (r < 0)
                return r;
        if (names && names[0]) {
                facts->vfio = true;
                (void)snprintf(path, sizeof(path), "vfio-dev/%s/dev", names[0]);
                return sysfs_exists(dir, path) ? string_set(&facts->cdev, names[0]) : 0;
        }
        facts->vfio = !sysfs_exists(roots->sys_fd, CLASS_VFIO_DEV) && strstr(facts->driver, "vfio");
        return 0;
}

/*
 * The attribute is there from Linux 5.15 on, for devices that have a method; it is empty where all
 * were switched off (drivers/pci/pci.c, reset_method_show).
 */
static int read_reset_methods(int dir, char ***ret) {
        _cleanup_strv_ char **methods = NULL;
        _cleanup_free_ char *text = NULL;
        int r = sysfs_read(dir, "reset_method", &text);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        methods = calloc(1, sizeof(char *));
        if (!methods)
                return -ENOMEM;
        for (const char *word = text; *word;) {
                size_t n = strcspn(word, " ");
                _cleanup_free_ char *method = strndup(word, n);

                if (!method || (n > 0 && strv_push(&methods, method) < 0))
                        return -ENOMEM;
                word += n + (word[n] == ' ');
        }
        *ret = TAKE_PTR(methods);
        return 0;
}

/*
 * Of a device that has the capability. How many there are now is not read: sriov_numvfs waits for
 * whoever works on the device (drivers/pci/iov.c, sriov_numvfs_show; not on every kernel).
 */
static int read_sriov(int dir, DeviceFacts *facts) {
        _cleanup_free_ char *total = NULL, *autoprobe = NULL;
        uint64_t number = 0;
        int r;

        r = sysfs_read_optional(dir, "sriov_totalvfs", &total);
        if (r < 0 || string_to_u64(total, UINT16_MAX, &number) < 0)
                return r;
        facts->total_vfs = (uint16_t)number;
        r = sysfs_read_optional(dir, "sriov_drivers_autoprobe", &autoprobe);
        if (r >= 0)
                facts->vfs_autoprobe = strcmp(autoprobe, "0") != 0;
        return r;
}

/* What stands above it and below it, and how it is reset: for core/reset-set.h. */
static int read_pci(int dir, DeviceFacts *facts) {
        int r;

        r = read_header_type(dir, facts);
        if (r >= 0)
                r = read_reset_methods(dir, &facts->reset_methods);
        if (r >= 0)
                r = sysfs_read_link(dir, "physfn", &facts->physfn);
        if (r >= 0 && string_is_empty(facts->physfn))
                r = read_sriov(dir, facts);
        return r;
}

static int copy_locked(const DeviceFacts *known, DeviceFacts *facts) {
        facts->vendor = known->vendor;
        facts->device = known->device;
        facts->subsystem_vendor = known->subsystem_vendor;
        facts->subsystem_device = known->subsystem_device;
        facts->class_code = known->class_code;
        if (known->driver_override &&
            string_set(&facts->driver_override, known->driver_override) < 0)
                return -ENOMEM;
        return string_set(&facts->modalias, string_or_empty(known->modalias));
}

/*
 * The kernel takes the device's lock to show these, as bind, unbind and reset do for as long as
 * they take: driver_override_show() (Linux 6.1; not on every kernel), uevent_show() (some
 * releases).
 */
static int read_locked(int dir, DeviceFacts *facts) {
        _cleanup_free_ char *uevent = NULL;
        int r = read_override(dir, &facts->driver_override);

        if (r >= 0)
                r = sysfs_read_optional(dir, "uevent", &uevent);
        return r < 0 ? r : parse_uevent(uevent, facts);
}

static int read_attributes(const Roots *roots, int dir, const DeviceFacts *known, bool unbinding,
                           DeviceFacts *facts) {
        bool locked;
        int r;

        r = sysfs_read_link(dir, "subsystem", &facts->bus);
        if (r >= 0)
                r = sysfs_read_link(dir, "driver", &facts->driver);
        if (r >= 0)
                r = sysfs_read_link(dir, "driver/module", &facts->driver_module);
        if (r < 0)
                return r;
        locked = known && (!unbinding || string_is_empty(facts->driver));
        r = locked ? copy_locked(known, facts) : read_locked(dir, facts);
        if (r >= 0 && device_facts_is_pci(facts))
                r = read_pci(dir, facts);
        if (r >= 0 && string_equal(facts->bus, "mdev"))
                r = sysfs_read_link(dir, "mdev_type", &facts->mdev_type);
        if (r >= 0)
                r = read_numa_node(dir, &facts->numa_node);
        if (r >= 0)
                r = read_interfaces(dir, &facts->interfaces);
        if (r >= 0)
                r = read_vfio(roots, dir, facts);
        return r;
}

int read_device_facts(const Roots *roots, uint32_t group, const char *name,
                      const DeviceFacts *known, bool unbinding, DeviceFacts *ret) {
        _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL;
        _cleanup_close_ int dir = -EBADF;
        char path[PATH_SIZE];
        int r;

        (void)snprintf(path, sizeof(path), GROUPS "/%u/devices/%s", group, name);
        dir = openat(roots->sys_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return -errno;
        facts.group = group;
        r = string_set(&facts.name, name);
        if (r >= 0)
                r = sysfs_read_place(roots->sys_fd, path, &facts.path);
        if (r >= 0)
                r = read_attributes(roots, dir, known, unbinding, &facts);
        if (r < 0)
                return r;
        *ret = facts;
        facts = (DeviceFacts)DEVICE_FACTS_NULL;
        return 0;
}

int read_device_group(const Roots *roots, const char *syspath, uint32_t *ret) {
        _cleanup_free_ char *path = string_format("%s/iommu_group", syspath), *name = NULL;
        uint64_t number;
        int r;

        if (!path)
                return -ENOMEM;
        r = sysfs_read_link(roots->sys_fd, path, &name);
        if (r < 0)
                return r;
        if (string_to_u64(name, UINT32_MAX, &number) < 0)
                return -ENOENT;
        *ret = (uint32_t)number;
        return 0;
}
