/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-path.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "daemon/util/string.h"
#include "protocol/names.h"

char *path_of_group(uint32_t number) {
        return string_format(VFIOD_PATH_GROUP "/%u", number);
}

char *path_of_lease(uint32_t id) {
        return string_format(VFIOD_PATH_LEASE "/%u", id);
}

char *path_of_device(const char *name) {
        char *path;

        return sd_bus_path_encode(VFIOD_PATH_DEVICE, name, &path) < 0 ? NULL : path;
}

static int path_to_number(const char *path, const char *prefix, uint32_t *ret) {
        const char *text = string_after(path, prefix);
        uint64_t number;

        /* One path an object: no leading zeros. */
        if (!text || (text[0] == '0' && text[1] != '\0') ||
            string_to_u64(text, UINT32_MAX, &number) < 0)
                return -EINVAL;
        *ret = (uint32_t)number;
        return 0;
}

int path_to_group(const char *path, uint32_t *ret) {
        return path_to_number(path, VFIOD_PATH_GROUP "/", ret);
}

int path_to_lease(const char *path, uint32_t *ret) {
        return path_to_number(path, VFIOD_PATH_LEASE "/", ret);
}

int path_to_device(const char *path, char **ret) {
        int r = sd_bus_path_decode(path, VFIOD_PATH_DEVICE, ret);

        return r <= 0 || !*ret ? -EINVAL : 0;
}
