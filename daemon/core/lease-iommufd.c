/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/lease-iommufd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static LeaseDeviceId *find(const LeaseIommufd *iommufd, const char *device) {
        for (size_t i = 0; i < iommufd->n_ids; i++)
                if (strcmp(iommufd->ids[i].device, device) == 0)
                        return &iommufd->ids[i];
        return NULL;
}

static LeaseDeviceId *find_or_add(LeaseIommufd *iommufd, const char *device) {
        LeaseDeviceId *found = find(iommufd, device), *grown;
        char *name;

        if (found)
                return found;
        grown = reallocarray(iommufd->ids, iommufd->n_ids + 1, sizeof(LeaseDeviceId));
        if (!grown)
                return NULL;
        iommufd->ids = grown;
        name = strdup(device);
        if (!name)
                return NULL;
        grown[iommufd->n_ids] = (LeaseDeviceId){.device = name};
        return &grown[iommufd->n_ids++];
}

int lease_iommufd_set_id(LeaseIommufd *iommufd, const char *device, uint32_t id) {
        LeaseDeviceId *found = find_or_add(iommufd, device);

        if (!found)
                return -ENOMEM;
        found->id = id;
        return 0;
}

int lease_iommufd_set_cookie(LeaseIommufd *iommufd, const char *device, uint64_t cookie) {
        LeaseDeviceId *found = find_or_add(iommufd, device);

        if (!found)
                return -ENOMEM;
        found->cookie = cookie;
        return 0;
}

const LeaseDeviceId *lease_iommufd_find(const LeaseIommufd *iommufd, const char *device) {
        return find(iommufd, device);
}

void lease_iommufd_forget(LeaseIommufd *iommufd, const char *device) {
        LeaseDeviceId *found = find(iommufd, device);

        if (!found)
                return;
        free(found->device);
        *found = iommufd->ids[--iommufd->n_ids];
}

void lease_iommufd_set_iovas(LeaseIommufd *iommufd, IovaRange *iovas, size_t n,
                             uint64_t alignment) {
        free(iommufd->iovas);
        iommufd->iovas = iovas;
        iommufd->n_iovas = n;
        iommufd->alignment = alignment;
}

void lease_iommufd_done(LeaseIommufd *iommufd) {
        for (size_t i = 0; i < iommufd->n_ids; i++)
                free(iommufd->ids[i].device);
        free(iommufd->ids);
        free(iommufd->iovas);
        *iommufd = (LeaseIommufd){0};
}
