/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The devices of the machine, as far as it takes to say which of them a mapping can be of. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/kernel/enumerate.h"
#include "daemon/kernel/holder-private.h"
#include "daemon/kernel/sysfs.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define PATH_SIZE 512

/* Where a region begins in the file of a vfio-pci device (include/linux/vfio_pci_core.h). */
#define REGION_SHIFT 40
#define REGION_MASK ((UINT64_C(1) << REGION_SHIFT) - 1)
/* Behind the BARs, the ROM, configuration space and VGA, none of which can be mapped, come regions
 * that only the driver knows (include/uapi/linux/vfio.h, VFIO_PCI_NUM_REGIONS). */
#define FIRST_OWN_REGION 9

static void parse_bars(const char *text, HolderDevice *device) {
        for (size_t i = 0; i < HOLDER_BARS; i++) {
                uint64_t first, last;

                if (sscanf(text, "%" SCNx64 " %" SCNx64, &first, &last) != 2)
                        return;
                device->bars[i].first = first;
                device->bars[i].size = last > first ? last - first + 1 : 0;
                text += strcspn(text, "\n");
        }
}

static int read_device(HolderSearch *search, uint32_t group, const char *name, bool searched) {
        HolderDevice *grown = reallocarray(search->devices, search->n_devices + 1, sizeof(*grown));
        _cleanup_free_ char *resource = NULL;
        HolderDevice *device;
        char path[PATH_SIZE];
        int r;

        if (!grown)
                return -ENOMEM;
        search->devices = grown;
        device = &grown[search->n_devices++];
        *device = (HolderDevice){.group = group, .name = strdup(name), .searched = searched};
        if (!device->name)
                return -ENOMEM;
        (void)snprintf(path, sizeof(path), "kernel/iommu_groups/%" PRIu32 "/devices/%s/resource",
                       group, name);
        r = sysfs_read(search->roots->sys_fd, path, &resource);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        device->known = true;
        parse_bars(resource, device);
        return 0;
}

static bool is_searched(const HolderSearch *search, uint32_t group) {
        for (size_t i = 0; i < search->n_groups; i++)
                if (search->groups[i].number == group)
                        return true;
        return false;
}

int holder_devices_read(HolderSearch *search) {
        _cleanup_free_ uint32_t *groups = NULL;
        size_t n_groups = 0;
        int r;

        if (search->devices_read)
                return 0;
        holder_devices_free(search);
        r = enumerate_groups(search->roots, &groups, &n_groups);
        for (size_t i = 0; r >= 0 && i < n_groups; i++) {
                _cleanup_strv_ char **names = NULL;

                r = enumerate_members(search->roots, groups[i], &names);
                for (char **name = names; r >= 0 && name && *name; name++)
                        r = read_device(search, groups[i], *name, is_searched(search, groups[i]));
        }
        search->devices_read = r >= 0;
        return r;
}

void holder_devices_free(HolderSearch *search) {
        for (size_t i = 0; i < search->n_devices; i++)
                free(search->devices[i].name);
        free(search->devices);
        search->devices = NULL;
        search->n_devices = 0;
        search->devices_read = false;
}

static uint64_t whole_pages(uint64_t size) {
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

        return (size + page - 1) / page * page;
}

/*
 * The offset in maps is, up to Linux 6.10 and for some drivers still, the physical address; since
 * then the offset in the device's file. A device that fits in either reading fits.
 */
bool holder_device_fits(const HolderDevice *device, const HolderRange *range) {
        uint64_t region = range->offset >> REGION_SHIFT, length = range->end - range->first;

        if (!device->known || region >= FIRST_OWN_REGION)
                return true;
        for (size_t i = 0; i < HOLDER_BARS; i++) {
                uint64_t first = device->bars[i].first, size = whole_pages(device->bars[i].size);

                if (size == 0)
                        continue;
                if (region == i && (range->offset & REGION_MASK) + length <= size)
                        return true;
                if (range->offset >= first && range->offset + length <= first + size)
                        return true;
        }
        return false;
}

/* On a VFIO driver, or on its way from one: the link goes before the last user does. */
static bool may_be_vfio(const HolderSearch *search, int dir) {
        _cleanup_free_ char *driver = NULL;

        if (sysfs_read_link(dir, "driver", &driver) < 0 || string_is_empty(driver) ||
            sysfs_exists(dir, "vfio-dev"))
                return true;
        return !sysfs_exists(search->roots->sys_fd, "class/vfio-dev") && strstr(driver, "vfio");
}

/*
 * vfio-pci enables a device at its first open and disables it at the last close, and does nothing
 * of the kind in between (vfio_pci_core_enable(), vfio_pci_core_disable()): the counter that PCI
 * shows as `enable` is 0 exactly while nobody has the device open or mapped. A node under
 * /dev/vfio/devices that is open, but not bound to an iommufd, does not count.
 */
bool holder_device_may_be_open(const HolderSearch *search, const HolderDevice *device) {
        _cleanup_free_ char *enable = NULL;
        _cleanup_close_ int dir = -EBADF;
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), "kernel/iommu_groups/%" PRIu32 "/devices/%s",
                       device->group, device->name);
        dir = openat(search->roots->sys_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return true;
        return may_be_vfio(search, dir) &&
               (sysfs_read(dir, "enable", &enable) < 0 || strcmp(enable, "0") != 0);
}

bool holder_group_may_be_open(const HolderSearch *search, uint32_t group) {
        for (size_t i = 0; i < search->n_devices; i++)
                if (search->devices[i].group == group &&
                    holder_device_may_be_open(search, &search->devices[i]))
                        return true;
        return false;
}
