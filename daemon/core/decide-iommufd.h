/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the deciders have of their own for MODE_IOMMUFD. Not for use outside core/decide*.c. */

#include "daemon/core/decide-common.h"

/* Appends what opens the cdevs of the devices, and prepares them as the lease, or the request for a
 * new one (NULL), wants. */
int plan_open_cdevs(const World *world, const Request *request, const Selection *selection,
                    const Lease *lease, Plan *plan);

/* Appends a look where the IOAS can be mapped; 0: the one that the plan allocates. */
bool plan_read_iovas(uint32_t ioas, Plan *plan);

/* Appends what ends the DMA of those devices of the group that the lease has. */
int plan_detach_cdevs(const World *world, const Lease *lease, const Group *group, Plan *plan);

/* Appends what shows that nobody has a device of the group open, and closes our files of it. */
int plan_close_cdevs(const Lease *lease, const Group *group, Plan *plan);

/* Appends a look that fails when somebody has a device of the group open. */
int plan_expect_nobody(uint32_t group, Plan *plan);
