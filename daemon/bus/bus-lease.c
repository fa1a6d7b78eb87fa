/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.vfiod1.Lease: properties of leases, and what their owners do with them. */

#include <errno.h>
#include <stdlib.h>

#include "daemon/bus/bus-grant.h"
#include "daemon/bus/bus-object.h"
#include "daemon/bus/bus-path.h"
#include "daemon/bus/bus-request.h"
#include "daemon/bus/call.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

/* A property that is one field of the lease. */
#define FIELD(function, signature, expression)                                                     \
        static int function(const World *world _unused_, const void *object, sd_bus_message *m) {  \
                const Lease *lease = object;                                                       \
                                                                                                   \
                return sd_bus_message_append(m, signature, expression);                            \
        }                                                                                          \
        struct field_needs_a_semicolon_##function

FIELD(append_id, "u", lease->id);
FIELD(append_owner, "u", (uint32_t)lease->owner);
FIELD(append_label, "s", string_or_empty(lease->label));
FIELD(append_mode, "s", mode_name(lease->mode));
FIELD(append_prepare, "s", prepare_name(lease->prepare));
FIELD(append_ioas, "u", lease->iommufd.ioas);
FIELD(append_alignment, "t", lease->iommufd.alignment);
FIELD(append_state, "s", lease_state_name(lease->state));
FIELD(append_since, "t", lease->since);
FIELD(append_deadline, "t", lease->deadline);

static int append_groups(const World *world _unused_, const void *object, sd_bus_message *m) {
        const Lease *lease = object;

        return sd_bus_message_append_array(m, 'u', lease->groups,
                                           lease->n_groups * sizeof(uint32_t));
}

static int append_devices(const World *world _unused_, const void *object, sd_bus_message *m) {
        const Lease *lease = object;

        return bus_append_strv(m, lease->devices);
}

