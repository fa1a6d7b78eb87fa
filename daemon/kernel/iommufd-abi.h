/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What vfiod uses of linux/iommufd.h (Documentation/userspace-api/iommufd.rst), which the headers
 * of Linux 6.1 do not have. Each struct begins with its own size: a kernel that knows less ignores
 * a tail of zeros.
 */

#include <linux/ioctl.h>
#include <stdint.h>

/* IOMMU_GET_HW_INFO, Linux 6.6: of the IOMMU behind a device that is bound to the iommufd. */
#define IOMMUFD_GET_HW_INFO _IO(';', 0x8a)

struct iommufd_hw_info_v1 {
        uint32_t size;
        uint32_t flags;
        uint32_t dev_id;
        uint32_t data_len; /* in: room at data_uptr; out: what the kernel has, be it more or less */
        uint64_t data_uptr;
        uint32_t out_data_type;
        uint8_t out_max_pasid_log2; /* Linux 6.15 */
        uint8_t reserved[3];
        uint64_t out_capabilities; /* Linux 6.7 */
};
