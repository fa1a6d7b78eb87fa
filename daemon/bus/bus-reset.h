/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Device.Reset. */

#include <systemd/sd-bus.h>

int reset_method(sd_bus_message *m, void *userdata, sd_bus_error *error);
