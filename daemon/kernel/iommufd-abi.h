/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The parts of linux/iommufd.h (Linux 6.2) and of the cdev interface in linux/vfio.h (Linux 6.6)
 * that vfiod uses, under names of our own: the headers of the distributions that vfiod is built on
 * do not have them. The numbers and layouts are the kernel's ABI; a structure may grow at its end
 * there, and the size that is given with it says how much of it is meant.
 */

#include <stdint.h>
#include <sys/ioctl.h>

#define IOMMUFD_REQUEST(number) _IO(';', number)

struct iommufd_ioas_alloc {
        uint32_t size;
        uint32_t flags;
        uint32_t out_ioas_id;
};
#define IOMMUFD_IOAS_ALLOC IOMMUFD_REQUEST(0x81)

struct iommufd_iova_range {
        uint64_t start;
        uint64_t last;
};

struct iommufd_iova_ranges {
        uint32_t size;
        uint32_t ioas_id;
        uint32_t num_iovas; /* in: room; out: how many there are */
        uint32_t reserved;
        uint64_t allowed_iovas; /* address of the array */
        uint64_t out_iova_alignment;
};
#define IOMMUFD_IOAS_IOVA_RANGES IOMMUFD_REQUEST(0x84)

struct iommufd_option {
        uint32_t size;
        uint32_t option_id;
        uint16_t op;
        uint16_t reserved;
        uint32_t object_id;
        uint64_t val64;
};
#define IOMMUFD_OPTION IOMMUFD_REQUEST(0x87)
#define IOMMUFD_OPTION_RLIMIT_MODE 0
#define IOMMUFD_OPTION_OP_SET 0
#define IOMMUFD_RLIMIT_MODE_PROCESS 1

/* Linux 6.6: of the IOMMU behind a device that is bound to the iommufd. */
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
#define IOMMUFD_GET_HW_INFO IOMMUFD_REQUEST(0x8a)

struct cdev_bind_iommufd {
        uint32_t argsz;
        uint32_t flags;
        int32_t iommufd;
        uint32_t out_devid;
};
#define CDEV_BIND_IOMMUFD IOMMUFD_REQUEST(0x76)

struct cdev_attach_iommufd_pt {
        uint32_t argsz;
        uint32_t flags;
        uint32_t pt_id; /* in: an IOAS or page table; out: the page table it is attached to */
};
#define CDEV_ATTACH_IOMMUFD_PT IOMMUFD_REQUEST(0x77)

struct cdev_detach_iommufd_pt {
        uint32_t argsz;
        uint32_t flags;
};
#define CDEV_DETACH_IOMMUFD_PT IOMMUFD_REQUEST(0x78)

_Static_assert(sizeof(struct iommufd_ioas_alloc) == 12, "as in the kernel");
_Static_assert(sizeof(struct iommufd_iova_ranges) == 32, "as in the kernel");
_Static_assert(sizeof(struct iommufd_option) == 24, "as in the kernel");
_Static_assert(sizeof(struct iommufd_hw_info_v1) == 40, "as in the kernel");
_Static_assert(sizeof(struct cdev_bind_iommufd) == 16, "as in Linux 6.6");
_Static_assert(sizeof(struct cdev_attach_iommufd_pt) == 12, "as in Linux 6.6");
_Static_assert(sizeof(struct cdev_detach_iommufd_pt) == 8, "as in Linux 6.6");
