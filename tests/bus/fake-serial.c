/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The twin of daemon/kernel/udev-serial.c: udev, as an attribute of the device, "udev-serial". Its
 * configuration space, which has no number, is read by the real reader.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/kernel/pci-serial.h"
#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

int pci_known_serial(const char *device, char **ret) {
        char *text = fake_machine_attribute(device, "udev-serial");

        if (string_is_empty(text)) {
                free(text);
                return -ENODATA;
        }
        *ret = text;
        return 0;
}

int pci_ask_serial(const Roots *roots _unused_, const char *device, char **ret) {
        int r = fake_machine_obey("serial", device);

        return r < 0 ? r : pci_known_serial(device, ret);
}
