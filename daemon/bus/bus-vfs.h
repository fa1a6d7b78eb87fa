/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.vfiod1.Device.SetVfs */

#include <systemd/sd-bus.h>

int vfs_method_set(sd_bus_message *m, void *userdata, sd_bus_error *error);
