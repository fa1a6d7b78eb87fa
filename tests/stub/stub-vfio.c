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

static bool has_groups(const StubFile *container) {
        for (size_t i = 0; i < stub->n_files; i++)
                if (stub->files[i].container == container->inode)
                        return true;
        return false;
}

static StubFile *container_of_group(const StubFile *group) {
        for (size_t i = 0; group->container && i < stub->n_files; i++)
                if (stub->files[i].inode == group->container)
                        return &stub->files[i];
        return NULL;
}

int vfio_container_set_iommu(int container, int type) {
        StubFile *file = stub_file(container);
        int r = stub_call("set iommu %d", type);

        if (r < 0)
                return r;
        if (!file)
                return -EBADF;
        if (file->iommu || !has_groups(file))
                return -EINVAL;
        file->iommu = true;
        return 0;
}

/* An open cdev does not; a bound one does. */
static bool keeps_group(HoldKind kind) {
        return kind != HOLD_CDEV && (kind == HOLD_GROUP || hold_keeps_device(kind));
}

int vfio_open_group(const Roots *roots _unused_, uint32_t group, bool no_iommu) {
        char what[STUB_NAME];
        int r = stub_call("open %sgroup %u", no_iommu ? "no-IOMMU " : "", group);

        if (r < 0)
                return r;
        (void)snprintf(what, sizeof(what), "group %u", group);
        if (stub->held_outside || stub_find_open(what) || stub_is_held(group, keeps_group) ||
            stub_has_bound_cdev(group))
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
        return stub_is_held(group, hold_keeps_device);
}

/* With the last group the IOMMU goes too. */
int vfio_group_unset_container(int group) {
        StubFile *file = stub_file(group), *container;
        int r = stub_call("take %s out of container", file ? file->what : "no group");

        if (r < 0)
                return r;
        if (!file || !file->container)
                return -EINVAL;
        if (has_open_device(file->group))
                return -EBUSY;
        container = container_of_group(file);
        file->container = 0;
        if (container && !has_groups(container))
                container->iommu = false;
        return 0;
}

/* The first open of a device resets it. */
static void reset_if_first(const char *what, const char *name) {
        StubDevice *device = stub_find_device(name);

        if (device && !stub_find_open(what) && !stub_is_held(device->group, hold_keeps_device))
                device->quiet = false;
}

int vfio_group_get_device(int group, const char *device) {
        const StubFile *file = stub_file(group), *container;
        char what[STUB_NAME];
        int r = stub_call("open device %s", device);

        if (r < 0)
                return r;
        container = file ? container_of_group(file) : NULL;
        if (!container || !container->iommu)
                return -EINVAL;
        (void)snprintf(what, sizeof(what), "device %s", device);
        reset_if_first(what, device);
        return stub_open(what, file->group);
}
