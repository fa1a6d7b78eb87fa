/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From the targets of a request to the groups and devices they mean. Valid until the topology
 * changes.
 */

#include "daemon/core/request.h"
#include "daemon/core/topology.h"

typedef struct Selection {
        Group **groups; /* each once, ordered by number */
        size_t n_groups;
        Device **devices; /* those named, and all members of the groups named; ordered by name */
        size_t n_devices;
} Selection;

#define SELECTION_NULL {.groups = NULL}

/* Of Unassign, devices that are not there are passed over: they may be assigned all the same. */
RefusalKind select_targets(const Topology *topology, const Request *request, Selection *selection,
                           Refusal *refusal);
/* The numbers of its groups, to be freed. NULL: no memory. */
uint32_t *selection_groups(const Selection *selection, size_t *ret_n);

void selection_done(Selection *selection);

#define _cleanup_selection_ _cleanup_(selection_done)
