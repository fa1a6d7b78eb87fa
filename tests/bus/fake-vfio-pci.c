/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The twin of daemon/kernel/vfio-pci.c: writes down what is done to which device. */

#include "daemon/kernel/vfio-pci.h"

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

int pci_reset(const Roots *roots _unused_, const char *device) {
        int r = fake_machine_obey("reset", device);

        if (r >= 0)
                fake_machine_log("reset %s", device);
        return r;
}
