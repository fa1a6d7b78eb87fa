/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/config.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "daemon/core/json-line.h"
#include "daemon/core/json-text.h"
#include "daemon/core/lease.h"
#include "daemon/util/string.h"

#define NUMBER(section, name, field, least, most)                                                  \
        {section, name, CONFIG_NUMBER, offsetof(Config, field), least, most}
#define BOOLEAN(section, name, field) {section, name, CONFIG_BOOLEAN, offsetof(Config, field), 0, 0}

static const ConfigKey keys[] = {
        NUMBER("limits", "targets", limit_targets, 1, 4096),
        NUMBER("limits", "leases", limit_leases, 1, 4096),
        NUMBER("limits", "leases_per_uid", limit_leases_per_uid, 0, 4096),
        NUMBER("limits", "groups", limit_groups, 1, 65536),
        NUMBER("limits", "groups_per_lease", limit_groups_per_lease, 1, 4096),
        NUMBER("limits", "operations", limit_operations, 1, 1024),
        NUMBER("limits", "operations_per_uid", limit_operations_per_uid, 1, 1024),
        NUMBER("limits", "groups_per_uid", limit_groups_per_uid, 0, 65536),
        NUMBER("limits", "label_bytes", limit_label_bytes, 0, LEASE_LABEL_MAX),
        NUMBER("limits", "waits", limit_waits, 1, 1024),
        NUMBER("limits", "waits_per_uid", limit_waits_per_uid, 0, 1024),
        NUMBER("limits", "requests", limit_requests, 1, 65536),
        NUMBER("limits", "requests_per_uid", limit_requests_per_uid, 1, 65536),
        NUMBER("limits", "questions", limit_questions, 1, 1024),
        NUMBER("limits", "questions_per_uid", limit_questions_per_uid, 1, 1024),
        NUMBER("limits", "interactive_questions_per_uid", limit_interactive_questions_per_uid, 1,
               64),
        NUMBER("limits", "connections", limit_connections, 1, 4096),
        NUMBER("limits", "connections_per_uid", limit_connections_per_uid, 1, 4096),
        NUMBER("limits", "authentication_ms", limit_authentication_ms, 10, 90000),
        NUMBER("limits", "message_bytes", limit_message_bytes, 4096, 1ULL << 27),
        NUMBER("limits", "queued_messages", limit_queued_messages, 16, 65536),
        NUMBER("limits", "fds_in_flight", limit_fds_in_flight, 1, 65536),
        NUMBER("limits", "fds_in_flight_per_uid", limit_fds_in_flight_per_uid, 1, 65536),
        NUMBER("limits", "bus_fds_in_flight", limit_bus_fds_in_flight, 16, 65536),
        NUMBER("limits", "bus_fds_in_flight_per_uid", limit_bus_fds_in_flight_per_uid, 16, 65536),
        NUMBER("revoke", "timeout_ms", revoke_timeout_ms, 0, 86400000),
        NUMBER("revoke", "sigbus_grace_ms", sigbus_grace_ms, 0, 600000),
        NUMBER("revoke", "sigkill_grace_ms", sigkill_grace_ms, 0, 600000),
        BOOLEAN("revoke", "sigkill", sigkill),
        NUMBER("memlock", "max_bytes", memlock_max_bytes, 0, 1ULL << 50),
        NUMBER(NULL, "step_deadline_ms", step_deadline_ms, 100, 3600000),
        BOOLEAN(NULL, "variant_drivers", variant_drivers),
        BOOLEAN(NULL, "unsafe_noiommu", unsafe_noiommu),
};

typedef struct Source {
        const char *file;
        const char *text;
        char **error; /* out */
} Source;

typedef struct json_object JsonObject;

void config_init(Config *config) {
        *config = (Config){
                .limit_targets = 64,
                .limit_leases = 256,
                .limit_leases_per_uid = 32,
                .limit_groups = 1024,
                .limit_groups_per_lease = 64,
                .limit_operations = 64,
                .limit_operations_per_uid = 16,
                .limit_groups_per_uid = 128,
                .limit_label_bytes = 64,
                .limit_waits = 64,
                .limit_waits_per_uid = 8,
                .limit_requests = 1024,
                .limit_requests_per_uid = 128,
                .limit_questions = 512,
                .limit_questions_per_uid = 128,
                .limit_interactive_questions_per_uid = 2,
                .limit_connections = 256,
                .limit_connections_per_uid = 32,
                .limit_authentication_ms = 30000,
                .limit_message_bytes = 1ULL << 20,
                .limit_queued_messages = 1024,
                .limit_fds_in_flight = 4096,
                .limit_fds_in_flight_per_uid = 1024,
                .limit_bus_fds_in_flight = 48,
                .limit_bus_fds_in_flight_per_uid = 16,
                .step_deadline_ms = 30000,
                .revoke_timeout_ms = 10000,
                .sigbus_grace_ms = 2000,
                .sigkill_grace_ms = 5000,
                .sigkill = true,
                .memlock_max_bytes = 64ULL << 30,
                .variant_drivers = true,
                .unsafe_noiommu = false,
        };
}

