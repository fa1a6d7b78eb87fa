/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/holder-watch.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>

#include "daemon/util/fd.h"

/* Whoever looks again later finds the others. */
#define WATCHES_MAX 32

static int on_end(sd_event_source *source, int fd _unused_, uint32_t events _unused_,
                  void *userdata) {
        const HolderWatch *watch = userdata;

        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
        watch->ended(watch->userdata);
        return 0;
}

void holder_watch_clear(HolderWatch *watch) {
        for (size_t i = 0; i < watch->n_sources; i++)
                sd_event_source_disable_unref(watch->sources[i]);
        free(watch->sources);
        watch->sources = NULL;
        watch->n_sources = 0;
}

static void watch_process(HolderWatch *watch, sd_event *event, pid_t pid) {
        _cleanup_close_ int fd = pidfd_open(pid, 0);
        sd_event_source *source;

        if (fd < 0 || sd_event_add_io(event, &source, fd, EPOLLIN, on_end, watch) < 0)
                return;
        if (sd_event_source_set_io_fd_own(source, true) >= 0)
                (void)TAKE_FD(fd);
        /* Before the messages of who has waited for that. */
        (void)sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT);
        watch->sources[watch->n_sources++] = source;
}

void holder_watch_set(HolderWatch *watch, sd_event *event, const Holds *holds, HolderEnded ended,
                      void *userdata) {
        holder_watch_clear(watch);
        watch->ended = ended;
        watch->userdata = userdata;
        watch->sources = calloc(WATCHES_MAX, sizeof(sd_event_source *));
        for (size_t i = 0; watch->sources && i < holds->n_holds && watch->n_sources < WATCHES_MAX;
             i = holds_next_process(holds, i))
                watch_process(watch, event, holds->holds[i].pid);
}
