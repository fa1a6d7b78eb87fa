/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sd-bus duplicates each fd into the message, so that the broker's own stay where they are; the
 * message, and with it those duplicates, is gone once it is sent or its receiver is.
 */

#include "daemon/bus/bus-grant.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/bus/bus-path.h"
#include "daemon/bus/journal.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

/* SCM_MAX_FD of the kernel (net/scm.h). */
#define PEER_FDS_MAX 253U

size_t grant_fds_max(const Connection *connection) {
        return connection->is_peer ? PEER_FDS_MAX : VFIOD_BUS_FDS_MAX;
}

static int append_file(sd_bus_message *m, const Handle *handle) {
        char group[16];

        (void)snprintf(group, sizeof(group), "%u", handle->group);
        return sd_bus_message_append(m, "(ssh)", handle_kind_name(handle->kind),
                                     handle_kind_is_shared(handle->kind) ? ""
                                     : handle->kind == HANDLE_GROUP      ? group
                                                                         : handle->device,
                                     handle->fd);
}

/* Of a lease that was added to, only what the operation opened is news. */
static bool is_granted(const Outcome *outcome, bool all, const Handle *handle) {
        if (all)
                return true;
        if (handle_kind_is_device(handle->kind))
                return strv_contains(outcome->devices, handle->device);
        for (size_t i = 0; handle->kind == HANDLE_GROUP && i < outcome->n_groups; i++)
                if (outcome->groups[i] == handle->group)
                        return true;
        return false;
}

static int append_granted(sd_bus_message *m, const Call *call, const Outcome *outcome, bool all) {
        const Handles *files = broker_lease_files(call->bus->broker, outcome->lease);
        int r;

        r = sd_bus_message_open_container(m, 'a', "(ssh)");
        for (size_t i = 0; r >= 0 && files && i < files->n_handles; i++)
                if (!call->request.defer_fds && is_granted(outcome, all, &files->handles[i]))
                        r = append_file(m, &files->handles[i]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static size_t count_granted(const Call *call, const Outcome *outcome) {
        const Handles *files = broker_lease_files(call->bus->broker, outcome->lease);
        bool all = call->request.operation == OPERATION_ACQUIRE;
        size_t n = 0;

        for (size_t i = 0; files && i < files->n_handles; i++)
                n += !call->request.defer_fds && is_granted(outcome, all, &files->handles[i]);
        return n;
}

static int append_acquired(sd_bus_message *m, const Call *call, const Outcome *outcome) {
        _cleanup_free_ char *path = path_of_lease(outcome->lease);
        int r;

        if (!path)
                return -ENOMEM;
        r = sd_bus_message_append(m, "oh", path, outcome->lease_fd);
        return r < 0 ? r
                     : append_granted(m, call, outcome,
                                      call->request.operation == OPERATION_ACQUIRE);
}

static int append_added(sd_bus_message *m, const Call *call, const Outcome *outcome) {
        return append_granted(m, call, outcome, false);
}

/*
 * When the reply cannot be made, its receiver has nothing; for a new lease the read end of the pipe
 * then goes with the outcome, and the lease with it.
 */
static void reply_grant(Call *call, Outcome *outcome, CallAppend append) {
        call->files_of = outcome->lease;
        call->n_files = count_granted(call, outcome) + (append == append_acquired ? 1 : 0);
        call_reply_result(call, outcome, append, "hand over the files");
}

void grant_reply_acquire(void *userdata, Outcome *outcome) {
        reply_grant(userdata, outcome, append_acquired);
}

void grant_reply_add(void *userdata, Outcome *outcome) {
        reply_grant(userdata, outcome, append_added);
}

static int append_page(Call *call, sd_bus_message *m, const Handles *files) {
        size_t first = call->request.first;
        size_t count = call->request.count ?: call->request.fds_max;
        int r;

        assert(files);
        r = sd_bus_message_open_container(m, 'a', "(ssh)");
        for (size_t i = first; r >= 0 && i < files->n_handles && i - first < count; i++) {
                r = append_file(m, &files->handles[i]);
                call->n_files++;
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_append(m, "u", (uint32_t)files->n_handles);
}

/* Its files are with the worker then. */
static bool is_being_taken(const Call *call, const Lease *lease) {
        const World *world = broker_world(call->bus->broker);

        for (size_t i = 0; i < lease->n_groups; i++) {
                const Activity *activity =
                        activity_find_group(&world->activities, lease->groups[i]);

                if (activity && activity->operation == OPERATION_UNBIND)
                        return true;
        }
        return false;
}

/* Its holder has them already; but they are to be had no more. */
static bool is_forbidden(const Call *call, const Lease *lease) {
        const World *world = broker_world(call->bus->broker);

        return !world->config.unsafe_noiommu && decide_lease_has_no_iommu(&world->topology, lease);
}

RefusalKind grant_check(const Call *call, uint32_t id, Refusal *refusal) {
        const Lease *lease = lease_table_find(&broker_world(call->bus->broker)->leases, id);

        if (!broker_lease_files(call->bus->broker, id) || !lease || !lease_is_live(lease))
                return refuse(refusal, REFUSAL_LEASE_ENDED, "lease %u is over", id);
        if (is_being_taken(call, lease))
                return refuse(refusal, REFUSAL_BUSY, "lease %u is being taken back", id);
        if (is_forbidden(call, lease))
                return refuse(refusal, REFUSAL_UNSUPPORTED,
                              "lease %u is of devices that have no IOMMU, and unsafe_noiommu of "
                              "vfiod.json is false now: no file of them is handed out any more",
                              id);
        return REFUSAL_NONE;
}

void grant_reply_fds(Call *call) {
        const Handles *files = broker_lease_files(call->bus->broker, call->request.lease);
        uint32_t count = call->request.count;
        size_t most = call->request.fds_max;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        sd_bus_message *reply = NULL;
        int r;

        if (count > most)
                (void)refuse(&refusal, REFUSAL_TOO_MANY_FDS,
                             "%u file descriptors asked for, a message can carry %zu", count, most);
        else
                (void)grant_check(call, call->request.lease, &refusal);
        if (refusal.kind) {
                call_reply_refusal(call, &refusal);
                return;
        }
        call->files_of = call->request.lease;
        r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = append_page(call, reply, files);
        if (r < 0)
                call_reply_errno(call, r);
        else
                call_reply(call, reply);
        sd_bus_message_unref(reply);
}
