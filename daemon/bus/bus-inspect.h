/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Device.Inspect: the method, and its answer. */

#include <systemd/sd-bus.h>

#include "daemon/util/finding.h"

int inspect_method(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* The a{sv} of an answer, in the words of protocol/org.vfiod1.Device.xml. */
int inspect_append_info(sd_bus_message *m, const Findings *findings);
