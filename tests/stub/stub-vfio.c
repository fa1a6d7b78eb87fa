/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Twin of daemon/kernel/vfio.c: who may open what, and what must be closed before what, as
 * drivers/vfio/{group,container}.c have it.
 */

#include "daemon/kernel/vfio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/stub/stub.h"

int vfio_open_container(const Roots *roots _unused_) {
        int r = stub_call("open container");

        return r < 0 ? r : stub_open("container", 0);
}

bool vfio_container_has_extension(int container _unused_, int extension) {
        return stub_call("has extension %d", extension) >= 0;
}

int vfio_container_set_iommu(int container, int type) {
        StubFile *file = stub_file(container);
        int r = stub_call("set iommu %d", type);

        if (r < 0)
                return r;
        if (!file)
                return -EBADF;
        for (size_t i = 0; i < stub->n_files; i++)
                if (stub->files[i].container == file->inode) {
                        file->iommu = true;
                        return 0;
                }
        return -EINVAL;
}

int vfio_open_group(const Roots *roots _unused_, uint32_t group) {
        char what[STUB_NAME];
        int r = stub_call("open group %u", group);

        if (r < 0)
                return r;
        (void)snprintf(what, sizeof(what), "group %u", group);
        if (stub->held_outside || stub_find_open(what))
                return -EBUSY;
        return stub_open(what, group);
}

int vfio_group_is_viable(int group, bool *ret) {
        const StubFile *file = stub_file(group);
        int r = stub_call("is %s viable", file ? file->what : "no group");

        if (r < 0)
                return r;
        *ret = !stub->not_viable;
        return 0;
}

int vfio_group_set_container(int group, int container) {
        StubFile *file = stub_file(group);
        const StubFile *into = stub_file(container);
        int r = stub_call("put %s into container", file ? file->what : "no group");

        if (r < 0)
                return r;
        if (!file || !into || strcmp(into->what, "container") != 0)
                return -EBADF;
        if (file->container)
                return -EINVAL;
        file->container = into->inode;
        return 0;
}

static bool has_open_device(uint32_t group) {
        for (size_t i = 0; i < stub->n_files; i++)
                if (stub->files[i].group == group &&
                    strncmp(stub->files[i].what, "device ", 7) == 0 &&
                    stub_find_open(stub->files[i].what))
                        return true;
        return false;
}

int vfio_group_unset_container(int group) {
        StubFile *file = stub_file(group);
        int r = stub_call("take %s out of container", file ? file->what : "no group");

        if (r < 0)
                return r;
        if (!file || !file->container)
                return -EINVAL;
        if (has_open_device(file->group))
                return -EBUSY;
        file->container = 0;
        return 0;
}

int vfio_group_get_device(int group, const char *device) {
        const StubFile *file = stub_file(group);
        char what[STUB_NAME];
        int r = stub_call("open device %s", device);

        if (r < 0)
                return r;
        if (!file || !file->container)
                return -EINVAL;
        (void)snprintf(what, sizeof(what), "device %s", device);
        return stub_open(what, file->group);
}
