/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Owns how far an answer of the kernel is believed: counts, sizes and offsets in it are checked
 * before they are followed.
 */

#include "daemon/kernel/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/kernel/inspect-calls.h"
#include "daemon/kernel/sysfs.h"
#include "daemon/util/string.h"

/* More than any driver has: vfio-pci has 9 and a few of the device's own. */
#define REGIONS_MAX 256U
#define IRQS_MAX 256U

/* Of a region's answer with its capabilities. */
#define ANSWER_MAX 65536U
#define ANSWER_TRIES 3

/* The structures of today have at most 40 bytes. */
#define HW_DATA_MAX 1024U

static Finding finding_of(FindingKind kind, const char *device) {
        Finding finding = {.kind = kind};

        (void)snprintf(finding.device, sizeof(finding.device), "%s", device);
        return finding;
}

/*
 * The region with its capabilities: a call with too little room for them succeeds, and says how
 * much they take. `argsz` of what comes back is its true size. Allocated.
 */
static int read_region(int file, uint32_t index, struct vfio_region_info **ret) {
        uint32_t size = sizeof(struct vfio_region_info);

        for (unsigned i = 0; i < ANSWER_TRIES && size <= ANSWER_MAX; i++) {
                _cleanup_free_ struct vfio_region_info *info = calloc(1, size);
                int r;

                if (!info)
                        return -ENOMEM;
                info->argsz = size;
                info->index = index;
                r = inspect_get_region_info(file, info);
                if (r < 0)
                        return r;
                if (info->argsz <= size) {
                        info->argsz = size;
                        *ret = TAKE_PTR(info);
                        return 0;
                }
                size = info->argsz;
        }
        return -EPROTO;
}

/* Copied, because before Linux 6.6 nothing aligns a capability that follows another. */
static int copy_part(const struct vfio_region_info *info, uint64_t offset, void *ret, size_t size) {
        if (offset > info->argsz || size > info->argsz - offset)
                return -EPROTO;
        memcpy(ret, (const char *)info + offset, size);
        return 0;
}

/* 1 with the offset of the capability, 0 where there is none. A chain that does not go on forward
 * could go on for ever. */
static int find_capability(const struct vfio_region_info *info, uint16_t id, uint32_t *ret) {
        uint32_t offset = info->flags & VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0;
        struct vfio_info_cap_header header;

        while (offset != 0) {
                int r = copy_part(info, offset, &header, sizeof(header));

                if (r < 0)
                        return r;
                if (header.id == id) {
                        *ret = offset;
                        return 1;
                }
                if (header.next != 0 && header.next <= offset)
                        return -EPROTO;
                offset = header.next;
        }
        return 0;
}

static int add_area(const char *device, uint64_t offset, uint64_t size, Findings *findings) {
        Finding finding = finding_of(FINDING_AREA, device);

        finding.values[0] = offset;
        finding.values[1] = size;
        return findings_add(findings, &finding);
}

/* No areas means that the whole region may be mapped; none in the capability, that nothing may. */
static int add_areas(const struct vfio_region_info *info, uint32_t offset, const char *device,
                     Findings *findings) {
        struct vfio_region_info_cap_sparse_mmap sparse;
        int r = copy_part(info, offset, &sparse, sizeof(sparse));

        if (r >= 0 && sparse.nr_areas == 0)
                return add_area(device, 0, 0, findings);
        for (uint32_t i = 0; r >= 0 && i < sparse.nr_areas; i++) {
                struct vfio_region_sparse_mmap_area area;

                r = copy_part(info, offset + sizeof(sparse) + (uint64_t)i * sizeof(area), &area,
                              sizeof(area));
                if (r >= 0)
                        r = add_area(device, area.offset, area.size, findings);
        }
        return r;
}

static int add_region(const struct vfio_region_info *info, uint32_t index, const char *device,
                      Findings *findings) {
        Finding finding = finding_of(FINDING_REGION, device);
        uint32_t offset;
        int r, has_areas;

        r = find_capability(info, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, &offset);
        if (r < 0)
                return r;
        finding.values[0] = index;
        finding.values[1] = info->flags & (uint32_t)~VFIO_REGION_INFO_FLAG_CAPS;
        finding.values[2] = info->size;
        finding.values[3] = info->offset;
        finding.values[4] = (uint64_t)r;
        has_areas = find_capability(info, VFIO_REGION_INFO_CAP_SPARSE_MMAP, &offset);
        if (has_areas < 0)
                return has_areas;
        r = findings_add(findings, &finding);
        return r >= 0 && has_areas ? add_areas(info, offset, device, findings) : r;
}

