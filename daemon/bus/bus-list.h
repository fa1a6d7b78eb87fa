/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The reading methods of org.vfiod1.Manager, as handlers of its vtable. */

#include <systemd/sd-bus.h>

int list_method_groups(sd_bus_message *m, void *userdata, sd_bus_error *error);
int list_method_devices(sd_bus_message *m, void *userdata, sd_bus_error *error);
int list_method_leases(sd_bus_message *m, void *userdata, sd_bus_error *error);
int list_method_overview(sd_bus_message *m, void *userdata, sd_bus_error *error);
int list_method_get_group(sd_bus_message *m, void *userdata, sd_bus_error *error);
int list_method_get_device(sd_bus_message *m, void *userdata, sd_bus_error *error);
int list_method_explain(sd_bus_message *m, void *userdata, sd_bus_error *error);
