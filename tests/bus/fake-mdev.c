/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The twin of daemon/kernel/mdev.c. */

#include "daemon/kernel/mdev.h"

#include <errno.h>
#include <unistd.h>

#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

int mdev_create(const Roots *roots _unused_, const char *parent, const char *type,
                const char *uuid) {
        int r = fake_machine_obey("create-mdev", type);

        if (r >= 0)
                r = fake_machine_create_mdev(parent, type, uuid);
        if (r >= 0)
                fake_machine_log("make %s of type %s on %s", uuid, type, parent);
        return r;
}

/* As the kernel does, waits for as long as somebody has it open. */
int mdev_remove(const Roots *roots _unused_, const char *uuid) {
        _cleanup_free_ char *path = fake_machine_path("sys/bus/mdev/devices/%s", uuid);
        int r = fake_machine_obey("remove-mdev", uuid);

        if (r < 0)
                return r;
        if (access(path, F_OK) < 0)
                return -ENOENT;
        r = fake_machine_remove_mdev(uuid);
        if (r >= 0)
                fake_machine_log("remove %s", uuid);
        return r;
}
