/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Twin of daemon/kernel/iommufd.c: a cdev is opened by whoever wants, bound by one file of it, to
 * one iommufd for the whole group, and not while the group is open (drivers/vfio/device_cdev.c,
 * drivers/iommu/iommufd/device.c). It stays bound until the last copy of that file is closed, also
 * the one of a stub->holders[].
 */

#include "daemon/kernel/iommufd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "tests/stub/stub.h"

void iommufd_read_support(const Roots *roots _unused_, IommufdSupport *ret) {
        *ret = (IommufdSupport){.iommufd = true, .cdevs = true, .cdevs_known = true};
}

int iommufd_open(const Roots *roots _unused_) {
        int r = stub_call("open iommufd");

        return r < 0 ? r : stub_open("iommufd", 0);
}

static StubFile *find_iommufd(int fd) {
        StubFile *file = stub_file(fd);

        return file && strcmp(file->what, "iommufd") == 0 ? file : NULL;
}

static StubFile *find_cdev(int fd) {
        StubFile *file = stub_file(fd);

        return file && string_after(file->what, "cdev ") ? file : NULL;
}

static const char *name_of(const StubFile *file) {
        return file ? file->what : "no file";
}

int iommufd_alloc_ioas(int iommufd, uint32_t *ret_ioas) {
        StubFile *file = find_iommufd(iommufd);
        int r = stub_call("allocate ioas");

        if (r < 0)
                return r;
        if (!file || file->ioas)
                return -EBADF;
        file->ioas = ++file->objects;
        *ret_ioas = file->ioas;
        return 0;
}

int iommufd_read_iovas(int iommufd, uint32_t ioas, IovaRange **ret, size_t *ret_n,
                       uint64_t *ret_alignment) {
        static const IovaRange ranges[] = {{0, 0xfedfffff}, {0xfef00000, 0xffffffffffff}};
        const StubFile *file = find_iommufd(iommufd);
        int r = stub_call("read iovas of ioas %u", ioas);

        if (r < 0)
                return r;
        if (!file)
                return -EBADF;
        if (ioas == 0 || file->ioas != ioas)
                return -ENOENT;
        *ret = malloc(sizeof(ranges));
        if (!*ret)
                return -ENOMEM;
        memcpy(*ret, ranges, sizeof(ranges));
        *ret_n = ELEMENTS(ranges);
        *ret_alignment = STUB_ALIGNMENT;
        return 0;
}

int cdev_open(const Roots *roots _unused_, const char *bus _unused_, const char *device) {
        const StubDevice *known = stub_find_device(device);
        char what[STUB_NAME];
        int r = stub_call("open cdev %s", device);

        if (r < 0)
                return r;
        if (!known || !strstr(known->driver, "vfio"))
                return -ENODEV;
        (void)snprintf(what, sizeof(what), "cdev %s", device);
        return stub_open(what, known->group);
}

/* A holder has a copy of the file, or a bound one of its own. */
static bool is_kept(const StubFile *file) {
        for (size_t i = 0; i < stub->n_holders; i++)
                if (!stub->holders[i].gone && stub->holders[i].file == file->inode)
                        return true;
        return stub_is_open(file);
}

/* The bound file of the group's devices, or of one of them. */
static const StubFile *find_bound(uint32_t group, const char *what) {
        for (size_t i = 0; i < stub->n_files; i++) {
                const StubFile *file = &stub->files[i];

                if (file->bound && file->group == group &&
                    (!what || strcmp(file->what, what) == 0) && is_kept(file))
                        return file;
        }
        return NULL;
}

static bool has_bound_itself(uint32_t group) {
        for (size_t i = 0; i < stub->n_holders; i++) {
                const StubHolder *holder = &stub->holders[i];

                if (!holder->gone && holder->bound && holder->hold.group == group)
                        return true;
        }
        return false;
}

bool stub_has_bound_cdev(uint32_t group) {
        return find_bound(group, NULL) || has_bound_itself(group);
}

static int check_bind(const StubFile *file, const StubFile *into) {
        const StubFile *sibling = find_bound(file->group, NULL);
        char group[STUB_NAME];

        (void)snprintf(group, sizeof(group), "group %u", file->group);
        if (stub_find_open(group))
                return -EBUSY;
        if (find_bound(file->group, file->what) || has_bound_itself(file->group))
                return -EINVAL;
        return sibling && sibling->bound != into->inode ? -EPERM : 0;
}

/* The first use of the device resets it. */
static void bind(StubFile *file, const StubFile *into) {
        StubDevice *device = stub_find_device(string_after(file->what, "cdev "));

        file->bound = into->inode;
        if (device)
                device->quiet = false;
}

int cdev_bind(int cdev, int iommufd, uint32_t *ret_device_id) {
        StubFile *file = find_cdev(cdev), *into = find_iommufd(iommufd);
        int r = stub_call("bind %s", name_of(file));

        if (r < 0)
                return r;
        if (!file || !into)
                return -EBADF;
        r = check_bind(file, into);
        if (r < 0)
                return r;
        bind(file, into);
        *ret_device_id = ++into->objects;
        return 0;
}

static const StubFile *iommufd_of(const StubFile *cdev) {
        for (size_t i = 0; i < stub->n_files; i++)
                if (cdev->bound && stub->files[i].inode == cdev->bound)
                        return &stub->files[i];
        return NULL;
}

int cdev_attach(int cdev, uint32_t pt) {
        StubFile *file = find_cdev(cdev);
        const StubFile *into = file ? iommufd_of(file) : NULL;
        int r = stub_call("attach %s to ioas %u", name_of(file), pt);

        if (r < 0)
                return r;
        if (!into)
                return file ? -EINVAL : -EBADF;
        if (pt == 0 || into->ioas != pt)
                return -ENOENT;
        file->attached = pt;
        return 0;
}

int cdev_detach(int cdev) {
        StubFile *file = find_cdev(cdev);
        int r = stub_call("detach %s", name_of(file));

        if (r < 0)
                return r;
        if (!file || !file->bound)
                return file ? -EINVAL : -EBADF;
        file->attached = 0;
        return 0;
}
