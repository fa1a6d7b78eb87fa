/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/state.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/json-text.h"
#include "daemon/core/record.h"
#include "daemon/util/string.h"

typedef struct json_object JsonObject;

#define FIELD(structure, name, type, member)                                                       \
        {(name), (type), offsetof(structure, member), 0, NULL, 0, NULL}
#define COUNTED(structure, name, type, member, count, records)                                     \
        {(name), (type), offsetof(structure, member), offsetof(structure, count), NULL, 0, records}
#define WORD(structure, name, member, word, n)                                                     \
        {(name), FIELD_WORD, offsetof(structure, member), 0, word, n, NULL}
#define RECORD_TYPE(structure, fields) {sizeof(structure), fields, ELEMENTS(fields)}

static const char *word_of_state(unsigned value) {
        return lease_state_name((LeaseState)value);
}

static const char *word_of_mode(unsigned value) {
        return mode_name((Mode)value);
}

static const char *word_of_prepare(unsigned value) {
        return prepare_name((Prepare)value);
}

static const char *word_of_operation(unsigned value) {
        return operation_name((Operation)value);
}

static const char *word_of_step(unsigned value) {
        return step_kind_name((StepKind)value);
}

static const Field range_fields[] = {
        FIELD(IovaRange, "first", FIELD_U64, first),
        FIELD(IovaRange, "last", FIELD_U64, last),
};
static const RecordType range_type = RECORD_TYPE(IovaRange, range_fields);

static const Field id_fields[] = {
        FIELD(LeaseDeviceId, "device", FIELD_TEXT, device),
        FIELD(LeaseDeviceId, "id", FIELD_U32, id),
        FIELD(LeaseDeviceId, "cookie", FIELD_U64, cookie),
};
static const RecordType id_type = RECORD_TYPE(LeaseDeviceId, id_fields);

static const Field lease_fields[] = {
        FIELD(Lease, "id", FIELD_U32, id),
        FIELD(Lease, "owner", FIELD_U32, owner),
        FIELD(Lease, "label", FIELD_TEXT, label),
        FIELD(Lease, "client", FIELD_TEXT, client),
        WORD(Lease, "state", state, word_of_state, LEASE_GONE),
        FIELD(Lease, "closed", FIELD_BOOLEAN, closed),
        FIELD(Lease, "stuck", FIELD_BOOLEAN, stuck),
        WORD(Lease, "mode", mode, word_of_mode, _MODE_MAX),
        WORD(Lease, "prepare", prepare, word_of_prepare, _PREPARE_MAX),
        FIELD(Lease, "since", FIELD_U64, since),
        FIELD(Lease, "deadline", FIELD_U64, deadline),
        COUNTED(Lease, "groups", FIELD_NUMBERS, groups, n_groups, NULL),
        FIELD(Lease, "devices", FIELD_TEXTS, devices),
        FIELD(Lease, "ioas", FIELD_U32, iommufd.ioas),
        FIELD(Lease, "alignment", FIELD_U64, iommufd.alignment),
        COUNTED(Lease, "iovas", FIELD_RECORDS, iommufd.iovas, iommufd.n_iovas, &range_type),
        COUNTED(Lease, "ids", FIELD_RECORDS, iommufd.ids, iommufd.n_ids, &id_type),
};
static const RecordType lease_type = RECORD_TYPE(Lease, lease_fields);

static const Field original_fields[] = {
        FIELD(StateOriginal, "device", FIELD_TEXT, device),
        FIELD(StateOriginal, "driver", FIELD_TEXT, driver),
        FIELD(StateOriginal, "module", FIELD_TEXT, module),
        FIELD(StateOriginal, "override", FIELD_TEXT, override),
        FIELD(StateOriginal, "bound", FIELD_TEXT, bound),
};
static const RecordType original_type = RECORD_TYPE(StateOriginal, original_fields);

