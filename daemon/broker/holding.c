/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/holding.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

static int on_pipe(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
                   void *userdata) {
        Holding *holding = userdata;

        holding_close_pipe(holding);
        holding->abandoned(holding->userdata, holding->lease);
        return 0;
}

int holding_adopt(sd_event *event, uint32_t lease, HoldingAbandoned abandoned, void *userdata,
                  int write_end, Holding **ret) {
        Holding *holding = calloc(1, sizeof(Holding));
        int r = 0;

        if (!holding) {
                fd_close(write_end);
                return -ENOMEM;
        }
        *holding = (Holding){
                .lease = lease, .pipe = write_end, .abandoned = abandoned, .userdata = userdata};
        list_init(&holding->link);
        /* No event is asked for: EPOLLERR, no reader left, comes unasked. */
        if (write_end >= 0)
                r = sd_event_add_io(event, &holding->watch, write_end, 0, on_pipe, holding);
        /* Who lets go and then asks for the group is heard in that order. */
        if (holding->watch)
                r = sd_event_source_set_priority(holding->watch, SD_EVENT_PRIORITY_IMPORTANT);
        if (r < 0) {
                holding_free(holding);
                return r;
        }
        *ret = holding;
        return 0;
}

int holding_new(sd_event *event, uint32_t lease, HoldingAbandoned abandoned, void *userdata,
                int *ret_read_end, Holding **ret) {
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        r = holding_adopt(event, lease, abandoned, userdata, ends[1], ret);
        if (r < 0) {
                fd_close(ends[0]);
                return r;
        }
        *ret_read_end = ends[0];
        return 0;
}

int holding_open_read_end(const Holding *holding, const Roots *roots) {
        char path[32];
        int fd;

        if (holding->pipe < 0)
                return -EPIPE;
        (void)snprintf(path, sizeof(path), "self/fd/%d", holding->pipe);
        fd = openat(roots->proc_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

/* A pipe that is full says it already. */
void holding_ask(const Holding *holding) {
        if (holding->pipe >= 0 && write(holding->pipe, "r", 1) < 0)
                return;
}

void holding_close_pipe(Holding *holding) {
        holding->watch = sd_event_source_disable_unref(holding->watch);
        holding->pipe = fd_close(holding->pipe);
}

Holding *holding_free(Holding *holding) {
        if (!holding)
                return NULL;
        list_remove(&holding->link);
        holding_close_pipe(holding);
        sd_event_source_disable_unref(holding->retry);
        holder_watch_clear(&holding->holders);
        handles_done(&holding->files);
        strv_free(holding->kept);
        free(holding);
        return NULL;
}
