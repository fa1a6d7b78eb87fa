/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SetVfs: virtual functions of a device. */

#include <errno.h>
#include <stdlib.h>

#include "client/lib/lib-private.h"
#include "protocol/names.h"

#define AUTOPROBE (VFIOD_VFS_AUTOPROBE_ON | VFIOD_VFS_AUTOPROBE_OFF)

static int append_flags(sd_bus_message *m, unsigned flags) {
        int r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");

        if (r >= 0 && flags & VFIOD_VFS_RECREATE)
                r = sd_bus_message_append(m, "{sv}", "recreate", "b", true);
        if (r >= 0 && flags & AUTOPROBE)
                r = sd_bus_message_append(m, "{sv}", "autoprobe", "b",
                                          (flags & VFIOD_VFS_AUTOPROBE_ON) != 0);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int set_vfs(vfiod_connection *c, const char *device, uint32_t num_vfs, unsigned flags) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (flags & ~(VFIOD_VFS_RECREATE | AUTOPROBE) || (flags & AUTOPROBE) == AUTOPROBE)
                return -EINVAL;
        r = connection_new_device_call(c, device, "SetVfs", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "u", num_vfs);
        if (r >= 0)
                r = append_flags(m, flags);
        return r < 0 ? r : connection_call(c, m, 0, NULL);
}

int vfiod_set_vfs(vfiod_connection *c, const char *device, uint32_t num_vfs, unsigned flags) {
        connection_begin(c);
        return connection_end(c, set_vfs(c, device, num_vfs, flags));
}
