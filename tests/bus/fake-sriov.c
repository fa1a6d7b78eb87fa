/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The twin of daemon/kernel/sriov.c: a driver that makes 3 functions at most, each in a group of
 * its own from 40 on, on the same driver where that is let to probe.
 */

#include "daemon/kernel/sriov.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

#define MOST 3
#define FIRST_GROUP 40U

/* "0000:02:10.1" of "0000:02:00.0". */
static char *name_of(const char *device, uint32_t i) {
        return string_format("%.8s10.%u", device, i);
}

static uint32_t attribute(const char *device, const char *name) {
        _cleanup_free_ char *text = fake_machine_attribute(device, name);

        return (uint32_t)strtoul(text, NULL, 10);
}

static void set_attribute(const char *device, const char *name, uint32_t number) {
        _cleanup_free_ char *text = string_format("%u\n", number);

        fake_machine_set_attribute(device, name, text);
}

static void make_function(const char *device, uint32_t i) {
        _cleanup_free_ char *name = name_of(device, i), *driver = fake_machine_driver(device);

        fake_machine_add(&(FakeDevice){
                .name = name,
                .group = FIRST_GROUP + i,
                .driver = attribute(device, "sriov_drivers_autoprobe") ? driver : NULL,
                .vendor = 0x144d,
                .device = 0xa824,
                .class_code = 0x010802,
                .physical = device,
        });
        fake_machine_announce("add", name);
}

static void remove_function(const char *device, uint32_t i) {
        _cleanup_free_ char *name = name_of(device, i), *driver = fake_machine_driver(name);

        if (driver[0])
                (void)fake_machine_unbind(name, driver);
        fake_machine_remove(name);
        fake_machine_announce("remove", name);
}

/* A fault of another number does not count, so that an undo may succeed where the step has not. */
static int obey(const char *device, uint32_t n) {
        _cleanup_free_ char *subject = string_format("%s %u", device, n);

        return fake_machine_obey("vfs", subject);
}

int sriov_set_vfs(const Roots *roots _unused_, const char *device, uint32_t n) {
        uint32_t present = attribute(device, "sriov_numvfs");
        int r = obey(device, n);

        if (r < 0)
                return r;
        if (n > 0 && present > 0)
                return n == present ? 0 : -EBUSY;
        fake_machine_log("set sriov_numvfs of %s to %u", device, n);
        n = n < MOST ? n : MOST;
        for (uint32_t i = present; i < n; i++)
                make_function(device, i);
        for (uint32_t i = present; i > n; i--)
                remove_function(device, i - 1);
        set_attribute(device, "sriov_numvfs", n);
        return 0;
}

int sriov_count_vfs(const Roots *roots _unused_, const char *device, uint32_t *ret) {
        *ret = attribute(device, "sriov_numvfs");
        return 0;
}

int sriov_set_autoprobe(const Roots *roots _unused_, const char *device, bool on) {
        int r = fake_machine_obey("autoprobe", device);

        if (r < 0)
                return r;
        set_attribute(device, "sriov_drivers_autoprobe", on);
        fake_machine_log("set sriov_drivers_autoprobe of %s to %d", device, on);
        return 0;
}
