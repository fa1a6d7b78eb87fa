/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/assignment.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/core/address.h"
#include "daemon/core/json-text.h"
#include "daemon/core/record.h"
#include "daemon/util/string.h"

typedef struct json_object JsonObject;

#define DRIVER_NAME_MAX 64
#define TIME_SIZE 32

/* Patterns of is_like(): 'x' is a lower-case hexadecimal digit, '0' a decimal one. */
#define LIKE_ADDRESS "xxxx:xx:xx.0"
#define LIKE_ID "xxxx:xxxx"
#define LIKE_SERIAL "xx-xx-xx-xx-xx-xx-xx-xx"
#define LIKE_TIME "0000-00-00T00:00:00Z"

#define TEXT(member) {.name = #member, .type = FIELD_TEXT, .offset = offsetof(Assignment, member)}

static const Field fields[] = {
        TEXT(device), TEXT(id), TEXT(subsystem), TEXT(serial), TEXT(driver), TEXT(since),
};
static const RecordType type = {sizeof(Assignment), fields, ELEMENTS(fields)};

void assignment_done(Assignment *assignment) {
        free(assignment->device);
        free(assignment->id);
        free(assignment->subsystem);
        free(assignment->serial);
        free(assignment->driver);
        free(assignment->since);
        *assignment = (Assignment){0};
}

void assignments_done(Assignments *assignments) {
        for (size_t i = 0; i < assignments->n; i++)
                assignment_done(&assignments->items[i]);
        free(assignments->items);
        *assignments = (Assignments)ASSIGNMENTS_NULL;
}

/* Reading: first the form, by the table, then the sense. */

static bool is_like(const char *text, const char *pattern) {
        if (!text || strlen(text) != strlen(pattern))
                return false;
        for (size_t i = 0; pattern[i]; i++) {
                bool hex = isxdigit((unsigned char)text[i]) && !isupper((unsigned char)text[i]);

                if (pattern[i] == 'x'   ? !hex
                    : pattern[i] == '0' ? !isdigit((unsigned char)text[i])
                                        : text[i] != pattern[i])
                        return false;
        }
        return true;
}

/* As the kernel spells it: it becomes a path. Domains may have up to eight digits. */
static bool is_pci_address(const char *text) {
        size_t n = text ? strlen(text) : 0;
        Target target;

        if (n < strlen(LIKE_ADDRESS) || !is_like(text + n - strlen(LIKE_ADDRESS), LIKE_ADDRESS))
                return false;
        return strspn(text, "0123456789abcdef") == n - strlen(":00:00.0") &&
               target_parse(text, &target) == 0 && strcmp(target.device, text) == 0;
}

/* It becomes a path and the argument of a command. */
static bool is_driver(const char *text) {
        size_t n = text ? strlen(text) : 0;

        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char)text[i]) && text[i] != '_' &&
                    (text[i] != '-' || i == 0))
                        return false;
        return n > 0 && n <= DRIVER_NAME_MAX;
}

/* NULL: nothing is wrong with it. */
static const char *problem_of(const Assignment *assignment, const Assignment *before) {
        if (!is_pci_address(assignment->device))
                return "device: must be a PCI address such as \"0000:01:00.0\"";
        if (before && strcmp(before->device, assignment->device) >= 0)
                return "device: is there twice, or out of order";
        if (!is_like(assignment->id, LIKE_ID))
                return "id: must be like \"8086:10d3\"";
        if (!is_like(assignment->subsystem, LIKE_ID))
                return "subsystem: must be like \"8086:a01f\"";
        if (assignment->serial && *assignment->serial && !is_like(assignment->serial, LIKE_SERIAL))
                return "serial: must be like \"52-54-00-ff-ff-12-34-56\", or \"\" for none";
        if (!is_driver(assignment->driver))
                return "driver: must be the name of a driver";
        if (!is_like(assignment->since, LIKE_TIME))
                return "since: must be like \"2026-11-21T22:40:05Z\"";
        return NULL;
}

