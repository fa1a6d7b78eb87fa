/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Notices what somebody else does to the drivers of devices that are vfiod's business, and has it
 * said once (daemon/core/rebound.h has the rules). A device that has lost its driver usually gets
 * another one at once: both are one record, so the first is kept back for a second.
 *
 * Noticed is what udev tells, and what a request finds when it reads the facts again: of a
 * driver_override that is written nobody is told.
 */

#include "daemon/broker/broker.h"
#include "daemon/core/rebound.h"

/* The facts of the device are others than `before`. */
void rebound_notice(Broker *broker, Device *device, const Placement *before);

/* Says what is kept back, because the devices are about to be moved by ourselves, or we end. */
void rebound_say(Broker *broker);
