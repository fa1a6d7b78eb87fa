/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SetVfs: nothing is recorded. What is removed is occupied meanwhile, and what was made is known
 * when the caller is told.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/kernel/enumerate.h"
#include "daemon/util/string.h"

/* Also those that udev has not told of yet. */
static void refresh_vfs(Broker *broker, const char *name) {
        _cleanup_strv_ char **functions = NULL;

        (void)enumerate_vfs(&broker->roots, name, &functions);
        for (char **function = functions; function && *function; function++)
                broker_refresh_device(broker, *function);
}

static void vfs_finish(Job *job, bool ran _unused_, Handles *opened _unused_) {
        refresh_vfs(job->broker, job->request.targets[0].device);
}

const JobClass job_class_set_vfs = {.finish = vfs_finish};

/* Their groups, for what is removed must be nobody's. */
static int add_functions(const Broker *broker, Request *request) {
        const Topology *topology = &broker->world.topology;
        const Device *device = topology_find_device(topology, request->targets[0].device);
        int r = 0;

        for (size_t i = 0; device && r >= 0 && i < topology->n_devices; i++)
                if (device_is_vf_of(topology->devices[i], device))
                        r = broker_add_group(request, device, topology->devices[i]->facts.group);
        return r;
}

void vfs_run(Broker *broker, const Request *request, BrokerDone done, void *userdata) {
        _cleanup_request_ Request whole = {0};
        int r = request_copy(request, &whole);

        refresh_vfs(broker, request->targets[0].device);
        if (r >= 0)
                r = add_functions(broker, &whole);
        if (r >= 0) {
                broker_refresh_usage(broker, &whole);
                job_run(broker, &job_class_set_vfs, &whole, done, userdata);
                return;
        }
        broker_end_without_memory(done, userdata);
}
