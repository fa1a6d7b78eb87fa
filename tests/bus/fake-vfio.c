/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The twin of daemon/kernel/vfio.c: files of the fake machine instead of VFIO's. A group that is
 * open is locked for good, a device that is open is locked shared; a lock goes with the last copy
 * of the file, wherever that is, as VFIO's own bookkeeping does. What is not here cannot be had:
 * nothing is mapped, and no ioctl works on these files.
 */

#include "daemon/kernel/vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon/kernel/enumerate.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

static int open_file(char *path) {
        _cleanup_free_ char *owned = path;
        int fd = open(owned, O_RDWR | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static char **members_of(uint32_t group) {
        _cleanup_free_ char *path = fake_machine_path("sys");
        Roots roots = ROOTS_NULL;
        char **members = NULL;

        roots.sys_fd = open(path, O_DIRECTORY | O_CLOEXEC | O_RDONLY);
        if (enumerate_members(&roots, group, &members) < 0)
                abort();
        fd_close(roots.sys_fd);
        return members;
}

static bool any_device_is_in_use(uint32_t group) {
        _cleanup_strv_ char **members = members_of(group);

        for (char **member = members; member && *member; member++)
                if (fake_machine_device_is_in_use(*member))
                        return true;
        return false;
}

/* The file of a group says which. */
static uint32_t group_of(int fd) {
        _cleanup_free_ char *number = fake_machine_read(fd);

        return (uint32_t)strtoul(number, NULL, 10);
}

static int obey_group(const char *what, uint32_t group) {
        char number[16];

        (void)snprintf(number, sizeof(number), "%u", group);
        return fake_machine_obey(what, number);
}

int vfio_open_container(const Roots *roots _unused_) {
        int r = fake_machine_obey("open-container", "any"), fd;

        if (r < 0)
                return r;
        fd = open_file(fake_machine_path("dev/vfio/vfio"));
        fake_machine_log("open a container");
        return fd;
}

int vfio_container_set_iommu(int container _unused_, int type) {
        int r = fake_machine_obey("set-iommu", "any");

        if (r >= 0)
                fake_machine_log("set the container's IOMMU to %s",
                                 type == VFIO_NOIOMMU_IOMMU ? "NOIOMMU" : "TYPE1v2");
        return r;
}

int vfio_open_group(const Roots *roots _unused_, uint32_t group, bool no_iommu) {
        int r = obey_group("open-group", group);
        _cleanup_close_ int fd =
                r < 0 ? r
                      : open_file(fake_machine_path("dev/vfio/%s%u", no_iommu ? "noiommu-" : "",
                                                    group));

        if (fd < 0)
                return TAKE_FD(fd);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0 || any_device_is_in_use(group))
                return -EBUSY;
        fake_machine_log("open group %u%s", group, no_iommu ? ", which has no IOMMU" : "");
        return TAKE_FD(fd);
}

int vfio_group_is_viable(int group, bool *ret) {
        uint32_t number = group_of(group);
        _cleanup_strv_ char **members = members_of(number);

        *ret = obey_group("viable", number) >= 0;
        for (char **member = members; member && *member; member++) {
                _cleanup_free_ char *driver = fake_machine_driver(*member);

                if (driver[0] && !strstr(driver, "vfio") && strcmp(driver, "pci-stub") != 0 &&
                    strcmp(driver, "pcieport") != 0)
                        *ret = false;
        }
        return 0;
}

int vfio_group_set_container(int group, int container _unused_) {
        uint32_t number = group_of(group);
        int r = obey_group("set-container", number);

        if (r >= 0)
                fake_machine_log("put group %u into the container", number);
        return r;
}

int vfio_group_unset_container(int group) {
        uint32_t number = group_of(group);
        int r = obey_group("unset-container", number);

        if (r >= 0 && any_device_is_in_use(number))
                r = -EBUSY;
        if (r >= 0)
                fake_machine_log("take group %u out of the container", number);
        return r;
}

bool vfio_is_device(int fd) {
        _cleanup_free_ char *link = string_format("/proc/self/fd/%d", fd);
        char path[256] = "";

        return link && readlink(link, path, sizeof(path) - 1) > 0 && strstr(path, "/dev/device/");
}

int vfio_group_get_device(int group, const char *device) {
        int r = fake_machine_obey("get-device", device);
        _cleanup_close_ int fd = r < 0 ? r : open_file(fake_machine_path("dev/device/%s", device));

        if (fd < 0)
                return fd == -ENOENT ? -ENODEV : TAKE_FD(fd);
        if (flock(fd, LOCK_SH | LOCK_NB) < 0)
                return -EBUSY;
        fake_machine_log("open device %s of group %u", device, group_of(group));
        return TAKE_FD(fd);
}
