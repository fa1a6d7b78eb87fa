/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.vfiod1.Manager: the operations. What only reads is in bus-list.c. */

#include <errno.h>

#include "daemon/bus/bus-authorisation.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-grant.h"
#include "daemon/bus/bus-holders.h"
#include "daemon/bus/bus-list.h"
#include "daemon/bus/bus-mdev.h"
#include "daemon/bus/bus-property.h"
#include "daemon/bus/bus-request.h"
#include "daemon/bus/call.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "version.h"

static void on_done(void *userdata, Outcome *outcome) {
        call_reply_outcome(userdata, outcome);
}

/* Bind, Assign, Unassign. */
static void run_request(Call *call) {
        call_run(call, on_done);
}

/* Nobody waits on behalf of a caller that has left. */
static void run_unbind(Call *call) {
        if (call->request.policy != POLICY_FAIL)
                call_off_without_sender(call);
        call_run(call, on_done);
}

static CallPermission unbind_permission(const Request *request) {
        return request->policy == POLICY_REVOKE ? PERMISSION_REVOKE : PERMISSION_UNBIND;
}

static void run_acquire(Call *call) {
        call_run(call, grant_reply_acquire);
}

/* Reads the targets and options that all operations have in common. */
static int read_request(sd_bus_message *m, Bus *bus, Operation operation, OptionSet set,
                        Request *request, sd_bus_error *error) {
        int r;

        request->operation = operation;
        request->fds_max = grant_fds_max(bus_connection_of(bus, sd_bus_message_get_bus(m)));
        r = bus_read_targets(m, bus, request, error);
        if (r >= 0)
                r = bus_read_options(m, bus, set, request, error);
        /* Joining a lease is adding to it, whichever of the two methods asks for it; but the reply
         * to this one carries lease_fd too. */
        if (r >= 0 && request->lease) {
                request->operation = OPERATION_ADD;
                request->fds_max--;
        }
        return r;
}

static int method_bind(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {0};
        int r = read_request(m, userdata, OPERATION_BIND, OPTIONS_BIND, &request, error);

        return r < 0 ? r : call_begin(userdata, m, PERMISSION_BIND, run_request, &request, false);
}

static int method_unbind(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {0};
        int r = read_request(m, userdata, OPERATION_UNBIND, OPTIONS_UNBIND, &request, error);

        return r < 0 ? r
                     : call_begin(userdata, m, unbind_permission(&request), run_unbind, &request,
                                  false);
}

static int method_acquire(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {0};
        int r;

        if (!sd_bus_can_send(sd_bus_message_get_bus(m), 'h'))
                return -EOPNOTSUPP;
        r = read_request(m, userdata, OPERATION_ACQUIRE, OPTIONS_ACQUIRE, &request, error);
        return r < 0 ? r
                     : call_begin(userdata, m, PERMISSION_ACQUIRE, run_acquire, &request, false);
}

static int append_plan(sd_bus_message *reply, const Plan *plan) {
        _cleanup_strv_ char **lines = plan_describe(plan);

        return lines ? bus_append_strv(reply, lines) : -ENOMEM;
}

static void run_plan(Call *call) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        _cleanup_plan_ Plan plan = PLAN_NULL;
        sd_bus_message *reply = NULL;
        int r;

        if (broker_plan(call->bus->broker, &call->request, &plan, &refusal)) {
                call_reply_refusal(call, &refusal);
                return;
        }
        r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = append_plan(reply, &plan);
        if (r < 0)
                call_reply_errno(call, r);
        else
                call_reply(call, reply);
        sd_bus_message_unref(reply);
}

static int method_assign(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.when_usec = clock_now(CLOCK_REALTIME)};
        int r = read_request(m, userdata, OPERATION_ASSIGN, OPTIONS_ASSIGN, &request, error);

        return r < 0 ? r : call_begin(userdata, m, PERMISSION_ASSIGN, run_request, &request, false);
}

static int method_unassign(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {0};
        int r = read_request(m, userdata, OPERATION_UNASSIGN, OPTIONS_UNASSIGN, &request, error);

        return r < 0 ? r : call_begin(userdata, m, PERMISSION_ASSIGN, run_request, &request, false);
}

static const struct {
        const char *name;
        Operation operation;
        OptionSet options;
        CallPermission permission;
} plannable[] = {
        {"bind", OPERATION_BIND, OPTIONS_BIND, PERMISSION_BIND},
        {"unbind", OPERATION_UNBIND, OPTIONS_UNBIND, PERMISSION_UNBIND},
        {"acquire", OPERATION_ACQUIRE, OPTIONS_ACQUIRE, PERMISSION_ACQUIRE},
        {"assign", OPERATION_ASSIGN, OPTIONS_ASSIGN, PERMISSION_ASSIGN},
        {"unassign", OPERATION_UNASSIGN, OPTIONS_UNASSIGN, PERMISSION_ASSIGN},
};

