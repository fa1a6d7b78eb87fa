/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How large a reply is: dbus-daemon disconnects who sends more than its max_message_size (32 MiB
 * unless it is configured otherwise), and vfiod without its name on the bus is there for nobody.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define REPLY_BYTES_MAX (16 * 1024 * 1024)

/* No object takes more in a list or a tree of objects, by far. */
#define OBJECT_BYTES_MAX 4096

/*
 * Whether the body has at most so many bytes. It takes as long as reading the reply. That can be
 * sent afterwards, but is sealed: nothing can be added to it any more, and its serial number is 1,
 * like that of others. What cannot be measured does not fit.
 */
bool reply_fits(sd_bus_message *reply, uint64_t most);
