/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of a lease's iommufd: numbers that the kernel gave, and the caller's cookies. */

#include <stddef.h>
#include <stdint.h>

#include "daemon/util/facts.h"

/* What is known of a device of a lease in MODE_IOMMUFD. */
typedef struct LeaseDeviceId {
        char *device;
        uint32_t id;     /* in the iommufd; 0 while it is not bound, as far as we know */
        uint64_t cookie; /* the caller's own number, 0 for none */
} LeaseDeviceId;

/* MODE_IOMMUFD; empty in MODE_GROUP. */
typedef struct LeaseIommufd {
        uint32_t ioas;      /* with PREPARE_ATTACH, else 0 */
        uint64_t alignment; /* of IOVAs, bytes; 0 without an IOAS */
        IovaRange *iovas;   /* of the IOAS */
        size_t n_iovas;
        LeaseDeviceId *ids; /* in no order; not every device of the lease has one */
        size_t n_ids;
} LeaseIommufd;

/* Both keep what else is known of the device. -ENOMEM leaves it as it was. */
int lease_iommufd_set_id(LeaseIommufd *iommufd, const char *device, uint32_t id);
int lease_iommufd_set_cookie(LeaseIommufd *iommufd, const char *device, uint64_t cookie);

/* NULL: nothing is known of it. */
const LeaseDeviceId *lease_iommufd_find(const LeaseIommufd *iommufd, const char *device);
void lease_iommufd_forget(LeaseIommufd *iommufd, const char *device);

/* Owns `iovas` from then on. */
void lease_iommufd_set_iovas(LeaseIommufd *iommufd, IovaRange *iovas, size_t n, uint64_t alignment);

void lease_iommufd_done(LeaseIommufd *iommufd);
