/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * free(3) gives back what is at the end of the heap and nothing else: after a thousand connections
 * have come and gone, what was allocated last, and lives on, keeps some 70 MB. So whoever has freed
 * much asks for malloc_trim(3). It is put off until nothing else is to be done: once for many who
 * leave at the same time, and in nobody's way.
 */

#include "daemon/bus/trim.h"

#include <malloc.h>

#include "daemon/util/string.h"

static int on_idle(sd_event_source *source _unused_, void *userdata _unused_) {
        (void)malloc_trim(0);
        return 0;
}

int trim_new(sd_event *event, sd_event_source **ret) {
        sd_event_source *source;
        int r;

        r = sd_event_add_defer(event, &source, on_idle, NULL);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (r < 0) {
                sd_event_source_unref(source);
                return r;
        }
        *ret = source;
        return 0;
}

void trim_soon(sd_event_source *trim) {
        (void)sd_event_source_set_enabled(trim, SD_EVENT_ONESHOT);
}