static const Field step_fields[] = {
        WORD(Step, "kind", kind, word_of_step, _STEP_KIND_MAX),
        FIELD(Step, "group", FIELD_U32, group),
        FIELD(Step, "no_iommu", FIELD_BOOLEAN, no_iommu),
        FIELD(Step, "device", FIELD_TEXT, device),
        FIELD(Step, "bus", FIELD_TEXT, bus),
        FIELD(Step, "driver", FIELD_TEXT, driver),
        FIELD(Step, "fallback", FIELD_TEXT, fallback),
        FIELD(Step, "module", FIELD_TEXT, module),
        FIELD(Step, "optional", FIELD_BOOLEAN, optional),
        FIELD(Step, "override", FIELD_TEXT, override),
        FIELD(Step, "override_old", FIELD_TEXT, override_old),
        FIELD(Step, "reset_method", FIELD_TEXT, reset_method),
        FIELD(Step, "reset_method_old", FIELD_TEXT, reset_method_old),
        FIELD(Step, "directory", FIELD_TEXT, directory),
        FIELD(Step, "assignments", FIELD_TEXT, assignments),
        FIELD(Step, "assignments_old", FIELD_TEXT, assignments_old),
        FIELD(Step, "subjects", FIELD_TEXT, subjects),
        FIELD(Step, "mdev_parent", FIELD_TEXT, mdev_parent),
        FIELD(Step, "mdev_type", FIELD_TEXT, mdev_type),
        FIELD(Step, "mdev_uuid", FIELD_TEXT, mdev_uuid),
        FIELD(Step, "n_vfs", FIELD_U32, n_vfs),
        FIELD(Step, "n_vfs_old", FIELD_U32, n_vfs_old),
        FIELD(Step, "autoprobe", FIELD_BOOLEAN, autoprobe),
        FIELD(Step, "autoprobe_old", FIELD_BOOLEAN, autoprobe_old),
        FIELD(Step, "device_id", FIELD_U32, device_id),
        FIELD(Step, "ioas", FIELD_U32, ioas),
        COUNTED(Step, "groups", FIELD_NUMBERS, groups, n_groups, NULL),
        FIELD(Step, "and_group_files", FIELD_BOOLEAN, and_group_files),
        FIELD(Step, "signal", FIELD_INT, signal),
        FIELD(Step, "grace_ms", FIELD_U64, grace_ms),
        FIELD(Step, "bytes", FIELD_U64, bytes),
        FIELD(Step, "pid", FIELD_INT, pid),
        FIELD(Step, "start_time", FIELD_U64, start_time),
        FIELD(Step, "uid", FIELD_U32, uid),
};
static const RecordType step_type = RECORD_TYPE(Step, step_fields);

static const Field plan_fields[] = {
        WORD(StatePlan, "operation", operation, word_of_operation, _OPERATION_MAX),
        FIELD(StatePlan, "uid", FIELD_U32, uid),
        FIELD(StatePlan, "lease", FIELD_U32, lease),
        COUNTED(StatePlan, "groups", FIELD_NUMBERS, groups, n_groups, NULL),
        COUNTED(StatePlan, "steps", FIELD_RECORDS, plan.steps, plan.n_steps, &step_type),
};
static const RecordType plan_type = RECORD_TYPE(StatePlan, plan_fields);

static void original_done(StateOriginal *original) {
        free(original->device);
        free(original->driver);
        free(original->module);
        free(original->override);
        free(original->bound);
}

void state_done(State *state) {
        if (state->leases.leases.next)
                lease_table_done(&state->leases);
        for (size_t i = 0; i < state->n_originals; i++)
                original_done(&state->originals[i]);
        free(state->originals);
        for (size_t i = 0; i < state->n_plans; i++) {
                free(state->plans[i].groups);
                plan_done(&state->plans[i].plan);
        }
        free(state->plans);
        *state = (State){0};
}

/* Writing. */

static JsonObject *write_leases(const LeaseTable *table) {
        JsonObject *array = json_object_new_array();

        list_for_each(link, &table->leases) {
                JsonObject *item = record_write(&lease_type, container_of(link, const Lease, link));

                if (!array || !item || json_object_array_add(array, item) < 0) {
                        json_object_put(item);
                        json_object_put(array);
                        return NULL;
                }
        }
        return array;
}

/* The strings stay the topology's: only the array is to be freed. */
static StateOriginal *collect_originals(const Topology *topology, size_t *ret_n) {
        StateOriginal *originals = calloc(topology->n_devices + 1, sizeof(StateOriginal));

        for (size_t i = 0; originals && i < topology->n_devices; i++) {
                const Device *device = topology->devices[i];

                if (device->original.recorded)
                        originals[(*ret_n)++] = (StateOriginal){
                                .device = device->facts.name,
                                .driver = device->original.driver,
                                .module = device->original.module,
                                .override = device->original.override,
                                .bound = device->original.bound,
                        };
        }
        return originals;
}

