/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tells when one of the processes that were found to hold something ends. A process may also let go
 * without ending: that is found only by looking again.
 */

#include <systemd/sd-event.h>

#include "daemon/util/hold.h"

/* One of the processes has ended; the watch may be set anew or cleared in the callback. */
typedef void (*HolderEnded)(void *userdata);

typedef struct HolderWatch {
        sd_event_source **sources;
        size_t n_sources;
        HolderEnded ended;
        void *userdata;
} HolderWatch;

/* Watches the first processes of `holds` instead of those before. Best effort. */
void holder_watch_set(HolderWatch *watch, sd_event *event, const Holds *holds, HolderEnded ended,
                      void *userdata);
void holder_watch_clear(HolderWatch *watch);
