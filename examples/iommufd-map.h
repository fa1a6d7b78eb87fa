/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Memory into an IOAS (IOMMU_IOAS_MAP of linux/iommufd.h), for systems whose headers are older than
 * their kernel, too.
 */

#include <stdint.h>
#include <sys/ioctl.h>

#if __has_include(<linux/iommufd.h>)
#include <linux/iommufd.h>
#else
#include <linux/types.h>

struct iommu_ioas_map {
        __u32 size;
        __u32 flags;
        __u32 ioas_id;
        __u32 __reserved;
        __aligned_u64 user_va;
        __aligned_u64 length;
        __aligned_u64 iova;
};

#define IOMMU_IOAS_MAP _IO(';', 0x85)
#define IOMMU_IOAS_MAP_FIXED_IOVA (1 << 0)
#define IOMMU_IOAS_MAP_WRITEABLE (1 << 1)
#define IOMMU_IOAS_MAP_READABLE (1 << 2)
#endif

/* The device reads and writes `memory` at `iova`. As of ioctl(). */
static inline int iommufd_map(int iommufd, uint32_t ioas, void *memory, uint64_t length,
                              uint64_t iova) {
        struct iommu_ioas_map map = {
                .size = sizeof(map),
                .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |
                         IOMMU_IOAS_MAP_READABLE,
                .ioas_id = ioas,
                .user_va = (uintptr_t)memory,
                .length = length,
                .iova = iova,
        };

        return ioctl(iommufd, IOMMU_IOAS_MAP, &map);
}
