/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/target.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

bool target_may_be_interface(const char *typed) {
        if (string_is_empty(typed) || strlen(typed) >= IFNAMSIZ || string_equal(typed, ".") ||
            string_equal(typed, ".."))
                return false;
        for (; *typed; typed++)
                if (*typed == '/' || *typed == ':' || isspace((unsigned char)*typed))
                        return false;
        return true;
}

/* Cuts off the last component of a path; false when there is none left to look at. */
static bool path_ascend(char *path) {
        char *slash = strrchr(path, '/');

        if (!slash || slash == path)
                return false;
        *slash = '\0';
        return !string_equal(slash - 1, ".");
}

static bool has_iommu_group(int net_fd, const char *path) {
        _cleanup_free_ char *link = string_format("%s/iommu_group", path);

        return link && faccessat(net_fd, link, F_OK, 0) == 0;
}

/* The device right under the interface: what to name where no ancestor has an IOMMU group. */
static int parent_device(int net_fd, const char *interface, char **ret) {
        _cleanup_free_ char *link = string_format("%s/device", interface);
        char path[PATH_MAX];
        const char *slash;
        ssize_t n;

        if (!link)
                return -ENOMEM;
        n = readlinkat(net_fd, link, path, sizeof(path) - 1);
        path[n < 0 ? 0 : n] = '\0';
        slash = strrchr(path, '/');
        return string_set(ret, n < 0 ? interface : slash ? slash + 1 : path);
}

int target_resolve(int net_fd, const char *typed, char **ret) {
        _cleanup_free_ char *target = NULL;
        char path[PATH_MAX];
        ssize_t n;
        int r;

        if (net_fd < 0 || !target_may_be_interface(typed))
                return string_set(ret, typed);

        /* "../../devices/pci0000:00/0000:00:03.0/virtio0/net/eth0" */
        n = readlinkat(net_fd, typed, path, sizeof(path) - 1);
        if (n < 0)
                return string_set(ret, typed);
        path[n] = '\0';

        while (path_ascend(path))
                if (has_iommu_group(net_fd, path)) {
                        const char *slash = strrchr(path, '/');

                        return string_set(ret, slash ? slash + 1 : path);
                }

        r = parent_device(net_fd, typed, &target);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(target);
        return 0;
}

int targets_resolve(char *const *typed, char ***ret) {
        size_t n = strv_length(typed);
        _cleanup_strv_ char **targets = calloc(n + 1, sizeof(char *));
        _cleanup_close_ int net_fd = -EBADF;
        bool tried = false;

        if (!targets)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                int r;

                if (!tried && target_may_be_interface(typed[i])) {
                        net_fd = open("/sys/class/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                        tried = true;
                }
                r = target_resolve(net_fd, typed[i], &targets[i]);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(targets);
        return 0;
}

int target_to_group(const char *target, uint32_t *ret) {
        const char *number = string_after(target, "group/");
        uint64_t value;

        if (!number || string_to_u64(number, UINT32_MAX, &value) < 0)
                return -EINVAL;
        *ret = (uint32_t)value;
        return 0;
}

int target_to_lease(const char *typed, char **ret) {
        const char *number = string_after(typed, VFIOD_PATH_LEASE "/");
        uint64_t id;

        if (!number)
                number = string_after(typed, "lease/");
        if (!number)
                number = typed;
        if (string_to_u64(number, UINT32_MAX, &id) < 0)
                return -EINVAL;

        *ret = string_format(VFIOD_PATH_LEASE "/%u", (unsigned)id);
        return *ret ? 0 : -ENOMEM;
}
