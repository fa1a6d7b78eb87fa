/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where polkit is on the bus (org.freedesktop.PolicyKit1.Authority), and when it is not. */

#include <inttypes.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

/* Of a question's number, what it is withdrawn by. */
#define POLKIT_ID "vfiod-%" PRIu64

/* For an answer that nobody has to give. */
#define POLKIT_TIMEOUT_USEC (25 * 1000000ULL)

/* The answer is an error that polkit has not given: it is not there, cannot be started, or has died
 * over the question. */
bool polkit_is_absent(sd_bus_message *reply);