const ConfigKey *config_keys(size_t *ret_n) {
        *ret_n = ELEMENTS(keys);
        return keys;
}

/* A key that is written with escapes is not found: its section's line then, or the first. */
static unsigned line_of(const Source *source, const char *section, const char *name) {
        const char *const outer[] = {section ? section : name, NULL};
        const char *const path[] = {outer[0], section ? name : NULL, NULL};
        unsigned line = json_line_of_key(source->text, path);

        if (line == 0)
                line = json_line_of_key(source->text, outer);
        return line > 0 ? line : 1;
}

static int complain(const Source *source, const char *section, const char *name,
                    const char *complaint) {
        *source->error =
                string_format("%s:%u: %s%s%s: %s", source->file, line_of(source, section, name),
                              section ? section : "", section ? "." : "", name, complaint);
        return *source->error ? -EINVAL : -ENOMEM;
}

static const ConfigKey *find_key(const char *section, const char *name) {
        for (size_t i = 0; i < ELEMENTS(keys); i++)
                if (string_equal(keys[i].section, section) && strcmp(keys[i].name, name) == 0)
                        return &keys[i];
        return NULL;
}

static bool is_section(const char *name) {
        for (size_t i = 0; i < ELEMENTS(keys); i++)
                if (string_equal(keys[i].section, name))
                        return true;
        return false;
}

static int apply_number(Config *config, const Source *source, const ConfigKey *key,
                        JsonObject *value) {
        _cleanup_free_ char *complaint = NULL;
        int64_t number;

        if (!json_object_is_type(value, json_type_int))
                return complain(source, key->section, key->name, "must be a whole number");
        number = json_object_get_int64(value);
        if (number < 0 || (uint64_t)number < key->least || (uint64_t)number > key->most) {
                complaint = string_format("must be from %" PRIu64 " to %" PRIu64, key->least,
                                          key->most);
                return complaint ? complain(source, key->section, key->name, complaint) : -ENOMEM;
        }
        *(uint64_t *)((char *)config + key->offset) = (uint64_t)number;
        return 0;
}

static int apply_key(Config *config, const Source *source, const char *section, const char *name,
                     JsonObject *value) {
        const ConfigKey *key = find_key(section, name);

        if (!key)
                return complain(source, section, name, "unknown key");
        if (key->type == CONFIG_NUMBER)
                return apply_number(config, source, key, value);
        if (!json_object_is_type(value, json_type_boolean))
                return complain(source, section, name, "must be true or false");
        *(bool *)((char *)config + key->offset) = json_object_get_boolean(value);
        return 0;
}

static int apply_top(Config *config, const Source *source, const char *name, JsonObject *value) {
        int r;

        if (!is_section(name))
                return apply_key(config, source, NULL, name, value);
        if (!json_object_is_type(value, json_type_object))
                return complain(source, NULL, name, "must be an object");

        json_object_object_foreach(value, inner_name, inner_value) {
                r = apply_key(config, source, name, inner_name, inner_value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse(const Source *source, JsonObject **ret) {
        const char *problem;
        size_t at;

        *ret = json_text_parse(source->text, &problem, &at);
        if (*ret)
                return 0;
        *source->error = string_format("%s:%u: %s", source->file,
                                       json_line_of_offset(source->text, at), problem);
        return *source->error ? -EINVAL : -ENOMEM;
}

int config_apply(Config *config, const char *file, const char *text, char **ret_error) {
        const Source source = {.file = file, .text = text, .error = ret_error};
        _cleanup_(json_object_putp) JsonObject *root = NULL;
        Config changed = *config;
        int r;

        r = parse(&source, &root);
        if (r < 0)
                return r;
        json_object_object_foreach(root, name, value) {
                r = apply_top(&changed, &source, name, value);
                if (r < 0)
                        return r;
        }
        *config = changed;
        return 0;
}
