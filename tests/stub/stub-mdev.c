/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Twin of daemon/kernel/mdev.c: devices come and go as others do; one that is open is not removed.
 */

#include "daemon/kernel/mdev.h"

#include <assert.h>
#include <errno.h>

#include "daemon/util/string.h"
#include "tests/stub/stub.h"

#define GROUP 77U

int mdev_create(const Roots *roots _unused_, const char *parent, const char *type,
                const char *uuid) {
        int r = stub_call("create %s of %s on %s", uuid, type, parent);

        if (r < 0)
                return r;
        if (stub_find_device(uuid))
                return -EEXIST;
        (void)stub_add_device(uuid, GROUP, "mtty", NULL);
        return 0;
}

int mdev_remove(const Roots *roots _unused_, const char *uuid) {
        StubDevice *device = stub_find_device(uuid);
        int r = stub_call("remove %s", uuid);

        if (r < 0)
                return r;
        if (!device)
                return -ENOENT;
        assert(!stub_is_held(device->group, hold_keeps_device));
        stub_remove_device(device);
        return 0;
}
