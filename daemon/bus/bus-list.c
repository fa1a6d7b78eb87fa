/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-path.h"
#include "daemon/bus/bus-property.h"
#include "daemon/bus/bus-request.h"
#include "daemon/bus/call.h"
#include "daemon/util/string.h"

/* One "(oa{sv})", or "oa{sv}" without the parentheses. Owns the path. */
static int append_object(sd_bus_message *m, char *path, const BusProperty *properties,
                         const World *world, const void *object) {
        _cleanup_free_ char *owned = path;
        int r;

        if (!owned)
                return -ENOMEM;
        r = sd_bus_message_append(m, "o", owned);
        return r < 0 ? r : bus_append_properties(m, properties, world, object);
}

static int append_element(sd_bus_message *m, char *path, const BusProperty *properties,
                          const World *world, const void *object) {
        int r;

        r = sd_bus_message_open_container(m, 'r', "oa{sv}");
        if (r < 0) {
                free(path);
                return r;
        }
        r = append_object(m, path, properties, world, object);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_groups(sd_bus_message *m, const Call *call) {
        const World *world = broker_world(call->bus->broker);
        int r;

        r = sd_bus_message_open_container(m, 'a', "(oa{sv})");
        for (size_t i = 0; r >= 0 && i < world->topology.n_groups; i++) {
                const Group *group = world->topology.groups[i];

                r = append_element(m, path_of_group(group->facts.number), bus_group_properties,
                                   world, group);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_devices(sd_bus_message *m, const Call *call) {
        const World *world = broker_world(call->bus->broker);
        int r;

        r = sd_bus_message_open_container(m, 'a', "(oa{sv})");
        for (size_t i = 0; r >= 0 && i < world->topology.n_groups; i++) {
                const Group *group = world->topology.groups[i];

                for (size_t j = 0; r >= 0 && j < group->n_members; j++)
                        r = append_element(m, path_of_device(group->members[j]->facts.name),
                                           bus_device_properties, world, group->members[j]);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_leases(sd_bus_message *m, const Call *call) {
        const World *world = broker_world(call->bus->broker);
        int r;

        r = sd_bus_message_open_container(m, 'a', "(oa{sv})");
        list_for_each(link, &world->leases.leases) {
                const Lease *lease = container_of(link, Lease, link);

                if (r >= 0)
                        r = append_element(m, path_of_lease(lease->id), bus_lease_properties, world,
                                           lease);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void run_groups(Call *call) {
        call_reply_with(call, append_groups);
}

static void run_devices(Call *call) {
        call_reply_with(call, append_devices);
}

static void run_leases(Call *call) {
        call_reply_with(call, append_leases);
}

static int begin_list(sd_bus_message *m, Bus *bus, CallRun run) {
        Request request = {0};

        return call_begin(bus, m, PERMISSION_LIST, run, &request, false);
}

int list_method_groups(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        return begin_list(m, userdata, run_groups);
}

int list_method_devices(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        return begin_list(m, userdata, run_devices);
}

int list_method_leases(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        return begin_list(m, userdata, run_leases);
}

static int append_overview_device(sd_bus_message *m, const World *world, const Device *device) {
        _cleanup_free_ char *assignment = assignment_state(world, device);
        const DeviceFacts *facts = &device->facts;
        int r;

        if (!assignment)
                return -ENOMEM;
        r = sd_bus_message_open_container(m, 'r', "sssssqqssass");
        if (r >= 0)
                r = sd_bus_message_append(
                        m, "sssssqqss", facts->name, facts->bus, string_or_empty(facts->driver),
                        verdict_name(device_verdict(&world->topology, device)),
                        bus_device_state(world, device), facts->vendor, facts->device,
                        string_or_empty(facts->vendor_name), string_or_empty(facts->device_name));
        if (r >= 0)
                r = bus_append_strv(m, facts->interfaces);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", assignment);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_overview_group(sd_bus_message *m, const World *world, const Group *group) {
        _cleanup_free_ char *lease = bus_group_lease(world, group);
        int r;

        if (!lease)
                return -ENOMEM;
        r = sd_bus_message_open_container(m, 'r', "usbboa(sssssqqssass)");
        if (r >= 0)
                r = sd_bus_message_append(m, "usbbo", group->facts.number, bus_group_type(group),
                                          group_is_viable(&world->topology, group),
                                          group_is_bound(&world->topology, group), lease);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sssssqqssass)");
        for (size_t i = 0; r >= 0 && i < group->n_members; i++)
                r = append_overview_device(m, world, group->members[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_overview(sd_bus_message *m, const Call *call) {
        const World *world = broker_world(call->bus->broker);
        int r;

        r = sd_bus_message_open_container(m, 'a', "(usbboa(sssssqqssass))");
        for (size_t i = 0; r >= 0 && i < world->topology.n_groups; i++)
                r = append_overview_group(m, world, world->topology.groups[i]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void run_overview(Call *call) {
        call_reply_with(call, append_overview);
}

int list_method_overview(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        return begin_list(m, userdata, run_overview);
}

/* Reads the request's groups afresh and selects its targets, or answers the call with why not. */
static bool select_fresh(Call *call, Selection *selection) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        broker_refresh(call->bus->broker, &call->request);
        if (select_targets(&broker_world(call->bus->broker)->topology, &call->request, selection,
                           &refusal) == REFUSAL_NONE)
                return true;
        call_reply_refusal(call, &refusal);
        return false;
}

static int append_one_group(sd_bus_message *m, const Call *call) {
        const World *world = broker_world(call->bus->broker);
        uint32_t number = call->request.targets[0].group;

        return append_object(m, path_of_group(number), bus_group_properties, world,
                             topology_find_group(&world->topology, number));
}

static int append_one_device(sd_bus_message *m, const Call *call) {
        const World *world = broker_world(call->bus->broker);
        const char *name = call->request.targets[0].device;

        return append_object(m, path_of_device(name), bus_device_properties, world,
                             topology_find_device(&world->topology, name));
}

static void run_get_group(Call *call) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;

        if (select_fresh(call, &selection))
                call_reply_with(call, append_one_group);
}

static void run_get_device(Call *call) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;

        if (select_fresh(call, &selection))
                call_reply_with(call, append_one_device);
}

static int begin_get(sd_bus_message *m, Bus *bus, const char *target, CallRun run,
                     sd_bus_error *error) {
        _cleanup_request_ Request request = {0};
        int r;

        r = bus_set_targets(bus, &request, (char *[]){(char *)target, NULL}, error);
        return r < 0 ? r : call_begin(bus, m, PERMISSION_LIST, run, &request, false);
}

int list_method_get_group(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        char target[32];
        uint32_t number;
        int r;

        r = sd_bus_message_read(m, "u", &number);
        if (r < 0)
                return r;
        (void)snprintf(target, sizeof(target), "group/%u", number);
        return begin_get(m, userdata, target, run_get_group, error);
}

/* Of a number with 32 bits. */
#define GROUP_DIGITS 10

/* A group where a device is wanted, as it was typed. */
static bool is_group(const char *name) {
        const char *number = string_after(name, "group/");
        size_t n = 0;

        while (number && n <= GROUP_DIGITS && number[n] >= '0' && number[n] <= '9')
                n++;
        return n > 0 && n <= GROUP_DIGITS && number[n] == '\0';
}

int list_method_get_device(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        if (is_group(name)) {
                (void)refuse(&refusal, REFUSAL_INVALID_TARGET,
                             "'%s' is a group; name a device of it", name);
                return bus_error_set_refusal(error, &refusal);
        }
        return begin_get(m, userdata, string_after(name, "group/") ? "" : name, run_get_device,
                         error);
}

#define NO_IOMMU_REASON                                                                            \
        ", and has no IOMMU: whoever has it can read and write all of the host's memory"
#define NO_IOMMU_REMEDY                                                                            \
        "it is given to nobody unless an administrator sets unsafe_noiommu in vfiod.json (see "    \
        "vfiod(8))"

static int append_in_use(sd_bus_message *m, const Device *member) {
        int r = sd_bus_message_open_container(m, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", "InUse");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = bus_append_strv(m, member->in_use);
        for (size_t i = 0; r >= 0 && i < 2; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

/* What its verdict says, unless the group would have to be bound, which Bind may not do. */
static char *remedy_of(const World *world, const Device *member, Verdict verdict, bool refused) {
        if (refused)
                return strdup(NO_IOMMU_REMEDY);
        if (verdict == VERDICT_NO_DRIVER || verdict == VERDICT_HOST_DRIVER)
                return decide_bind_remedy(world, member->group);
        return verdict_remedy(verdict, &member->facts);
}

static int append_explanation(sd_bus_message *m, const World *world, const Device *member) {
        Verdict verdict = device_verdict(&world->topology, member);
        bool no_iommu = group_has_no_iommu(member->group);
        bool refused = no_iommu && !world->config.unsafe_noiommu;
        _cleanup_free_ char *reason = verdict_reason(verdict, &member->facts);
        _cleanup_free_ char *remedy = remedy_of(world, member, verdict, refused);
        _cleanup_free_ char *sentence = NULL, *uses = strv_join(member->in_use, ", ");
        int r;

        if (reason && uses)
                sentence = string_format("%s %s%s%s%s", member->facts.name, reason,
                                         no_iommu ? NO_IOMMU_REASON : "",
                                         *uses ? ", and in use by the host: " : "", uses);
        if (!sentence || !remedy)
                return -ENOMEM;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "Device", "s",
                                          member->facts.name, "Group", "u", member->facts.group,
                                          "Driver", "s", member->facts.driver, "Verdict", "s",
                                          verdict_name(verdict), "Viable", "b",
                                          verdict_is_viable(verdict), "Bound", "b",
                                          verdict_is_bound(verdict) && !refused, "Reason", "s",
                                          sentence, "Remedy", "s", remedy);
        if (r >= 0)
                r = append_in_use(m, member);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_explanations(sd_bus_message *m, const Call *call) {
        const World *world = broker_world(call->bus->broker);
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        int r;

        if (select_targets(&world->topology, &call->request, &selection, &refusal))
                return -ENOENT;
        r = sd_bus_message_open_container(m, 'a', "a{sv}");
        for (size_t i = 0; i < selection.n_groups; i++)
                for (size_t j = 0; r >= 0 && j < selection.groups[i]->n_members; j++)
                        r = append_explanation(m, world, selection.groups[i]->members[j]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void run_explain(Call *call) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;

        if (!select_fresh(call, &selection))
                return;
        broker_refresh_usage(call->bus->broker, &call->request);
        call_reply_with(call, append_explanations);
}

int list_method_explain(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {0};
        Bus *bus = userdata;
        int r;

        r = bus_read_targets(m, bus, &request, error);
        return r < 0 ? r : call_begin(bus, m, PERMISSION_LIST, run_explain, &request, false);
}
