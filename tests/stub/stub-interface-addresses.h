/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Link-time twin of daemon/kernel/interface-addresses.h: the test says who has an address. */

typedef struct StubInterfaceAddresses {
        const char *interface; /* that has one; NULL for none */
        int error;
} StubInterfaceAddresses;

extern StubInterfaceAddresses stub_interface_addresses;
