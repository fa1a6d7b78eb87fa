/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The twin of daemon/kernel/driver.c: the same calls, done to the fake machine. */

#include "daemon/kernel/driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

static bool device_exists(const char *device) {
        _cleanup_free_ char *path = fake_machine_path("sys/devices/%s", device);

        return access(path, F_OK) == 0;
}

int driver_set_override(const Roots *roots _unused_, const char *bus _unused_, const char *device,
                        const char *override) {
        int r = fake_machine_obey("override", device);

        if (r < 0)
                return r;
        if (!device_exists(device))
                return -ENOENT;
        fake_machine_set_override(device, override);
        if (string_is_empty(override))
                fake_machine_log("clear driver_override of %s", device);
        else
                fake_machine_log("set driver_override of %s to %s", device, override);
        return 0;
}

int driver_unbind(const Roots *roots _unused_, const char *bus _unused_, const char *device,
                  const char *driver) {
        int r = fake_machine_obey("unbind", device);

        if (r < 0)
                return r;
        if (!device_exists(device))
                return -ENODEV;
        r = fake_machine_unbind(device, driver);
        if (r >= 0)
                fake_machine_log("unbind %s from %s", device, driver);
        return r;
}

int driver_bind(const Roots *roots _unused_, const char *bus _unused_, const char *device,
                const char *driver) {
        int r = fake_machine_obey("bind", device);

        if (r < 0)
                return r;
        if (!device_exists(device))
                return -ENODEV;
        r = fake_machine_bind(device, driver);
        if (r >= 0)
                fake_machine_log("bind %s to %s", device, driver);
        return r;
}

int driver_probe(const Roots *roots _unused_, const char *bus _unused_, const char *device) {
        _cleanup_free_ char *path = fake_machine_path("natural/%s", device);
        _cleanup_free_ char *override = fake_machine_override(device);
        int r = fake_machine_obey("probe", device);
        char driver[64] = "";
        FILE *file;

        if (r < 0)
                return r;
        file = fopen(path, "re");
        if (file) {
                if (!fgets(driver, sizeof(driver), file))
                        driver[0] = '\0';
                (void)fclose(file);
        }
        fake_machine_log("let the kernel find a driver for %s", device);
        if (override[0])
                (void)fake_machine_bind(device, override);
        else if (driver[0])
                (void)fake_machine_bind(device, driver);
        return 0;
}

int driver_read(const Roots *roots _unused_, const char *bus _unused_, const char *device,
                char **ret) {
        if (!device_exists(device))
                return -ENOENT;
        *ret = fake_machine_driver(device);
        return 0;
}

bool driver_is_vfio(const Roots *roots _unused_, const char *bus _unused_, const char *device) {
        _cleanup_free_ char *path = fake_machine_path("sys/devices/%s/vfio-dev", device);

        return access(path, F_OK) == 0;
}
