/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reset: nothing is recorded. A hot reset is about the groups of all that is reset with the device:
 * they are read again, and occupied, like that of the device. Those of a lease are lent to the
 * worker, and their holder keeps them.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/look.h"
#include "daemon/core/reset-set.h"
#include "daemon/util/string.h"

static int reset_prepare(Job *job) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < job->activity.n_groups; i++)
                r = lend_group(job, job->activity.groups[i]);
        return r;
}

const JobClass job_class_reset = {.prepare = reset_prepare};

static int add_reset_set(const Broker *broker, Request *request) {
        const Topology *topology = &broker->world.topology;
        const Device *device = topology_find_device(topology, request->targets[0].device);
        int r = 0;

        for (size_t i = 0; device && r >= 0 && i < topology->n_devices; i++) {
                const DeviceFacts *other = &topology->devices[i]->facts;

                if (reset_set_has(&device->facts, other))
                        r = broker_add_group(request, device, other->group);
        }
        return r;
}

void reset_run(Broker *broker, const Request *request, BrokerDone done, void *userdata) {
        _cleanup_request_ Request whole = {0};
        int r = request_copy(request, &whole);

        if (r >= 0 && string_equal(request->reset_method, "hot"))
                r = add_reset_set(broker, &whole);
        if (r >= 0) {
                job_run(broker, &job_class_reset, &whole, done, userdata);
                return;
        }
        broker_end_without_memory(done, userdata);
}
