/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Mediated devices: nothing is recorded, and a device that was made is known when the caller is
 * told. A parent need not have an IOMMU group; one that has is occupied meanwhile.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/errand-line.h"
#include "daemon/kernel/mdev-types.h"
#include "daemon/util/string.h"

static void create_finish(Job *job, bool ran, Handles *opened _unused_) {
        if (ran)
                broker_refresh_device(job->broker, job->request.mdev_uuid);
}

const JobClass job_class_create_mdev = {.finish = create_finish};
const JobClass job_class_remove_mdev = {.prepare = NULL};

RefusalKind broker_check_mdev_parent(const Broker *broker, const char *name, Refusal *refusal) {
        if (mdev_is_parent(&broker->roots, name))
                return REFUSAL_NONE;
        return refuse(refusal, REFUSAL_NOT_FOUND,
                      "there is no device %s that can have mediated devices; see 'vfioctl mdev "
                      "types'",
                      name);
}

void mdev_create_run(Broker *broker, const Request *request, BrokerDone done, void *userdata) {
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;
        _cleanup_request_ Request known = {0};
        int r;

        if (broker_check_mdev_parent(broker, request->targets[0].device, &outcome.refusal)) {
                done(userdata, &outcome);
                return;
        }
        r = request_copy(request, &known);
        if (r >= 0)
                r = string_set(&known.mdev_parent, request->targets[0].device);
        if (r < 0) {
                broker_end_without_memory(done, userdata);
                return;
        }
        broker_refresh(broker, request);
        broker_refresh_device(broker, request->mdev_uuid);
        if (!topology_find_device(&broker->world.topology, known.mdev_parent))
                known.n_targets = 0;
        job_run(broker, &job_class_create_mdev, &known, done, userdata);
}

void broker_read_mdev_types(Broker *broker, const Request *request, const char *parent,
                            BrokerDone done, void *userdata) {
        _cleanup_plan_ Plan plan = PLAN_NULL;
        Step *step = plan_append(&plan, STEP_READ_MDEV_TYPES, 0);

        if (!step || string_set(&step->mdev_parent, parent) < 0)
                broker_end_without_memory(done, userdata);
        else
                errand_line_join(broker, request, &plan, NULL, done, userdata);
}
