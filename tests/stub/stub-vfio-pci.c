/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Twin of daemon/kernel/vfio-pci.c: every device has a command register, 6 unless it is quiet. It
 * is of the device, not of the file: whoever else has the device open feels it too. */

#include "daemon/kernel/vfio-pci.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/util/string.h"
#include "tests/stub/stub.h"

#define COMMAND 6

static const char *name_of(int device) {
        const StubFile *file = stub_file(device);

        return file ? file->what : "no device";
}

/* With a cdev that is not bound nothing can be done. */
static StubDevice *device_of(int device) {
        const StubFile *file = stub_file(device);
        const char *name = string_after(name_of(device), "device ");

        if (!name && file && file->bound)
                name = string_after(file->what, "cdev ");
        return name ? stub_find_device(name) : NULL;
}

int vfio_pci_request(int device) {
        return stub_call("request %s", name_of(device));
}

int vfio_pci_quiesce(int device, uint16_t *ret_command) {
        StubDevice *known = device_of(device);
        int r = stub_call("quiesce %s", name_of(device));

        if (r < 0)
                return r;
        if (!known)
                return -EBADF;
        *ret_command = COMMAND;
        known->quiet = true;
        return 0;
}

int vfio_pci_restore(int device, uint16_t command) {
        StubDevice *known = device_of(device);
        int r = stub_call("restore %s to %u", name_of(device), command);

        if (r < 0)
                return r;
        if (!known)
                return -EBADF;
        known->quiet = false;
        return 0;
}

int vfio_device_reset(int device) {
        return stub_call("reset %s", name_of(device));
}

int vfio_pci_hot_reset(int device, const int *groups, size_t n_groups) {
        _cleanup_free_ char *names = strdup("");

        for (size_t i = 0; i < n_groups; i++) {
                const StubFile *group = stub_file(groups[i]);

                if (!group || !string_after(group->what, "group "))
                        return -EINVAL;
                (void)string_append(&names, " %s", string_after(group->what, "group "));
        }
        return stub_call("hot reset %s with%s", name_of(device), names);
}

int pci_set_reset_method(const Roots *roots _unused_, const char *device, const char *methods) {
        int r = stub_call("reset_method %s '%s'", device, methods);
        StubDevice *known = stub_find_device(device);

        if (r < 0)
                return r;
        if (!known)
                return -ENOENT;
        (void)snprintf(known->reset_method, sizeof(known->reset_method), "%s", methods);
        return 0;
}

int pci_reset(const Roots *roots _unused_, const char *device) {
        return stub_call("reset %s", device);
}
