/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one place where a refusal or a failure becomes a D-Bus error. */

#include <systemd/sd-bus.h>

#include "daemon/broker/outcome.h"

/* Sets the error for an outcome that is no success; returns a negative errno for sd-bus. */
int bus_error_set_outcome(sd_bus_error *error, const Outcome *outcome);
int bus_error_set_refusal(sd_bus_error *error, const Refusal *refusal);

/* The D-Bus name of an outcome: "" for success. */
const char *bus_error_name(const Outcome *outcome);
