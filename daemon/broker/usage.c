/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the host uses of the devices that a request is about: read right before it is authorised,
 * and again before it is decided, because a mount or a route tells nobody when it comes.
 */

#include "daemon/kernel/usage.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/util/string.h"

static const Group *find_group(const Topology *topology, const Target *target) {
        const Device *device;

        if (target->kind == TARGET_GROUP)
                return topology_find_group(topology, target->group);
        device = topology_find_device(topology, target->device);
        return device ? device->group : NULL;
}

/* What cannot be seen is not known to be free: that is said in the place of a use. */
static void add_unknown(char ***uses, int error) {
        char text[128];

        (void)snprintf(text, sizeof(text), "vfiod cannot see what it is used for (%s)",
                       strerror(-error));
        (void)strv_push(uses, text);
}

/* `usage`: NULL after `error`. */
static void refresh_device(const HostUsage *usage, int error, Device *device) {
        char **uses = NULL;
        int r = usage ? host_usage_of(usage, &device->facts, &uses) : error;

        if (r < 0)
                add_unknown(&uses, r);
        strv_free(device->in_use);
        device->in_use = uses;
}

void broker_refresh_usage(Broker *broker, const Request *request) {
        HostUsage *usage = NULL;
        int r = host_usage_read(&broker->roots, &usage);

        for (size_t i = 0; i < request->n_targets; i++) {
                const Group *group = find_group(&broker->world.topology, &request->targets[i]);

                for (size_t j = 0; group && j < group->n_members; j++)
                        refresh_device(usage, r, group->members[j]);
        }
        host_usage_free(usage);
}

void broker_refresh_usage_of_unbound(Broker *broker, const Request *request) {
        const Topology *topology = &broker->world.topology;

        for (size_t i = 0; i < request->n_targets; i++) {
                const Group *group = find_group(topology, &request->targets[i]);

                if (!group || group_is_bound(topology, group))
                        continue;
                broker_refresh_usage(broker, request);
                return;
        }
}
