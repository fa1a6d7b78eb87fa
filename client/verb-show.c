/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * show: every property of a device or group, and what Explain says about it. Properties that a
 * later daemon adds appear by themselves; those listed here only need more than their plain value.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/manager.h"
#include "client/output.h"
#include "client/report.h"
#include "client/verb.h"
#include "daemon/util/string.h"

static char *hexadecimal(json_object *value, int digits) {
        return string_format("0x%0*" PRIx64, digits, json_object_get_uint64(value));
}

/* a(tts): "0xfee00000-0xfeefffff msi, ..." */
static char *regions_text(json_object *regions) {
        _cleanup_free_ char *text = NULL;
        size_t n = json_object_array_length(regions);

        for (size_t i = 0; i < n; i++) {
                json_object *region = json_object_array_get_idx(regions, i);

                if (string_append(&text, "%s0x%" PRIx64 "-0x%" PRIx64 " %s", i > 0 ? ", " : "",
                                  json_object_get_uint64(json_object_array_get_idx(region, 0)),
                                  json_object_get_uint64(json_object_array_get_idx(region, 1)),
                                  json_object_get_string(json_object_array_get_idx(region, 2))) < 0)
                        return NULL;
        }
        return text ? TAKE_PTR(text) : strdup("-");
}

/* a(ss): the sentences alone, they name their member. */
static char *blockers_text(json_object *blockers) {
        _cleanup_free_ char *text = NULL;
        size_t n = json_object_array_length(blockers);

        for (size_t i = 0; i < n; i++) {
                json_object *blocker = json_object_array_get_idx(blockers, i);

                if (string_append(&text, "%s%s: %s", i > 0 ? "; " : "",
                                  json_object_get_string(json_object_array_get_idx(blocker, 0)),
                                  json_object_get_string(json_object_array_get_idx(blocker, 1))) <
                    0)
                        return NULL;
        }
        return text ? TAKE_PTR(text) : strdup("-");
}

static char *value_text(const char *property, json_object *value) {
        static const char *const ids[] = {"VendorId", "DeviceId", "SubsystemVendorId",
                                          "SubsystemDeviceId"};

        for (size_t i = 0; i < ELEMENTS(ids); i++)
                if (string_equal(property, ids[i]))
                        return hexadecimal(value, 4);
        if (string_equal(property, "Class"))
                return hexadecimal(value, 6);
        if (string_equal(property, "ReservedRegions"))
                return regions_text(value);
        if (string_equal(property, "Blockers"))
                return blockers_text(value);
        if (string_equal(property, "Lease") && string_equal(json_object_get_string(value), "/"))
                return strdup("-");
        return json_to_text(value);
}

/* On one line, however long: a value that is broken up cannot be copied or searched for. */
static int print_property(const Style *style, size_t indent, const char *name, json_object *value) {
        _cleanup_free_ char *text = value_text(name, value);

        if (!text)
                return -ENOMEM;
        output_spaces(stdout, indent - text_width(name));
        output_text(stdout, style, COLOUR_DIM, name);
        printf(": %s\n", text);
        return 0;
}

static int print_properties(const Style *style, json_object *properties) {
        size_t indent = 0;

        json_object_object_foreach(properties, key, ignored) {
                (void)ignored;
                if (text_width(key) > indent)
                        indent = text_width(key);
        }
        json_object_object_foreach(properties, name, value) {
                int r;

                if (string_equal(name, "Path") || string_equal(name, "Members"))
                        continue;
                r = print_property(style, indent + 2, name, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void print_members(const Style *style, json_object *members) {
        size_t n = json_object_array_length(members);

        for (size_t i = 0; i < n; i++) {
                json_object *member = json_object_array_get_idx(members, i);
                const char *remedy = json_get_string(member, "Remedy");

                printf("  %s  %s\n", json_get_string(member, "Device"),
                       json_get_string(member, "Verdict"));
                output_wrapped(stdout, style, 4, json_get_string(member, "Reason"));
                if (remedy[0])
                        output_wrapped(stdout, style, 4, remedy);
        }
}

static int print_one(const Style *style, json_object *object, bool first) {
        json_object *members = json_object_object_get(object, "Members");
        const char *name = json_get_string(object, "Name");
        int r;

        if (!first)
                putchar('\n');
        if (name[0])
                output_text(stdout, style, COLOUR_BOLD, name);
        else
                printf("group/%" PRIu64, json_get_u64(object, "Number"));
        putchar('\n');
        r = print_properties(style, object);
        if (r < 0)
                return r;
        if (members)
                print_members(style, members);
        return 0;
}

/* The replies of GetGroup or GetDevice, and of Explain, as one object. */
static int read_one(sd_bus_message *get, sd_bus_message *explain, json_object **ret) {
        _cleanup_json_ json_object *object = NULL, *members = NULL;
        const char *name;
        int r;

        r = json_from_object(get, &object);
        if (r < 0)
                return r;
        r = json_from_message(explain, &members);
        if (r < 0)
                return r;

        name = json_get_string(object, "Name");
        if (!name[0]) {
                r = json_add(object, "Members", TAKE_PTR(members));
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; members && i < json_object_array_length(members); i++) {
                json_object *member = json_object_array_get_idx(members, i);

                if (!string_equal(json_get_string(member, "Device"), name))
                        continue;
                r = json_add(object, "Reason",
                             json_object_new_string(json_get_string(member, "Reason")));
                if (r >= 0)
                        r = json_add(object, "Remedy",
                                     json_object_new_string(json_get_string(member, "Remedy")));
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(object);
        return 0;
}

static int print_all(const Arguments *a, sd_bus_message **replies, size_t n) {
        _cleanup_json_ json_object *document = json_object_new_array();
        Style style = style_detect(STDOUT_FILENO);
        int r;

        if (!document)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                json_object *object = NULL;

                r = read_one(replies[2 * i], replies[2 * i + 1], &object);
                if (r < 0)
                        return r;
                r = json_append(document, object);
                if (r < 0)
                        return r;
        }
        if (a->json) {
                json_write_document(stdout, document);
                return 0;
        }
        for (size_t i = 0; i < n; i++) {
                r = print_one(&style, json_object_array_get_idx(document, i), i == 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

int verb_show(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **targets = NULL;
        _cleanup_free_ sd_bus_message **replies = NULL;
        size_t n = strv_length(a->operands);
        int r;

        replies = calloc(2 * n, sizeof(sd_bus_message *));
        if (!replies)
                return report_errno(-ENOMEM, "show");
        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = manager_get(c, targets, replies);
        if (r >= 0)
                r = print_all(a, replies, n);
        for (size_t i = 0; i < 2 * n; i++)
                sd_bus_message_unref(replies[i]);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}
