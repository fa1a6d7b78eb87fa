/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Twin of daemon/kernel/inspect-calls.c. It keeps to the caller's sizes as the kernel does, so that
 * a sanitiser sees who does not. */

#include "tests/stub/stub-inspect-calls.h"

#include <errno.h>
#include <string.h>

StubAnswers stub_answers;

int inspect_get_device_info(int device, struct vfio_device_info *info) {
        if (device < 0)
                return -EBADF;
        if (stub_answers.device_error)
                return stub_answers.device_error;
        *info = stub_answers.device;
        return 0;
}

int inspect_get_region_info(int device, struct vfio_region_info *info) {
        const StubRegion *region = &stub_answers.regions[info->index];
        uint32_t room = info->argsz;

        stub_answers.region_calls++;
        if (device < 0)
                return -EBADF;
        if (region->error)
                return region->error;
        memcpy(info, region->bytes, room < region->needs ? sizeof(*info) : room);
        if (room < region->needs)
                info->cap_offset = 0;
        info->argsz = stub_answers.grows ? room + 8 : room < region->needs ? region->needs : room;
        return 0;
}

int inspect_get_irq_info(int device, struct vfio_irq_info *info) {
        uint32_t index = info->index;

        if (device < 0)
                return -EBADF;
        if (stub_answers.irq_errors[index])
                return stub_answers.irq_errors[index];
        *info = stub_answers.irqs[index];
        return 0;
}

int inspect_get_hw_info(int iommufd, struct iommufd_hw_info_v1 *info) {
        const struct iommufd_hw_info_v1 *answer = &stub_answers.hw;
        uint32_t room = info->data_len;

        stub_answers.hw_asked = *info;
        if (iommufd < 0)
                return -EBADF;
        if (stub_answers.hw_error)
                return stub_answers.hw_error;
        memcpy((void *)(uintptr_t)info->data_uptr, stub_answers.hw_data,
               room < answer->data_len ? room : answer->data_len);
        info->data_len = answer->data_len;
        info->out_data_type = answer->out_data_type;
        info->out_max_pasid_log2 = answer->out_max_pasid_log2;
        info->out_capabilities = answer->out_capabilities;
        return 0;
}