static int check_sense(const Assignments *assignments, char **error) {
        for (size_t i = 0; i < assignments->n; i++) {
                const char *problem = problem_of(&assignments->items[i],
                                                 i > 0 ? &assignments->items[i - 1] : NULL);

                if (!problem)
                        continue;
                *error = string_format("assignments[%zu].%s", i, problem);
                return *error ? -EBADMSG : -ENOMEM;
        }
        return 0;
}

static int parse(const char *text, JsonObject **ret, char **error) {
        const char *problem;
        size_t at;

        *ret = json_text_parse(text, &problem, &at);
        if (*ret)
                return 0;
        *error = string_format("at byte %zu: %s", at, problem);
        return *error ? -EBADMSG : -ENOMEM;
}

static int check_version(JsonObject *root, char **error) {
        JsonObject *version;

        if (!json_object_object_get_ex(root, "version", &version) ||
            !json_object_is_type(version, json_type_int) || json_object_get_int64(version) < 1)
                return record_complain(error, "version", "must be a whole number from 1 on");
        if (json_object_get_int64(version) <= ASSIGNMENTS_VERSION)
                return 0;
        *error = string_format("version %lld was written by a newer vfiod; this one knows %u",
                               (long long)json_object_get_int64(version), ASSIGNMENTS_VERSION);
        return *error ? -EPROTONOSUPPORT : -ENOMEM;
}

static int check_members(JsonObject *root, char **error) {
        json_object_object_foreach(root, name, value) {
                (void)value;
                if (strcmp(name, "version") != 0 && strcmp(name, "assignments") != 0)
                        return record_complain(error, name, "is unknown");
        }
        return 0;
}

static int read_items(JsonObject *root, Assignments *assignments, char **error) {
        JsonObject *array;
        int r;

        if (!json_object_object_get_ex(root, "assignments", &array) ||
            !json_object_is_type(array, json_type_array))
                return record_complain(error, "assignments", "must be an array");
        if (json_object_array_length(array) > ASSIGNMENTS_MAX)
                return record_complain(error, "assignments", "has too many");
        r = records_read(&type, array, (void **)&assignments->items, &assignments->n, error);
        return r == -EBADMSG && *error ? record_complain(error, "assignments", "") : r;
}

int assignments_read(const char *text, Assignments *ret, char **ret_error) {
        _cleanup_assignments_ Assignments fresh = ASSIGNMENTS_NULL;
        _cleanup_(json_object_putp) JsonObject *root = NULL;
        int r;

        r = parse(text, &root, ret_error);
        if (r >= 0)
                r = check_version(root, ret_error);
        if (r >= 0)
                r = check_members(root, ret_error);
        if (r >= 0)
                r = read_items(root, &fresh, ret_error);
        if (r >= 0)
                r = check_sense(&fresh, ret_error);
        if (r < 0)
                return r;
        *ret = fresh;
        fresh = (Assignments)ASSIGNMENTS_NULL;
        return 0;
}

static bool add_member(JsonObject *root, const char *name, JsonObject *value) {
        if (value && json_object_object_add(root, name, value) == 0)
                return true;
        json_object_put(value);
        return false;
}

char *assignments_write(const Assignments *assignments) {
        _cleanup_(json_object_putp) JsonObject *root = json_object_new_object();
        const char *text;

        if (!root || !add_member(root, "version", json_object_new_int64(ASSIGNMENTS_VERSION)) ||
            !add_member(root, "assignments",
                        records_write(&type, assignments->items, assignments->n)))
                return NULL;
        text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
                                                            JSON_C_TO_STRING_SPACED |
                                                            JSON_C_TO_STRING_NOSLASHESCAPE);
        return text ? string_format("%s\n", text) : NULL;
}

/* The place of the device, or where it would be. */
static size_t place_of(const Assignments *assignments, const char *device) {
        size_t i = 0;

        while (i < assignments->n && strcmp(assignments->items[i].device, device) < 0)
                i++;
        return i;
}

static bool is_at(const Assignments *assignments, size_t place, const char *device) {
        return place < assignments->n && strcmp(assignments->items[place].device, device) == 0;
}

Assignment *assignments_find(const Assignments *assignments, const char *device) {
        size_t place = place_of(assignments, device);

        return is_at(assignments, place, device) ? &assignments->items[place] : NULL;
}

