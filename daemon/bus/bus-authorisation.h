/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Manager.CheckAuthorization: what the caller may do. */

#include <systemd/sd-bus.h>

int authorisation_method_check(sd_bus_message *m, void *userdata, sd_bus_error *error);