static JsonObject *write_originals(const Topology *topology) {
        size_t n = 0;
        _cleanup_free_ StateOriginal *originals = collect_originals(topology, &n);

        return originals ? records_write(&original_type, originals, n) : NULL;
}

/* Owns `value`, which may be NULL for no memory. */
static bool add_member(JsonObject *root, const char *name, JsonObject *value) {
        if (value && json_object_object_add(root, name, value) == 0)
                return true;
        json_object_put(value);
        return false;
}

char *state_write(const World *world, const StatePlan *plans, size_t n_plans) {
        _cleanup_(json_object_putp) JsonObject *root = json_object_new_object();
        const char *text;

        if (!root || !add_member(root, "version", json_object_new_uint64(STATE_VERSION)) ||
            !add_member(root, "last_lease", json_object_new_uint64(world->leases.last_id)) ||
            !add_member(root, "leases", write_leases(&world->leases)) ||
            !add_member(root, "originals", write_originals(&world->topology)) ||
            !add_member(root, "plans", records_write(&plan_type, plans, n_plans)))
                return NULL;
        text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN |
                                                            JSON_C_TO_STRING_NOSLASHESCAPE);
        return text ? string_format("%s\n", text) : NULL;
}

/* Reading: first the form, by the tables, then the sense. */

static bool is_device_name(const char *name) {
        Target target;

        return name && target_parse(name, &target) == 0 && target.kind == TARGET_DEVICE &&
               strcmp(target.device, name) == 0;
}

static bool are_ascending(const uint32_t *numbers, size_t n) {
        for (size_t i = 1; i < n; i++)
                if (numbers[i - 1] >= numbers[i])
                        return false;
        return true;
}

static bool are_device_names(char *const *names) {
        for (size_t i = 0; names && names[i]; i++)
                if (!is_device_name(names[i]) || (i > 0 && strcmp(names[i - 1], names[i]) >= 0))
                        return false;
        return true;
}

static bool is_text(const char *text, size_t most) {
        return !text || (strlen(text) <= most && string_is_printable_utf8(text));
}

static bool are_ids_of(const Lease *lease) {
        for (size_t i = 0; i < lease->iommufd.n_ids; i++)
                if (!is_device_name(lease->iommufd.ids[i].device))
                        return false;
        return true;
}

/* NULL: nothing is wrong with the lease, beside those in the table. */
static const char *lease_problem(const LeaseTable *table, const Lease *lease) {
        const Lease *last = table->leases.previous == &table->leases
                                    ? NULL
                                    : container_of(table->leases.previous, Lease, link);

        if (lease->id == 0 || lease->id > table->last_id || (last && lease->id <= last->id))
                return "has an id that is out of order";
        if (lease->n_groups == 0 || !are_ascending(lease->groups, lease->n_groups))
                return "has groups that are out of order, or none";
        for (size_t i = 0; i < lease->n_groups; i++)
                if (lease_table_find_group(table, lease->groups[i]))
                        return "has a group that another lease has too";
        if (!are_device_names(lease->devices) || !are_ids_of(lease))
                return "has a device that cannot be one, or is out of order";
        if (!is_text(lease->label, LEASE_LABEL_MAX) ||
            !is_text(lease->client, sizeof((Caller){0}.name) - 1))
                return "has a label or client that cannot be one";
        if (lease->mode == MODE_AUTO)
                return "has mode 'auto', which no lease is in";
        return NULL;
}

static int read_lease(LeaseTable *table, JsonObject *json, char **error) {
        Lease *lease = calloc(1, sizeof(Lease));
        const char *problem;
        int r;

        if (!lease)
                return -ENOMEM;
        list_init(&lease->link);
        r = record_read(&lease_type, json, lease, error);
        problem = r < 0 ? NULL : lease_problem(table, lease);
        if (problem)
                *error = string_format(": %s", problem);
        if (r < 0 || problem) {
                lease_free(lease);
                return r < 0 ? r : *error ? -EBADMSG : -ENOMEM;
        }
        list_insert(&table->leases, &lease->link);
        return 0;
}

static int read_leases(LeaseTable *table, JsonObject *json, char **error) {
        if (!json_object_is_type(json, json_type_array))
                return record_complain(error, "leases", "must be an array");
        for (size_t i = 0; i < json_object_array_length(json); i++) {
                char path[32];
                int r = read_lease(table, json_object_array_get_idx(json, i), error);

                (void)snprintf(path, sizeof(path), "leases[%zu]", i);
                if (r < 0)
                        return *error ? record_complain(error, path, "") : r;
        }
        return 0;
}

