/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What udev tells of devices that may have an IOMMU group. An event only says where to look: facts
 * are read from sysfs afterwards. There are no events for IOMMU groups themselves.
 */

#include <stdbool.h>

#include "daemon/util/cleanup.h"

typedef struct Monitor Monitor;

typedef struct MonitorEvent {
        char *name;    /* of the device on its bus; allocated */
        char *syspath; /* below /sys, without it; allocated */
        bool removed;
} MonitorEvent;

int monitor_new(Monitor **ret);
Monitor *monitor_free(Monitor *monitor);

/* Readable when there is an event; owned by the monitor. */
int monitor_fd(const Monitor *monitor);

/*
 * 1: an event, in *ret. 0: nothing more for now. -errno: events were lost, so everything has to be
 * read again: -ENOBUFS, they were more than the socket keeps; -ENOMEM and whatever else libudev
 * says, this one could not be taken.
 */
int monitor_receive(Monitor *monitor, MonitorEvent *ret);
void monitor_event_done(MonitorEvent *event);

DEFINE_TRIVIAL_CLEANUP(Monitor *, monitor_free, NULL);
