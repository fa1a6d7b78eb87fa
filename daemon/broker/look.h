/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Short errands to the holders of groups, in a worker that is lent our files of the groups' leases:
 * looking who they are, and asking them by interrupt. Neither occupies the groups.
 */

#include "daemon/broker/broker.h"
#include "daemon/broker/job.h"

/* outcome->holds is who has a file of the groups. */
void look_for_holders(Broker *broker, const uint32_t *groups, size_t n_groups, BrokerDone done,
                      void *userdata);

/* Fires the device-request interrupt of every device of the groups that a lease has. */
void ask_by_interrupt(Broker *broker, const uint32_t *groups, size_t n_groups);

/*
 * Lends the job what we have of the group's lease: its files (also when another job was given
 * them: nothing then), the container under the group's number, and our end of the pipe.
 */
int lend_group(Job *job, uint32_t group);
