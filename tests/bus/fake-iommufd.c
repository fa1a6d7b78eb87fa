/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The twin of daemon/kernel/iommufd.c: files of the fake machine instead of /dev/iommu and cdevs.
 * What is open, bound and attached is told by locks that go with the last copy of the file that
 * took them (FakeCdevByte). Numbers of objects are given once on a machine, from 1 on.
 */

#include "daemon/kernel/iommufd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

#define ALIGNMENT 4096

void iommufd_read_support(const Roots *roots, IommufdSupport *ret) {
        *ret = (IommufdSupport){
                .iommufd = faccessat(roots->dev_fd, "iommu", F_OK, 0) >= 0,
                .cdevs = fake_machine_obey("cdevs", "any") >= 0,
                .cdevs_known = true,
        };
}

/* Owns the path. */
static int open_file(char *path) {
        _cleanup_free_ char *owned = path;
        int fd = open(owned, O_RDWR | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int iommufd_open(const Roots *roots _unused_) {
        int r = fake_machine_obey("open-iommufd", "any");
        int fd = r < 0 ? r : open_file(fake_machine_path("dev/iommu"));

        if (fd >= 0)
                fake_machine_log("open an iommufd");
        return fd;
}

/* The file of objects is as long as there are. */
static uint32_t next_object(void) {
        _cleanup_free_ char *path = fake_machine_path("objects");
        _cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

        if (fd < 0 || write(fd, ".", 1) != 1)
                abort();
        return (uint32_t)lseek(fd, 0, SEEK_END);
}

int iommufd_alloc_ioas(int iommufd, uint32_t *ret_ioas) {
        int r = fake_machine_obey("alloc-ioas", "any");

        if (r < 0)
                return r;
        *ret_ioas = next_object();
        if (!fake_machine_lock(iommufd, *ret_ioas, false))
                return -EBADF;
        fake_machine_log("allocate an IOAS");
        return 0;
}

static bool is_ioas(uint32_t number) {
        _cleanup_close_ int fd = open_file(fake_machine_path("dev/iommu"));

        return number > 0 && fd >= 0 && fake_machine_is_locked(fd, number);
}

int iommufd_read_iovas(int iommufd _unused_, uint32_t ioas, IovaRange **ret, size_t *ret_n,
                       uint64_t *ret_alignment) {
        static const IovaRange ranges[] = {{0, 0xfedfffff}, {0xfef00000, 0xffffffffffff}};
        int r = fake_machine_obey("read-iovas", "any");

        if (r < 0 || !is_ioas(ioas))
                return r < 0 ? r : -ENOENT;
        *ret = malloc(sizeof(ranges));
        if (!*ret)
                return -ENOMEM;
        memcpy(*ret, ranges, sizeof(ranges));
        *ret_n = ELEMENTS(ranges);
        *ret_alignment = ALIGNMENT;
        fake_machine_log("read the IOVA ranges of the IOAS");
        return 0;
}

int cdev_open(const Roots *roots _unused_, const char *bus _unused_, const char *device) {
        int r = fake_machine_obey("open-cdev", device);
        _cleanup_close_ int fd = r < 0 ? r : open_file(fake_machine_cdev(device));

        if (fd < 0)
                return fd == -ENOENT ? -ENODEV : TAKE_FD(fd);
        if (!fake_machine_lock(fd, FAKE_CDEV_OPEN, true))
                return -EBUSY;
        fake_machine_log("open cdev %s", device);
        return TAKE_FD(fd);
}

/* By this very file. */
static bool is_bound(int cdev, const char *device) {
        return fake_machine_cdev_is(device, FAKE_CDEV_BOUND) &&
               !fake_machine_is_locked(cdev, FAKE_CDEV_BOUND);
}

int cdev_bind(int cdev, int iommufd, uint32_t *ret_device_id) {
        _cleanup_free_ char *device = cdev < 0 || iommufd < 0 ? NULL : fake_machine_read(cdev);
        int r = device ? fake_machine_obey("bind-cdev", device) : -EBADF;

        if (r < 0)
                return r;
        if (fake_machine_group_is_open(fake_machine_group(device)))
                return -EBUSY;
        if (fake_machine_cdev_is(device, FAKE_CDEV_BOUND) ||
            !fake_machine_lock(cdev, FAKE_CDEV_BOUND, false))
                return -EINVAL;
        *ret_device_id = next_object();
        fake_machine_log("bind cdev %s to the iommufd", device);
        return 0;
}

int cdev_attach(int cdev, uint32_t pt) {
        _cleanup_free_ char *device = cdev < 0 ? NULL : fake_machine_read(cdev);
        int r = device ? fake_machine_obey("attach-cdev", device) : -EBADF;

        if (r < 0)
                return r;
        if (!is_bound(cdev, device))
                return -EINVAL;
        if (!is_ioas(pt))
                return -ENOENT;
        if (!fake_machine_lock(cdev, FAKE_CDEV_ATTACHED, false))
                return -EBUSY;
        fake_machine_log("attach %s to the IOAS", device);
        return 0;
}

int cdev_detach(int cdev) {
        _cleanup_free_ char *device = cdev < 0 ? NULL : fake_machine_read(cdev);
        int r = device ? fake_machine_obey("detach-cdev", device) : -EBADF;

        if (r < 0)
                return r;
        if (!is_bound(cdev, device))
                return -EINVAL;
        fake_machine_unlock(cdev, FAKE_CDEV_ATTACHED);
        fake_machine_log("detach %s from its IOAS", device);
        return 0;
}
