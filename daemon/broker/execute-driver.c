/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps on a device's driver, and the module that it is in. */

#include "daemon/broker/execute-private.h"

#include <errno.h>

#include "daemon/kernel/driver.h"
#include "daemon/kernel/module.h"
#include "daemon/util/string.h"

int run_load_module(const Run *run, const Step *step) {
        int r = module_load(run->roots, step->module);

        return step->optional ? 0 : r;
}

/* -ENODEV: somebody was quicker; fine as long as nobody has it now. */
int run_unbind(const Run *run, const Step *step) {
        _cleanup_free_ char *driver = NULL;
        int r, q;

        r = driver_unbind(run->roots, step->bus, step->device, step->driver);
        if (r != -ENODEV && r != -ENOENT)
                return r;
        q = driver_read(run->roots, step->bus, step->device, &driver);
        if (q < 0)
                return q;
        return string_is_empty(driver) ? 0 : -EBUSY;
}

static int bind_vfio_to(const Run *run, const Step *step, const char *driver) {
        int r = driver_bind(run->roots, step->bus, step->device, driver);

        if (r < 0)
                return r;
        if (driver_is_vfio(run->roots, step->bus, step->device))
                return 0;
        (void)driver_unbind(run->roots, step->bus, step->device, driver);
        return -ENODEV;
}

int run_bind_vfio(const Run *run, const Step *step) {
        int r, q;

        r = bind_vfio_to(run, step, step->driver);
        if (r >= 0 || !step->fallback)
                return r;
        q = driver_set_override(run->roots, step->bus, step->device, step->fallback);
        return q < 0 ? q : bind_vfio_to(run, step, step->fallback);
}

/*
 * The recorded driver, or whichever the kernel finds when that one is not there any more. When
 * nothing was recorded, ending up with no driver is how it is on a machine that has none for the
 * device.
 */
int run_bind_host(const Run *run, const Step *step) {
        _cleanup_free_ char *driver = NULL;
        int r, q;

        r = step->driver ? driver_bind(run->roots, step->bus, step->device, step->driver) : -ENOENT;
        if (r >= 0)
                return 0;
        q = driver_probe(run->roots, step->bus, step->device);
        if (q < 0)
                return step->driver ? r : q;
        q = driver_read(run->roots, step->bus, step->device, &driver);
        if (q < 0)
                return q;
        return string_is_empty(driver) && step->driver ? r : 0;
}

static int bind_under(const Run *run, const Step *step, const char *override) {
        int r = driver_set_override(run->roots, step->bus, step->device, override);

        return r < 0 ? r : driver_bind(run->roots, step->bus, step->device, step->driver);
}

/*
 * Back to `driver` under the override that was in force before the plan: the other would keep it
 * off. So would that one if somebody wrote it while the device was on the driver; then it is put
 * back afterwards.
 */
int undo_unbind(const Run *run, const Step *step) {
        int r = bind_under(run, step, step->override_old), q;

        if (r != -ENODEV || string_is_empty(step->override_old) ||
            string_equal(step->override_old, step->driver))
                return r;
        r = bind_under(run, step, step->driver);
        q = driver_set_override(run->roots, step->bus, step->device, step->override_old);
        return r < 0 ? r : q;
}

/* Whichever driver it ended up with: the fallback, or one that the kernel chose. */
int undo_bind(const Run *run, const Step *step) {
        _cleanup_free_ char *driver = NULL;
        int r = driver_read(run->roots, step->bus, step->device, &driver);

        if (r < 0 || string_is_empty(driver))
                return r;
        return driver_unbind(run->roots, step->bus, step->device, driver);
}
