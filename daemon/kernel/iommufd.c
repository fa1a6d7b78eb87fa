/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/iommufd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/kernel/iommufd-abi.h"
#include "daemon/kernel/sysfs.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define PATH_SIZE 512

/* The kernel gives one range for each gap between reserved regions; it tells when there are more.
 */
#define RANGES_FIRST 16

/* /proc/devices: " 10 misc", "511 vfio", "510 vfio-dev" (drivers/vfio/group.c, device_cdev.c). */
static bool has_chrdev(const char *devices, const char *name) {
        size_t n = strlen(name);

        for (const char *hit = strstr(devices, name); hit; hit = strstr(hit + 1, name))
                if (hit > devices && hit[-1] == ' ' && (hit[n] == '\n' || hit[n] == '\0'))
                        return true;
        return false;
}

void iommufd_read_support(const Roots *roots, IommufdSupport *ret) {
        _cleanup_free_ char *devices = NULL;

        *ret = (IommufdSupport){.iommufd = faccessat(roots->dev_fd, "iommu", F_OK, 0) >= 0};
        if (sysfs_read(roots->proc_fd, "devices", &devices) < 0)
                return;
        ret->cdevs = has_chrdev(devices, "vfio-dev");
        ret->cdevs_known = ret->cdevs || has_chrdev(devices, "vfio");
}

static int set_rlimit_mode(int iommufd) {
        struct iommufd_option option = {
                .size = sizeof(option),
                .option_id = IOMMUFD_OPTION_RLIMIT_MODE,
                .op = IOMMUFD_OPTION_OP_SET,
                .val64 = IOMMUFD_RLIMIT_MODE_PROCESS,
        };

        return ioctl(iommufd, IOMMUFD_OPTION, &option) < 0 ? -errno : 0;
}

int iommufd_open(const Roots *roots) {
        _cleanup_close_ int fd = openat(roots->dev_fd, "iommu", O_RDWR | O_CLOEXEC);
        int r = fd < 0 ? -errno : set_rlimit_mode(fd);

        return r < 0 ? r : TAKE_FD(fd);
}

int iommufd_alloc_ioas(int iommufd, uint32_t *ret_ioas) {
        struct iommufd_ioas_alloc alloc = {.size = sizeof(alloc)};

        if (ioctl(iommufd, IOMMUFD_IOAS_ALLOC, &alloc) < 0)
                return -errno;
        *ret_ioas = alloc.out_ioas_id;
        return 0;
}

int iommufd_read_iovas(int iommufd, uint32_t ioas, IovaRange **ret, size_t *ret_n,
                       uint64_t *ret_alignment) {
        _cleanup_free_ struct iommufd_iova_range *ranges = NULL;
        struct iommufd_iova_ranges query = {
                .size = sizeof(query), .ioas_id = ioas, .num_iovas = RANGES_FIRST};
        int r;

        do {
                free(ranges);
                ranges = calloc(query.num_iovas + 1, sizeof(*ranges));
                if (!ranges)
                        return -ENOMEM;
                query.allowed_iovas = (uintptr_t)ranges;
                r = ioctl(iommufd, IOMMUFD_IOAS_IOVA_RANGES, &query) < 0 ? -errno : 0;
        } while (r == -EMSGSIZE);
        if (r < 0)
                return r;
        *ret = calloc(query.num_iovas + 1, sizeof(IovaRange));
        if (!*ret)
                return -ENOMEM;
        for (size_t i = 0; i < query.num_iovas; i++)
                (*ret)[i] = (IovaRange){.first = ranges[i].start, .last = ranges[i].last};
        *ret_n = query.num_iovas;
        *ret_alignment = query.out_iova_alignment;
        return 0;
}

/* "vfio3", from bus/pci/devices/DEVICE/vfio-dev/vfio3. */
static int read_cdev_name(const Roots *roots, const char *bus, const char *device, char **ret) {
        _cleanup_strv_ char **names = NULL;
        char path[PATH_SIZE];
        int r;

        (void)snprintf(path, sizeof(path), "bus/%s/devices/%s/vfio-dev", bus, device);
        r = sysfs_list(roots->sys_fd, path, &names);
        if (r < 0)
                return r;
        if (!names || !names[0])
                return -ENODEV;
        *ret = strdup(names[0]);
        return *ret ? 0 : -ENOMEM;
}

/* Numbers of nodes are given again: what was opened must still be the device that was meant. */
static int check_node(const Roots *roots, const char *bus, const char *device, const char *name,
                      int fd) {
        _cleanup_free_ char *text = NULL;
        unsigned major, minor;
        char path[PATH_SIZE];
        struct stat status;
        int r;

        (void)snprintf(path, sizeof(path), "bus/%s/devices/%s/vfio-dev/%s/dev", bus, device, name);
        r = sysfs_read(roots->sys_fd, path, &text);
        if (r < 0)
                return r;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (sscanf(text, "%u:%u", &major, &minor) != 2 || !S_ISCHR(status.st_mode) ||
            status.st_rdev != makedev(major, minor))
                return -ENODEV;
        return 0;
}

int cdev_open(const Roots *roots, const char *bus, const char *device) {
        _cleanup_free_ char *name = NULL;
        _cleanup_close_ int fd = -EBADF;
        char path[PATH_SIZE];
        int r = read_cdev_name(roots, bus, device, &name);

        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "vfio/devices/%s", name);
        fd = openat(roots->dev_fd, path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = check_node(roots, bus, device, name, fd);
        return r < 0 ? r : TAKE_FD(fd);
}

int cdev_bind(int cdev, int iommufd, uint32_t *ret_device_id) {
        struct cdev_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};

        if (ioctl(cdev, CDEV_BIND_IOMMUFD, &bind) < 0)
                return -errno;
        *ret_device_id = bind.out_devid;
        return 0;
}

int cdev_attach(int cdev, uint32_t pt) {
        struct cdev_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = pt};

        return ioctl(cdev, CDEV_ATTACH_IOMMUFD_PT, &attach) < 0 ? -errno : 0;
}

int cdev_detach(int cdev) {
        struct cdev_detach_iommufd_pt detach = {.argsz = sizeof(detach)};

        return ioctl(cdev, CDEV_DETACH_IOMMUFD_PT, &detach) < 0 ? -errno : 0;
}
