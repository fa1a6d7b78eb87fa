/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/stub/stub-interface-addresses.h"

#include <stddef.h>

#include "daemon/kernel/interface-addresses.h"

StubInterfaceAddresses stub_interface_addresses;

int interface_addresses_read(int (*interface)(void *userdata, const char *name), void *userdata) {
        if (stub_interface_addresses.error < 0 || !stub_interface_addresses.interface)
                return stub_interface_addresses.error;
        return interface(userdata, stub_interface_addresses.interface);
}
