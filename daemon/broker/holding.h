/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What we hold for a lease: duplicates of its files, and the write end of its pipe. The lease
 * itself, the record, is daemon/core/lease.h.
 *
 * The pipe: the holder has the read end. When the last copy of it is closed, our end gets an error
 * event, whoever had it last; when we are gone or the lease is over, the holder reads end-of-file.
 */

#include <systemd/sd-event.h>

#include "daemon/broker/handles.h"
#include "daemon/broker/holder-watch.h"
#include "daemon/kernel/roots.h"
#include "daemon/util/list.h"

typedef struct Holding Holding;
typedef void (*HoldingAbandoned)(void *userdata, uint32_t lease);

struct Holding {
        uint32_t lease;
        Handles files;
        int pipe; /* write end */
        sd_event_source *watch;
        HoldingAbandoned abandoned;
        void *userdata;
        uint64_t ended_usec;    /* when the lease ended (CLOCK_MONOTONIC), at the earliest when this
                                   vfiod began; 0: it has not */
        sd_event_source *retry; /* while draining */
        uint64_t retry_usec;
        HolderWatch holders; /* while draining: the processes that still have files */
        bool seen; /* while draining: somebody was, when it was looked last, and is there */
        uint64_t unseen_usec; /* while draining: since when nobody is (CLOCK_MONOTONIC) */
        unsigned unseen;      /* while draining: how often now the kernel said that somebody has the
                                 group, and nobody was to be seen */
        char **kept;          /* the names of its files that are in the service manager's store */
        List link;            /* Broker.holdings */
};

/* *ret_read_end is the first read end of the pipe; until it is closed, the holding is not
 * abandoned. */
int holding_new(sd_event *event, uint32_t lease, HoldingAbandoned abandoned, void *userdata,
                int *ret_read_end, Holding **ret);

/* The same around the write end of a pipe that is there already, owned from then on; without one
 * (-EBADF) there is nothing to watch. */
int holding_adopt(sd_event *event, uint32_t lease, HoldingAbandoned abandoned, void *userdata,
                  int write_end, Holding **ret);

/* One more read end of the pipe. -errno when the pipe is closed already. */
int holding_open_read_end(const Holding *holding, const Roots *roots);

/* Puts the byte into the pipe that asks the holder to release. */
void holding_ask(const Holding *holding);

/* Closes our end: the holder reads end-of-file, and nothing is watched any more. */
void holding_close_pipe(Holding *holding);

/* Accepts NULL; returns NULL. Files still in it are closed here. */
Holding *holding_free(Holding *holding);