static int append_device_ids(const World *world _unused_, const void *object, sd_bus_message *m) {
        const Lease *lease = object;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(sut)");
        for (char **d = lease->devices; r >= 0 && lease->mode == MODE_IOMMUFD && d && *d; d++) {
                const LeaseDeviceId *known = lease_iommufd_find(&lease->iommufd, *d);

                r = sd_bus_message_append(m, "(sut)", *d, known ? known->id : 0,
                                          known ? known->cookie : (uint64_t)0);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_iovas(const World *world _unused_, const void *object, sd_bus_message *m) {
        const LeaseIommufd *iommufd = &((const Lease *)object)->iommufd;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(tt)");
        for (size_t i = 0; r >= 0 && i < iommufd->n_iovas; i++)
                r = sd_bus_message_append(m, "(tt)", iommufd->iovas[i].first,
                                          iommufd->iovas[i].last);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_no_iommu(const World *world, const void *object, sd_bus_message *m) {
        return sd_bus_message_append(m, "b", decide_lease_has_no_iommu(&world->topology, object));
}

const BusProperty bus_lease_properties[] = {
        {"Id", "u", append_id},
        {"Owner", "u", append_owner},
        {"Label", "s", append_label},
        {"Mode", "s", append_mode},
        {"Prepare", "s", append_prepare},
        {"Ioas", "u", append_ioas},
        {"DeviceIds", "a(sut)", append_device_ids},
        {"IovaRanges", "a(tt)", append_iovas},
        {"IovaAlignment", "t", append_alignment},
        {"Groups", "au", append_groups},
        {"NoIommu", "b", append_no_iommu},
        {"Devices", "as", append_devices},
        {"State", "s", append_state},
        {"Since", "t", append_since},
        {"Deadline", "t", append_deadline},
        {NULL, NULL, NULL},
};

/* A lease being granted is nobody's yet. */
static const void *find_lease(const World *world, const char *path) {
        const Lease *lease;
        uint32_t id;

        if (path_to_lease(path, &id) < 0)
                return NULL;
        lease = lease_table_find(&world->leases, id);
        return lease && lease->state != LEASE_GRANTING ? lease : NULL;
}

static int list_leases(const World *world, char ***paths) {
        list_for_each(link, &world->leases.leases) {
                const Lease *lease = container_of(link, Lease, link);
                char *path;

                if (lease->state == LEASE_GRANTING)
                        continue;
                path = path_of_lease(lease->id);
                if (!path || strv_push_consume(paths, path) < 0)
                        return -ENOMEM;
        }
        return 0;
}

const BusKind bus_kind_lease = {
        .prefix = VFIOD_PATH_LEASE,
        .interface = VFIOD_INTERFACE_LEASE,
        .properties = bus_lease_properties,
        .find = find_lease,
        .list = list_leases,
};

static void read_lease(sd_bus_message *m, Bus *bus, Request *request) {
        (void)path_to_lease(sd_bus_message_get_path(m), &request->lease);
        request->fds_max = grant_fds_max(bus_connection_of(bus, sd_bus_message_get_bus(m)));
}

static void run_get_fds(Call *call) {
        broker_lease_used(call->bus->broker, call->request.lease, &call->request.caller);
        grant_reply_fds(call);
}

static int method_get_fds(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Request request = {0};
        uint32_t first, count;
        int r;

        if (!sd_bus_can_send(sd_bus_message_get_bus(m), 'h'))
                return -EOPNOTSUPP;
        read_lease(m, userdata, &request);
        r = sd_bus_message_read(m, "uu", &first, &count);
        if (r < 0)
                return r;
        request.first = first;
        request.count = count;
        return call_begin(userdata, m, PERMISSION_OWNER, run_get_fds, &request, false);
}

static void run_add(Call *call) {
        call_run(call, grant_reply_add);
}

static int method_add(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_ADD};
        int r;

        if (!sd_bus_can_send(sd_bus_message_get_bus(m), 'h'))
                return -EOPNOTSUPP;
        read_lease(m, userdata, &request);
        r = bus_read_targets(m, userdata, &request, error);
        if (r >= 0)
                r = bus_read_options(m, userdata, OPTIONS_ADD, &request, error);
        return r < 0 ? r : call_begin(userdata, m, PERMISSION_ACQUIRE, run_add, &request, false);
}

static void on_done(void *userdata, Outcome *outcome) {
        call_reply_outcome(userdata, outcome);
}

static void run_remove(Call *call) {
        call_run(call, on_done);
}

static int method_remove(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_REMOVE};
        int r;

        read_lease(m, userdata, &request);
        r = bus_read_targets(m, userdata, &request, error);
        return r < 0 ? r : call_begin(userdata, m, PERMISSION_OWNER, run_remove, &request, false);
}

static void run_release(Call *call) {
        broker_release(call->bus->broker, call->request.lease, &call->request.caller, on_done,
                       call);
}

static int method_release(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Request request = {.operation = OPERATION_RELEASE};

        read_lease(m, userdata, &request);
        return call_begin(userdata, m, PERMISSION_RELEASE, run_release, &request, false);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetFds", SD_BUS_ARGS("u", first, "u", count),
                                SD_BUS_RESULT("a(ssh)", fds, "u", total), method_get_fds,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Add", SD_BUS_ARGS("as", targets, "a{sv}", options),
                                SD_BUS_RESULT("a(ssh)", fds), method_add,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("as", targets), SD_BUS_NO_RESULT,
                                method_remove, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_release,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("ReleaseRequested", SD_BUS_ARGS("t", deadline, "s", reason), 0),
        SD_BUS_PROPERTY("Id", "u", bus_object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Owner", "u", bus_object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Label", "s", bus_object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Mode", "s", bus_object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Prepare", "s", bus_object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Ioas", "u", bus_object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("DeviceIds", "a(sut)", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("IovaRanges", "a(tt)", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("IovaAlignment", "t", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Groups", "au", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("NoIommu", "b", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Devices", "as", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("State", "s", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Since", "t", bus_object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Deadline", "t", bus_object_get_property, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

int bus_add_leases(Bus *bus, sd_bus *sd) {
        return bus_object_add(bus, sd, &bus_kind_lease, vtable);
}
