/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-mdev.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-path.h"
#include "daemon/bus/bus-request.h"
#include "daemon/bus/call.h"
#include "daemon/kernel/mdev-types.h"
#include "daemon/util/string.h"

#define QUOTE_SIZE 65

/* --- ListMdevTypes */

/* A type as its findings tell of it. */
typedef struct MdevType {
        const char *parent;
        uint32_t available;
        char *texts[_MDEV_FIELD_MAX];
} MdevType;

static void mdev_type_done(MdevType *type) {
        for (size_t i = 0; i < _MDEV_FIELD_MAX; i++)
                free(type->texts[i]);
}

static int add_text(MdevType *type, const Finding *finding) {
        if (finding->values[0] >= _MDEV_FIELD_MAX)
                return 0;
        return string_append(&type->texts[finding->values[0]], "%.*s", (int)finding->values[1],
                             (const char *)finding->bytes);
}

/* *i is at the type; it is left behind its last finding. */
static int read_type(const Findings *findings, size_t *i, MdevType *ret) {
        const Finding *first = &findings->findings[(*i)++];
        int r = 0;

        *ret = (MdevType){.parent = first->device, .available = (uint32_t)first->values[0]};
        for (; r >= 0 && *i < findings->n_findings; (*i)++) {
                if (findings->findings[*i].kind != FINDING_MDEV_TEXT)
                        break;
                r = add_text(ret, &findings->findings[*i]);
        }
        return r;
}

/* A driver may write what it likes; several lines are not unusual. */
static const char *told(char *text) {
        for (char *c = text; c && *c; c++)
                if (*c == '\n')
                        *c = ' ';
        return text ? string_make_printable(text) : "";
}

static int append_devices(sd_bus_message *m, const Topology *topology, const MdevType *type) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "Devices");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "s");
        for (size_t i = 0; r >= 0 && i < topology->n_devices; i++) {
                const Device *device = topology->devices[i];

                if (device_is_mdev_of(device, type->parent, type->texts[MDEV_FIELD_TYPE]))
                        r = sd_bus_message_append(m, "s", device->facts.name);
        }
        for (int i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_type(sd_bus_message *m, const Topology *topology, MdevType *type) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(
                        m, "{sv}{sv}{sv}{sv}{sv}{sv}", "Parent", "s", type->parent, "Type", "s",
                        string_or_empty(type->texts[MDEV_FIELD_TYPE]), "Name", "s",
                        told(type->texts[MDEV_FIELD_NAME]), "Description", "s",
                        told(type->texts[MDEV_FIELD_DESCRIPTION]), "DeviceApi", "s",
                        told(type->texts[MDEV_FIELD_API]), "Available", "u", type->available);
        if (r >= 0)
                r = append_devices(m, topology, type);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_types(sd_bus_message *m, const Call *call, const Outcome *outcome) {
        const Topology *topology = &broker_world(call->bus->broker)->topology;
        const Findings *findings = &outcome->results.findings;
        int r = sd_bus_message_open_container(m, 'a', "a{sv}");

        for (size_t i = 0; r >= 0 && i < findings->n_findings;) {
                _cleanup_(mdev_type_done) MdevType type = {NULL};

                if (findings->findings[i].kind != FINDING_MDEV_TYPE) {
                        i++;
                        continue;
                }
                r = read_type(findings, &i, &type);
                if (r >= 0)
                        r = append_type(m, topology, &type);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void on_types(void *userdata, Outcome *outcome) {
        call_reply_found(userdata, outcome, append_types);
}

static void run_list(Call *call) {
        const char *parent = call->request.n_targets > 0 ? call->request.targets[0].device : NULL;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (parent && broker_check_mdev_parent(call->bus->broker, parent, &refusal)) {
                call_reply_refusal(call, &refusal);
                return;
        }
        call_off_without_sender(call);
        broker_read_mdev_types(call->bus->broker, &call->request, parent, on_types, call);
}

/* The name of a device, into the request as its target. */
static int set_parent(const Bus *bus, Request *request, const char *parent, sd_bus_error *error) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        int r = bus_set_targets(bus, request, (char *[]){(char *)parent, NULL}, error);

        if (r < 0 || request->targets[0].kind == TARGET_DEVICE)
                return r;
        (void)refuse(&refusal, REFUSAL_INVALID_TARGET,
                     "%s is a group; mediated devices are made of one device", parent);
        return bus_error_set_refusal(error, &refusal);
}

int mdev_method_list_types(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_LOOK};
        const char *parent;
        int r;

        r = sd_bus_message_read(m, "s", &parent);
        if (r >= 0 && *parent)
                r = set_parent(userdata, &request, parent, error);
        return r < 0 ? r : call_begin(userdata, m, PERMISSION_LIST, run_list, &request, false);
}

/* --- CreateMdev */

static int append_created(sd_bus_message *m, const Call *call, const Outcome *outcome _unused_) {
        const char *uuid = call->request.mdev_uuid;
        _cleanup_free_ char *path = path_of_device(uuid);

        return path ? sd_bus_message_append(m, "so", uuid, path) : -ENOMEM;
}

static void on_created(void *userdata, Outcome *outcome) {
        call_reply_result(userdata, outcome, append_created, "tell what was made");
}

static void run_create(Call *call) {
        call_run(call, on_created);
}

static int make_uuid(char ret[UUID_LENGTH + 1]) {
        sd_id128_t id;
        int r = sd_id128_randomize(&id);

        return r < 0 ? r : uuid_parse(SD_ID128_TO_UUID_STRING(id), ret);
}

static int set_uuid(Request *request, const char *given, sd_bus_error *error) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        char uuid[UUID_LENGTH + 1], quote[QUOTE_SIZE];
        int r = *given ? uuid_parse(given, uuid) : make_uuid(uuid);

        if (r >= 0)
                return string_set(&request->mdev_uuid, uuid);
        if (r != -EINVAL)
                return r;
        (void)refuse(&refusal, REFUSAL_INVALID_TARGET,
                     "'%s' is no UUID such as 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001; leave it out, "
                     "and one is made",
                     string_quotable(given, quote, sizeof(quote)));
        return bus_error_set_refusal(error, &refusal);
}

int mdev_method_create(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_CREATE_MDEV};
        const char *parent, *type, *uuid;
        int r;

        r = sd_bus_message_read(m, "sss", &parent, &type, &uuid);
        if (r >= 0)
                r = set_parent(userdata, &request, parent, error);
        if (r >= 0)
                r = bus_check_text(type, error);
        if (r >= 0)
                r = string_set(&request.mdev_type, type);
        if (r >= 0)
                r = set_uuid(&request, uuid, error);
        if (r >= 0)
                r = bus_read_options(m, userdata, OPTIONS_MDEV, &request, error);
        return r < 0 ? r : call_begin(userdata, m, PERMISSION_MANAGE, run_create, &request, false);
}

/* --- RemoveMdev */

static void on_removed(void *userdata, Outcome *outcome) {
        call_reply_outcome(userdata, outcome);
}

static void run_remove(Call *call) {
        call_run(call, on_removed);
}

int mdev_method_remove(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_REMOVE_MDEV};
        int r = bus_set_own_target(m, userdata, &request, error);

        return r < 0 ? r : call_begin(userdata, m, PERMISSION_MANAGE, run_remove, &request, false);
}
