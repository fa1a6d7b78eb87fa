/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ListHolders of Manager and Group, and Group.RefCount: what takes a look at all processes. */

#include <systemd/sd-bus.h>

#include "daemon/bus/bus-private.h"

int holders_method_list(sd_bus_message *m, void *userdata, sd_bus_error *error);
int holders_method_list_of_group(sd_bus_message *m, void *userdata, sd_bus_error *error);

/*
 * RefCount takes a look too, which an sd-bus getter cannot wait for: holders_add_ref_count() puts a
 * handler on the connection that answers Properties.Get of it before sd-bus would. The getter is
 * for the vtable, and says no.
 */
int holders_add_ref_count(Bus *bus, sd_bus *sd);
int holders_get_ref_count(sd_bus *sd, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *error);
