/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Twin of daemon/kernel/sriov.c: a driver that makes as many as it can, and from none only. */

#include "daemon/kernel/sriov.h"

#include <errno.h>

#include "tests/stub/stub.h"

int sriov_set_vfs(const Roots *roots _unused_, const char *name, uint32_t n) {
        StubDevice *device = stub_find_device(name);
        int r = stub_call("numvfs %s %u", name, n);

        if (r < 0)
                return r;
        if (!device)
                return -ENOENT;
        if (n > 0 && device->vfs > 0)
                return n == device->vfs ? 0 : -EBUSY;
        device->vfs = n < device->vfs_most ? n : device->vfs_most;
        return 0;
}

int sriov_count_vfs(const Roots *roots _unused_, const char *name, uint32_t *ret) {
        const StubDevice *device = stub_find_device(name);
        int r = stub_call("count vfs of %s", name);

        if (r < 0)
                return r;
        if (!device)
                return -ENOENT;
        *ret = device->vfs;
        return 0;
}

int sriov_set_autoprobe(const Roots *roots _unused_, const char *name, bool on) {
        StubDevice *device = stub_find_device(name);
        int r = stub_call("autoprobe %s %d", name, on);

        if (r < 0)
                return r;
        if (!device)
                return -ENOENT;
        device->autoprobe = on;
        return 0;
}
