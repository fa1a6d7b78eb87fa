/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The twin of daemon/kernel/vfio-pci.c: writes down what is done to which device. */

#include "daemon/kernel/vfio-pci.h"

#include <stdlib.h>

#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

static int obey(const char *what, int fd) {
        _cleanup_free_ char *device = fake_machine_read(fd);
        int r = fake_machine_obey(what, device);

        if (r >= 0)
                fake_machine_log("%s %s", what, device);
        return r;
}

int vfio_pci_request(int device) {
        return obey("request", device);
}

int vfio_pci_quiesce(int device, uint16_t *ret_command) {
        *ret_command = 6;
        return obey("quiesce", device);
}

int vfio_pci_restore(int device, uint16_t command _unused_) {
        return obey("restore", device);
}

int vfio_device_reset(int device) {
        return obey("reset", device);
}

int vfio_pci_hot_reset(int device, const int *groups, size_t n_groups) {
        _cleanup_free_ char *names = strdup("");

        for (size_t i = 0; i < n_groups; i++) {
                _cleanup_free_ char *group = fake_machine_read(groups[i]);

                (void)string_append(&names, " %s", group);
        }
        fake_machine_log("hot reset with groups%s", names);
        return obey("reset", device);
}

int pci_set_reset_method(const Roots *roots _unused_, const char *device, const char *methods) {
        int r = fake_machine_obey("reset-method", device);

        if (r < 0)
                return r;
        fake_machine_set_attribute(device, "reset_method", methods);
        fake_machine_log("set reset_method of %s to %s", device, methods);
        return 0;
}

int pci_reset(const Roots *roots _unused_, const char *device) {
        int r = fake_machine_obey("reset", device);

        if (r >= 0)
                fake_machine_log("reset %s", device);
        return r;
}
