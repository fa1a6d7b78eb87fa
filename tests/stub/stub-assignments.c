/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Twins of daemon/persist/assignments-file.c and of the serial numbers of daemon/kernel: one file,
 * in memory, and a number for each device that has "serial" in the stub.
 */

#include <errno.h>
#include <stdio.h>

#include "daemon/kernel/pci-serial.h"
#include "daemon/persist/assignments-file.h"
#include "daemon/util/string.h"
#include "tests/stub/stub.h"

int assignments_file_lock(const char *directory) {
        int r = stub_call("lock %s", directory);

        return r < 0 ? r : stub_open("lock", 0);
}

int assignments_file_read(const char *directory, char **ret, char **ret_problem) {
        int r = stub_call("read %s", directory);

        *ret_problem = NULL;
        if (r < 0)
                return r;
        if (stub->assignments[0])
                *ret = strdup(stub->assignments);
        return 0;
}

int assignments_file_write(const char *directory, const char *text) {
        int r = stub_call("write %s", directory);

        if (r >= 0)
                (void)snprintf(stub->assignments, sizeof(stub->assignments), "%s",
                               string_or_empty(text));
        return r;
}

static int give_serial(char **ret) {
        *ret = strdup(STUB_SERIAL);
        return *ret ? 0 : -ENOMEM;
}

int pci_read_serial(const Roots *roots _unused_, const char *device, char **ret) {
        int r = stub_call("serial of %s", device);

        if (r < 0)
                return r;
        return stub->hides_serials ? -EPERM : give_serial(ret);
}

int pci_ask_serial(const Roots *roots _unused_, const char *device, char **ret) {
        int r = stub_call("ask serial of %s", device);

        return r < 0 ? r : give_serial(ret);
}

int pci_known_serial(const char *device _unused_, char **ret _unused_) {
        return -ENODATA;
}