static int read_regions(int file, uint32_t n, const char *device, Findings *findings) {
        int r = 0;

        for (uint32_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_free_ struct vfio_region_info *info = NULL;

                r = read_region(file, i, &info);
                if (r >= 0)
                        r = add_region(info, i, device, findings);
                else if (r == -EINVAL)
                        r = 0;
        }
        return r;
}

static int read_irq(int file, uint32_t index, const char *device, Findings *findings) {
        struct vfio_irq_info info = {.argsz = sizeof(info), .index = index};
        Finding finding = finding_of(FINDING_IRQ, device);
        int r = inspect_get_irq_info(file, &info);

        if (r < 0)
                return r == -EINVAL ? 0 : r;
        finding.values[0] = index;
        finding.values[1] = info.flags;
        finding.values[2] = info.count;
        return findings_add(findings, &finding);
}

int inspect_read_device(int file, const char *device, Findings *findings) {
        struct vfio_device_info info = {.argsz = sizeof(info)};
        Finding finding = finding_of(FINDING_DEVICE_FLAGS, device);
        int r = inspect_get_device_info(file, &info);

        if (r < 0)
                return r;
        if (info.num_regions > REGIONS_MAX || info.num_irqs > IRQS_MAX)
                return -EPROTO;
        finding.values[0] = info.flags & (uint32_t)~VFIO_DEVICE_FLAGS_CAPS;
        r = findings_add(findings, &finding);
        if (r >= 0)
                r = read_regions(file, info.num_regions, device, findings);
        for (uint32_t i = 0; r >= 0 && i < info.num_irqs; i++)
                r = read_irq(file, i, device, findings);
        return r;
}

static int add_hw_data(const uint8_t *data, size_t size, const char *device, Findings *findings) {
        int r = 0;

        for (size_t done = 0; r >= 0 && done < size; done += FINDING_BYTES) {
                Finding finding = finding_of(FINDING_HW_DATA, device);
                size_t n = size - done < FINDING_BYTES ? size - done : FINDING_BYTES;

                finding.values[0] = n;
                memcpy(finding.bytes, data + done, n);
                r = findings_add(findings, &finding);
        }
        return r;
}

int inspect_read_iommu(int iommufd, uint32_t device_id, const char *device, Findings *findings) {
        uint8_t data[HW_DATA_MAX] = {0};
        struct iommufd_hw_info_v1 info = {.size = sizeof(info),
                                          .dev_id = device_id,
                                          .data_len = sizeof(data),
                                          .data_uptr = (uintptr_t)data};
        Finding finding = finding_of(FINDING_HW_INFO, device);
        int r = inspect_get_hw_info(iommufd, &info);

        if (r == -ENOTTY || r == -ENOENT || r == -EOPNOTSUPP)
                return 0;
        if (r < 0)
                return r;
        if (info.data_len > sizeof(data))
                return -EPROTO;
        finding.values[0] = info.out_data_type;
        finding.values[1] = info.out_capabilities;
        finding.values[2] = info.out_max_pasid_log2;
        r = findings_add(findings, &finding);
        return r < 0 ? r : add_hw_data(data, info.data_len, device, findings);
}

int inspect_read_resets(const Roots *roots, const char *device, Findings *findings) {
        _cleanup_free_ char *path = string_format("bus/pci/devices/%s/reset_method", device);
        _cleanup_free_ char *methods = NULL;
        char *rest, *word;
        int r;

        if (!path)
                return -ENOMEM;
        r = sysfs_read_optional(roots->sys_fd, path, &methods);
        rest = methods;
        while (r >= 0 && (word = strsep(&rest, " \n"))) {
                Finding finding = finding_of(FINDING_RESET, device);

                (void)snprintf((char *)finding.bytes, sizeof(finding.bytes), "%s", word);
                if (*word)
                        r = findings_add(findings, &finding);
        }
        return r;
}