static bool is_original(const State *state, size_t i) {
        const StateOriginal *original = &state->originals[i];

        if (!is_device_name(original->device) || !original->driver || !original->module ||
            !original->override)
                return false;
        return i == 0 || strcmp(state->originals[i - 1].device, original->device) < 0;
}

static bool is_plan(const StatePlan *plan) {
        for (size_t i = 0; i < plan->plan.n_steps; i++) {
                const char *device = plan->plan.steps[i].device;

                if (device && !is_device_name(device))
                        return false;
        }
        return are_ascending(plan->groups, plan->n_groups);
}

static int check_sense(const State *state, char **error) {
        char path[48];

        for (size_t i = 0; i < state->n_originals; i++)
                if (!is_original(state, i)) {
                        (void)snprintf(path, sizeof(path), "originals[%zu]", i);
                        return record_complain(error, path, "is incomplete or out of order");
                }
        for (size_t i = 0; i < state->n_plans; i++)
                if (!is_plan(&state->plans[i])) {
                        (void)snprintf(path, sizeof(path), "plans[%zu]", i);
                        return record_complain(error, path,
                                               "has a device that cannot be one, or groups out of "
                                               "order");
                }
        return 0;
}

typedef struct Top {
        uint32_t version;
        uint32_t last_lease;
        StateOriginal *originals;
        size_t n_originals;
        StatePlan *plans;
        size_t n_plans;
} Top;

static const Field top_fields[] = {
        FIELD(Top, "version", FIELD_U32, version),
        FIELD(Top, "last_lease", FIELD_U32, last_lease),
        COUNTED(Top, "originals", FIELD_RECORDS, originals, n_originals, &original_type),
        COUNTED(Top, "plans", FIELD_RECORDS, plans, n_plans, &plan_type),
};
static const RecordType top_type = RECORD_TYPE(Top, top_fields);

/* Before anything else is looked at: a newer one may have other members. */
static int check_version(JsonObject *root, char **error) {
        JsonObject *version;

        if (!json_object_object_get_ex(root, "version", &version) ||
            !json_object_is_type(version, json_type_int) || json_object_get_int64(version) < 1)
                return record_complain(error, "version", "must be a whole number above 0");
        if (json_object_get_int64(version) == STATE_VERSION)
                return 0;
        *error = string_format("version: %lld, written by a newer vfiod than this one, which reads "
                               "%u",
                               (long long)json_object_get_int64(version), STATE_VERSION);
        return *error ? -EPROTONOSUPPORT : -ENOMEM;
}

static int read_root(JsonObject *root, State *state, char **error) {
        JsonObject *leases = NULL;
        Top top = {0};
        int r;

        r = check_version(root, error);
        if (r < 0)
                return r;
        if (!json_object_object_get_ex(root, "leases", &leases))
                return record_complain(error, "leases", "is missing");
        leases = json_object_get(leases);
        json_object_object_del(root, "leases");
        r = record_read(&top_type, root, &top, error);
        state->leases.last_id = top.last_lease;
        state->originals = top.originals;
        state->n_originals = top.n_originals;
        state->plans = top.plans;
        state->n_plans = top.n_plans;
        if (r >= 0)
                r = read_leases(&state->leases, leases, error);
        json_object_put(leases);
        return r < 0 ? r : check_sense(state, error);
}

int state_read(const char *text, State *ret, char **ret_error) {
        _cleanup_(json_object_putp) JsonObject *root = NULL;
        _cleanup_state_ State state = {0};
        const char *problem;
        size_t at;
        int r;

        *ret_error = NULL;
        if (string_is_empty(text)) {
                *ret_error = string_format("it is empty");
                return *ret_error ? -EBADMSG : -ENOMEM;
        }
        root = json_text_parse(text, &problem, &at);
        if (!root) {
                *ret_error = string_format("byte %zu: %s", at, problem);
                return *ret_error ? -EBADMSG : -ENOMEM;
        }
        lease_table_init(&state.leases);
        r = read_root(root, &state, ret_error);
        if (r < 0)
                return r;
        *ret = state;
        /* The list's head has moved. */
        list_init(&ret->leases.leases);
        list_for_each_safe(link, &state.leases.leases) {
                list_remove(link);
                list_insert(&ret->leases.leases, link);
        }
        state = (State){0};
        return 0;
}