static int copy(const Assignment *from, Assignment *ret) {
        _cleanup_assignment_ Assignment to = {0};

        if (string_set(&to.device, from->device) < 0 || string_set(&to.id, from->id) < 0 ||
            string_set(&to.subsystem, from->subsystem) < 0 ||
            string_set(&to.serial, from->serial) < 0 || string_set(&to.driver, from->driver) < 0 ||
            string_set(&to.since, from->since) < 0)
                return -ENOMEM;
        *ret = to;
        to = (Assignment){0};
        return 0;
}

int assignments_put(Assignments *assignments, const Assignment *assignment) {
        size_t place = place_of(assignments, assignment->device);
        _cleanup_assignment_ Assignment fresh = {0};
        Assignment *grown;

        if (copy(assignment, &fresh) < 0)
                return -ENOMEM;
        if (!is_at(assignments, place, assignment->device)) {
                grown = reallocarray(assignments->items, assignments->n + 1, sizeof(Assignment));
                if (!grown)
                        return -ENOMEM;
                assignments->items = grown;
                (void)memmove(&grown[place + 1], &grown[place],
                              (assignments->n - place) * sizeof(Assignment));
                assignments->n++;
        } else {
                assignment_done(&assignments->items[place]);
        }
        assignments->items[place] = fresh;
        fresh = (Assignment){0};
        return 0;
}

void assignments_remove(Assignments *assignments, const char *device) {
        size_t place = place_of(assignments, device);

        if (!is_at(assignments, place, device))
                return;
        assignment_done(&assignments->items[place]);
        assignments->n--;
        (void)memmove(&assignments->items[place], &assignments->items[place + 1],
                      (assignments->n - place) * sizeof(Assignment));
}

char *assignment_id(uint16_t vendor, uint16_t device) {
        return string_format("%04x:%04x", vendor, device);
}

/* "2026-11-21T22:40:05Z". Allocated. */
static char *time_text(uint64_t usec) {
        time_t seconds = (time_t)(usec / 1000000);
        char text[TIME_SIZE];
        struct tm tm;

        if (!gmtime_r(&seconds, &tm) ||
            strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                return NULL;
        return strdup(text);
}

int assignment_of(const DeviceFacts *facts, const char *driver, uint64_t when_usec,
                  Assignment *ret) {
        _cleanup_assignment_ Assignment fresh = {
                .id = assignment_id(facts->vendor, facts->device),
                .subsystem = assignment_id(facts->subsystem_vendor, facts->subsystem_device),
                .since = time_text(when_usec),
        };

        if (!fresh.id || !fresh.subsystem || !fresh.since ||
            string_set(&fresh.device, facts->name) < 0 || string_set(&fresh.driver, driver) < 0)
                return -ENOMEM;
        *ret = fresh;
        fresh = (Assignment){0};
        return 0;
}

static const char *or_none(const char *serial) {
        return string_is_empty(serial) ? "none" : serial;
}

int assignment_check(const Assignment *assignment, const char *id, const char *subsystem,
                     const char *serial, char **ret_mismatch) {
        *ret_mismatch = NULL;
        if (strcmp(assignment->id, id) != 0)
                *ret_mismatch = string_format("%s is %s, and %s was assigned", assignment->device,
                                              id, assignment->id);
        else if (strcmp(assignment->subsystem, subsystem) != 0)
                *ret_mismatch = string_format("%s has subsystem %s, and one with %s was assigned",
                                              assignment->device, subsystem, assignment->subsystem);
        else if (serial && assignment->serial && strcmp(assignment->serial, serial) != 0)
                *ret_mismatch = string_format(
                        "%s has the serial number %s, and one with %s was assigned",
                        assignment->device, or_none(serial), or_none(assignment->serial));
        else
                return 0;
        return *ret_mismatch ? 0 : -ENOMEM;
}

char *assignments_names(const Assignments *assignments) {
        _cleanup_free_ char *names = strdup("");

        for (size_t i = 0; names && i < assignments->n; i++)
                if (string_append(&names, "%s%s", i > 0 ? ", " : "", assignments->items[i].device) <
                    0)
                        return NULL;
        return TAKE_PTR(names);
}
