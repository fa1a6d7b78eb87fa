/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bind. The original of each device is recorded before its plan runs, so that it is known whatever
 * happens meanwhile, and forgotten once the device is back.
 */

#include <errno.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/rebound.h"
#include "daemon/core/rebound.h"
#include "daemon/util/string.h"

static int for_each_moved(const Broker *broker, const Plan *plan, StepKind kind,
                          int (*act)(const Broker *broker, Device *device)) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                const Step *step = &plan->steps[i];
                Device *device;
                int r;

                if (step->kind != kind)
                        continue;
                device = topology_find_device(&broker->world.topology, step->device);
                r = device ? act(broker, device) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* An override that vfiod-assigned has set is nobody's wish for when the device is given back. */
static int record(const Broker *broker, Device *device) {
        const Assignment *assignment =
                assignments_find(&broker->world.assignments, device->facts.name);
        int r = device_record_original(device);

        if (r >= 0 && assignment && string_equal(device->original.override, assignment->driver))
                r = string_set(&device->original.override, "");
        return r;
}

static int forget(const Broker *broker _unused_, Device *device) {
        device_forget_original(device);
        return 0;
}

/* A device that is on a vfio driver keeps its record, however the operation ended. */
static int settle(const Broker *broker _unused_, Device *device) {
        if (device->facts.vfio)
                return device_set_bound(device);
        (void)rebound_settle(device);
        return 0;
}

int bind_prepare(Job *job) {
        int r;

        rebound_say(job->broker);
        r = for_each_moved(job->broker, &job->plan, STEP_BIND_VFIO, record);
        if (r < 0)
                (void)for_each_moved(job->broker, &job->plan, STEP_BIND_VFIO, settle);
        return r;
}

void bind_finish(Job *job, bool ran _unused_, Handles *opened _unused_) {
        (void)for_each_moved(job->broker, &job->plan, STEP_BIND_VFIO, settle);
}

/* Of some only the override is put back, and of some, of a plan that was broken off, it is. */
void bind_forget(const Broker *broker, const Plan *plan) {
        (void)for_each_moved(broker, plan, STEP_UNBIND_VFIO, forget);
        (void)for_each_moved(broker, plan, STEP_SET_OVERRIDE, forget);
}

static int settle_recorded(const Broker *broker, Device *device) {
        return device->original.recorded ? settle(broker, device) : 0;
}

void bind_recovered(const Broker *broker, const StatePlan *begun) {
        if (begun->operation == OPERATION_UNBIND)
                bind_forget(broker, &begun->plan);
        else
                (void)for_each_moved(broker, &begun->plan, STEP_BIND_VFIO, settle_recorded);
}

const JobClass job_class_bind = {.prepare = bind_prepare, .finish = bind_finish};
