/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Inspect: nothing is recorded, what was found is in the outcome. The group is occupied meanwhile
 * also where it is leased, so that an Unbind does not take it from under the worker; its holder
 * goes on, with GetFds and Release too. The worker has copies of the lease's files, which may end
 * before them.
 */

#include "daemon/broker/broker-private.h"
#include "daemon/broker/look.h"

static int inspect_prepare(Job *job) {
        return lend_group(job, job->activity.groups[0]);
}

const JobClass job_class_inspect = {.prepare = inspect_prepare};