static int method_plan(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        _cleanup_request_ Request request = {0};
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        for (size_t i = 0; r >= 0 && i < ELEMENTS(plannable); i++) {
                if (strcmp(name, plannable[i].name) != 0)
                        continue;
                r = read_request(m, userdata, plannable[i].operation, plannable[i].options,
                                 &request, error);
                if (r < 0)
                        return r;
                return call_begin(userdata, m,
                                  request.policy == POLICY_REVOKE ? PERMISSION_REVOKE
                                                                  : plannable[i].permission,
                                  run_plan, &request, true);
        }
        if (r < 0)
                return r;
        (void)refuse(&refusal, REFUSAL_INVALID_OPTION_VALUE,
                     "operation: must be 'bind', 'unbind', 'acquire', 'assign' or 'unassign'");
        return bus_error_set_refusal(error, &refusal);
}

static int get_version(sd_bus *sd _unused_, const char *path _unused_,
                       const char *interface _unused_, const char *property _unused_,
                       sd_bus_message *reply, void *userdata _unused_,
                       sd_bus_error *error _unused_) {
        return sd_bus_message_append(reply, "s", VFIOD_VERSION);
}

static int get_features(sd_bus *sd _unused_, const char *path _unused_,
                        const char *interface _unused_, const char *property _unused_,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const World *world = broker_world(((const Bus *)userdata)->broker);
        bool iommufd =
                world->iommufd.iommufd && (world->iommufd.cdevs || !world->iommufd.cdevs_known);
        int r;

        r = sd_bus_message_open_container(reply, 'a', "s");
        if (r >= 0)
                r = sd_bus_message_append(reply, "ss", "group", "type1v2");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s",
                                          world->topology.rule == VIABILITY_BY_OWNER
                                                  ? "viability-owner"
                                                  : "viability-driver");
        if (r >= 0 && iommufd)
                r = sd_bus_message_append(reply, "s", "iommufd");
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("ListGroups", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(oa{sv})", groups),
                                list_method_groups, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListDevices", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(oa{sv})", devices),
                                list_method_devices, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListLeases", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(oa{sv})", leases),
                                list_method_leases, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Overview", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("a(usbboa(sssssqqssass))", groups),
                                list_method_overview, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetGroup", SD_BUS_ARGS("u", number),
                                SD_BUS_RESULT("o", path, "a{sv}", properties),
                                list_method_get_group, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetDevice", SD_BUS_ARGS("s", name),
                                SD_BUS_RESULT("o", path, "a{sv}", properties),
                                list_method_get_device, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Explain", SD_BUS_ARGS("as", targets),
                                SD_BUS_RESULT("aa{sv}", members), list_method_explain,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListHolders", SD_BUS_ARGS("as", targets),
                                SD_BUS_RESULT("aa{sv}", holders), holders_method_list,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Plan", SD_BUS_ARGS("s", operation, "as", targets, "a{sv}", options),
                SD_BUS_RESULT("as", steps), method_plan, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CheckAuthorization", SD_BUS_ARGS("as", targets, "a{sv}", options),
                                SD_BUS_RESULT("aa{sv}", answers), authorisation_method_check,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Bind", SD_BUS_ARGS("as", targets, "a{sv}", options),
                                SD_BUS_NO_RESULT, method_bind, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unbind", SD_BUS_ARGS("as", targets, "a{sv}", options),
                                SD_BUS_NO_RESULT, method_unbind, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Assign", SD_BUS_ARGS("as", targets, "a{sv}", options),
                                SD_BUS_NO_RESULT, method_assign, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unassign", SD_BUS_ARGS("as", targets, "a{sv}", options),
                                SD_BUS_NO_RESULT, method_unassign, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Acquire", SD_BUS_ARGS("as", targets, "a{sv}", options),
                                SD_BUS_RESULT("o", lease, "h", lease_fd, "a(ssh)", fds),
                                method_acquire, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListMdevTypes", SD_BUS_ARGS("s", parent),
                                SD_BUS_RESULT("aa{sv}", types), mdev_method_list_types,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateMdev",
                                SD_BUS_ARGS("s", parent, "s", type, "s", uuid, "a{sv}", options),
                                SD_BUS_RESULT("s", name, "o", device), mdev_method_create,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Features", "as", get_features, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_VTABLE_END,
};

int bus_add_manager(Bus *bus, sd_bus *sd) {
        return sd_bus_add_object_vtable(sd, NULL, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, vtable, bus);
}
