/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Short errands to the holders of groups, in a worker that is lent our files of the groups' leases.
 * They occupy no group, are no operations, and do not wait: they are vfiod's own. Those of clients
 * stand in line (daemon/broker/errand-line.h).
 */

#include "daemon/broker/broker.h"
#include "daemon/broker/job.h"

/* outcome->holds is who has a file of the groups. */
void look_for_holders(Broker *broker, const uint32_t *groups, size_t n_groups, BrokerDone done,
                      void *userdata);

/* The step of that. */
int plan_look(Plan *plan, const uint32_t *groups, size_t n_groups);

/*
 * Lends the job what we have of the group's lease: its files (also when another job was given
 * them: nothing then), the container or iommufd under the group's number, and our end of the pipe.
 */
int lend_group(Job *job, uint32_t group);

/* Of these only what is not the group's alone: container or iommufd, and our end of the pipe. */
int lend_shared(Job *job, uint32_t group);

/* What the steps of its plan are about. */
int lend_groups_of_plan(Job *job);

/* An errand whose plan is not only looking. `done` may be NULL. */
void run_errand(Broker *broker, Plan *plan, BrokerDone done, void *userdata);
