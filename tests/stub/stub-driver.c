/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Twin of daemon/kernel/driver.c: overrides and drivers as the driver core treats them. */

#include "daemon/kernel/driver.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/string.h"
#include "tests/stub/stub.h"

static void set(char *field, const char *value) {
        (void)snprintf(field, STUB_NAME, "%s", string_or_empty(value));
}

int driver_set_override(const Roots *roots _unused_, const char *bus _unused_, const char *name,
                        const char *override) {
        StubDevice *device = stub_find_device(name);
        int r = stub_call("override %s '%s'", name, string_or_empty(override));

        if (r < 0)
                return r;
        if (!device)
                return -ENOENT;
        set(device->override, override);
        return 0;
}

/* The kernel would not come back: the worst that vfiod could do. */
static bool would_hang(const StubDevice *device) {
        _cleanup_free_ char *file = string_format("device %s", device->name);
        _cleanup_free_ char *cdev = string_format("cdev %s", device->name);

        if (!strstr(device->driver, "vfio"))
                return false;
        if (stub_find_open(file) || stub_find_open(cdev))
                return true;
        for (size_t i = 0; i < stub->n_holders; i++) {
                const StubHolder *holder = &stub->holders[i];

                if (!holder->gone && hold_keeps_device(holder->hold.kind) &&
                    strcmp(holder->hold.device, device->name) == 0)
                        return true;
        }
        return false;
}

int driver_unbind(const Roots *roots _unused_, const char *bus _unused_, const char *name,
                  const char *driver) {
        StubDevice *device = stub_find_device(name);
        int r = stub_call("unbind %s from %s", name, driver);

        if (r < 0)
                return r;
        if (!device || strcmp(device->driver, driver) != 0)
                return -ENODEV;
        assert(!would_hang(device));
        set(device->driver, "");
        return 0;
}

static int bind(StubDevice *device, const char *driver) {
        if (string_equal(driver, stub->missing_driver))
                return -ENOENT;
        if (device->driver[0])
                return -EBUSY;
        if (device->override[0] ? strcmp(device->override, driver) != 0
                                : strcmp(device->native, driver) != 0)
                return -ENODEV;
        if (strcmp(device->refuses, driver) == 0)
                return -EINVAL;
        set(device->driver, driver);
        return 0;
}

int driver_bind(const Roots *roots _unused_, const char *bus _unused_, const char *name,
                const char *driver) {
        StubDevice *device = stub_find_device(name);
        int r = stub_call("bind %s to %s", name, driver);

        if (r < 0)
                return r;
        return device ? bind(device, driver) : -ENODEV;
}

int driver_probe(const Roots *roots _unused_, const char *bus _unused_, const char *name) {
        StubDevice *device = stub_find_device(name);
        int r = stub_call("probe %s", name);

        if (r < 0)
                return r;
        if (!device)
                return -ENODEV;
        if (!device->driver[0])
                (void)bind(device, device->override[0] ? device->override : device->native);
        return 0;
}

int driver_read(const Roots *roots _unused_, const char *bus _unused_, const char *name,
                char **ret) {
        const StubDevice *device = stub_find_device(name);
        int r = stub_call("driver of %s", name);

        if (r < 0)
                return r;
        if (!device)
                return -ENOENT;
        *ret = strdup(device->driver);
        return *ret ? 0 : -ENOMEM;
}

bool driver_is_vfio(const Roots *roots _unused_, const char *bus _unused_, const char *name) {
        const StubDevice *device = stub_find_device(name);

        return stub_call("is %s on vfio", name) >= 0 && device && strstr(device->driver, "vfio");
}
