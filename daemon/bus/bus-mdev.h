/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Manager.ListMdevTypes, Manager.CreateMdev and Device.RemoveMdev. */

#include <systemd/sd-bus.h>

int mdev_method_list_types(sd_bus_message *m, void *userdata, sd_bus_error *error);
int mdev_method_create(sd_bus_message *m, void *userdata, sd_bus_error *error);
int mdev_method_remove(sd_bus_message *m, void *userdata, sd_bus_error *error);
