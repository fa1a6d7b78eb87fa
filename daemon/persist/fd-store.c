/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/persist/fd-store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

/* As long as sd_notify_barrier(3) is usually given. */
#define BARRIER_USEC (5 * 1000 * 1000ULL)

/* FileDescriptorStoreMax= of vfiod.service. */
#define FILES_MAX 8192

struct FdStoreBarrier {
        FdStoreReached reached;
        void *userdata;
        int pipe;
        sd_event_source *io;
        sd_event_source *timeout;
};

bool fd_store_is_there(void) {
        return !string_is_empty(getenv("NOTIFY_SOCKET"));
}

size_t fd_store_max(void) {
        const char *told = getenv("FDSTORE");
        uint64_t max;

        return told && string_to_u64(told, UINT32_MAX, &max) >= 0 ? max : FILES_MAX;
}

static int notify(const char *text, const int *fds, unsigned n) {
        int r = text ? sd_pid_notify_with_fds(0, false, text, fds, n) : -ENOMEM;

        return r < 0 ? r : 0;
}

/* FDPOLL=0: a pipe whose reader has gone must stay, it is what we want to hear of. */
int fd_store_put(const char *name, int fd) {
        _cleanup_free_ char *text = string_format("FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);

        return notify(text, &fd, 1);
}

int fd_store_remove(const char *name) {
        _cleanup_free_ char *text = string_format("FDSTOREREMOVE=1\nFDNAME=%s", name);

        return notify(text, NULL, 0);
}

static void reach(FdStoreBarrier *barrier) {
        FdStoreReached reached = barrier->reached;
        void *userdata = barrier->userdata;

        fd_store_barrier_free(barrier);
        reached(userdata);
}

static int on_closed(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
                     void *userdata) {
        reach(userdata);
        return 0;
}

static int on_timeout(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        reach(userdata);
        return 0;
}

FdStoreBarrier *fd_store_barrier_free(FdStoreBarrier *barrier) {
        if (!barrier)
                return NULL;
        sd_event_source_disable_unref(barrier->io);
        sd_event_source_disable_unref(barrier->timeout);
        fd_close(barrier->pipe);
        free(barrier);
        return NULL;
}

DEFINE_TRIVIAL_CLEANUP(FdStoreBarrier *, fd_store_barrier_free, NULL);

/* The manager closes the file that comes with BARRIER=1 when it gets to it (sd_notify(3)). */
int fd_store_barrier(sd_event *event, FdStoreReached reached, void *userdata,
                     FdStoreBarrier **ret) {
        _cleanup_(fd_store_barrier_freep) FdStoreBarrier *barrier =
                calloc(1, sizeof(FdStoreBarrier));
        _cleanup_close_ int theirs = -EBADF;
        int ends[2], r;

        if (!barrier)
                return -ENOMEM;
        *barrier = (FdStoreBarrier){.reached = reached, .userdata = userdata, .pipe = -EBADF};
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        barrier->pipe = ends[0];
        theirs = ends[1];
        r = notify("BARRIER=1", &theirs, 1);
        /* No event is asked for: the other end's closing comes unasked. */
        if (r >= 0)
                r = sd_event_add_io(event, &barrier->io, barrier->pipe, 0, on_closed, barrier);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &barrier->timeout, CLOCK_MONOTONIC,
                                               BARRIER_USEC, 0, on_timeout, barrier);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(barrier);
        return 0;
}
