/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The twin of daemon/kernel/inspect-calls.c. Every PCI device has what QEMU's e1000e has on
 * vfio-pci; whatever else there is has one region and one interrupt.
 */

#include "daemon/kernel/inspect-calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

#define RW (VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE)
#define RWM (RW | VFIO_REGION_INFO_FLAG_MMAP)
#define MSIX_REGION VFIO_PCI_BAR3_REGION_INDEX

static const struct {
        uint32_t flags;
        uint64_t size;
} regions[VFIO_PCI_NUM_REGIONS] = {
        [VFIO_PCI_BAR0_REGION_INDEX] = {RWM, 0x20000},
        [VFIO_PCI_BAR1_REGION_INDEX] = {RWM, 0x20000},
        [VFIO_PCI_BAR2_REGION_INDEX] = {RW, 0x20},
        [MSIX_REGION] = {RWM, 0x4000},
        [VFIO_PCI_CONFIG_REGION_INDEX] = {RW, 0x1000},
};
static const struct {
        uint32_t flags;
        uint32_t count;
} irqs[VFIO_PCI_NUM_IRQS] = {
        [VFIO_PCI_INTX_IRQ_INDEX] = {7, 1},
        [VFIO_PCI_MSI_IRQ_INDEX] = {9, 1},
        [VFIO_PCI_MSIX_IRQ_INDEX] = {9, 5},
        [VFIO_PCI_REQ_IRQ_INDEX] = {9, 1},
};

static bool is_pci(int fd) {
        _cleanup_free_ char *device = fake_machine_read(fd);

        return strchr(device, ':');
}

int inspect_get_device_info(int device, struct vfio_device_info *info) {
        _cleanup_free_ char *name = fake_machine_read(device);
        bool pci = is_pci(device);
        int r = fake_machine_obey("inspect", name);

        if (r < 0)
                return r;
        fake_machine_log("read what the driver tells of %s", name);
        info->flags =
                pci ? VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET : VFIO_DEVICE_FLAGS_PLATFORM;
        info->num_regions = pci ? VFIO_PCI_NUM_REGIONS : 1;
        info->num_irqs = pci ? VFIO_PCI_NUM_IRQS : 1;
        return 0;
}

/* Its MSI-X table is in the second page of it. */
static const struct vfio_region_sparse_mmap_area areas[] = {
        {.offset = 0, .size = 0x1000},
        {.offset = 0x2000, .size = 0x2000},
};

/* The parts of the answer, in this order. */
#define SPARSE_AT ((uint32_t)sizeof(struct vfio_region_info))
#define AREAS_AT (SPARSE_AT + (uint32_t)sizeof(struct vfio_region_info_cap_sparse_mmap))
#define MSIX_AT (AREAS_AT + (uint32_t)sizeof(areas))
#define ANSWER_SIZE (MSIX_AT + (uint32_t)sizeof(struct vfio_info_cap_header))

static void add_capabilities(struct vfio_region_info *info) {
        const struct vfio_region_info_cap_sparse_mmap sparse = {
                .header = {.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1, .next = MSIX_AT},
                .nr_areas = ELEMENTS(areas),
        };
        const struct vfio_info_cap_header msix = {.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
                                                  .version = 1};
        uint32_t room = info->argsz;

        info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
        info->argsz = ANSWER_SIZE;
        if (room < ANSWER_SIZE)
                return;
        info->cap_offset = SPARSE_AT;
        memcpy((char *)info + SPARSE_AT, &sparse, sizeof(sparse));
        memcpy((char *)info + AREAS_AT, areas, sizeof(areas));
        memcpy((char *)info + MSIX_AT, &msix, sizeof(msix));
}

int inspect_get_region_info(int device, struct vfio_region_info *info) {
        uint32_t index = info->index;

        if (!is_pci(device)) {
                info->flags = RW;
                info->size = 0x800;
                return 0;
        }
        if (index == VFIO_PCI_VGA_REGION_INDEX)
                return -EINVAL;
        info->flags = regions[index].flags;
        info->size = regions[index].size;
        info->offset = (uint64_t)index << 40;
        if (index == MSIX_REGION)
                add_capabilities(info);
        return 0;
}

int inspect_get_irq_info(int device, struct vfio_irq_info *info) {
        bool pci = is_pci(device);

        if (pci && info->index == VFIO_PCI_ERR_IRQ_INDEX)
                return -EINVAL;
        info->flags = pci ? irqs[info->index].flags : VFIO_IRQ_INFO_EVENTFD;
        info->count = pci ? irqs[info->index].count : 1;
        return 0;
}

/* The machine has no iommufd. */
int inspect_get_hw_info(int iommufd _unused_, struct iommufd_hw_info_v1 *info _unused_) {
        return -ENOTTY;
}
