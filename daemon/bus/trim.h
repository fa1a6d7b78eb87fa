/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Gives memory back to the system that the allocator would keep. */

#include <systemd/sd-event.h>

/* Off until trim_soon(). */
int trim_new(sd_event *event, sd_event_source **ret);

/* Once, as soon as the event loop has nothing else to do. */
void trim_soon(sd_event_source *trim);
