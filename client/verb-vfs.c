/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vfs: the virtual functions of a device; or another number of them, silent when it succeeds. */

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "client/manager.h"
#include "client/output.h"
#include "client/report.h"
#include "client/verb.h"
#include "daemon/util/string.h"

static json_object *find_device(json_object *devices, const char *path) {
        for (size_t i = 0; i < json_object_array_length(devices); i++) {
                json_object *device = json_object_array_get_idx(devices, i);

                if (string_equal(json_get_string(device, "Path"), path))
                        return device;
        }
        return NULL;
}

static int find_functions(json_object *devices, const char *physical, json_object **ret) {
        _cleanup_json_ json_object *functions = json_object_new_array();

        for (size_t i = 0; functions && i < json_object_array_length(devices); i++) {
                json_object *device = json_object_array_get_idx(devices, i);

                if (string_equal(json_get_string(device, "PhysicalFunction"), physical) &&
                    json_append(functions, json_object_get(device)) < 0)
                        return -ENOMEM;
        }
        if (!functions)
                return -ENOMEM;
        *ret = TAKE_PTR(functions);
        return 0;
}

static int print_text(json_object *device, json_object *functions) {
        static const char *const titles[] = {"FUNCTION", "GROUP", "DRIVER", "STATE"};
        _cleanup_table_ Table table = TABLE_INIT(titles);
        Style style = style_detect(STDOUT_FILENO);

        printf("%s: %" PRIu64 " of %" PRIu64 " virtual functions%s\n",
               json_get_string(device, "Name"), json_get_u64(device, "NumVfs"),
               json_get_u64(device, "TotalVfs"),
               json_get_u64(device, "TotalVfs") > 0 && !json_get_bool(device, "VfsAutoprobe")
                       ? ", which host drivers do not take"
                       : "");
        for (size_t i = 0; i < json_object_array_length(functions); i++) {
                json_object *function = json_object_array_get_idx(functions, i);

                table_add(&table, json_get_string(function, "Name"));
                table_add_format(&table, "%" PRIu64, json_get_u64(function, "Group"));
                table_add(&table, json_get_string(function, "Driver"));
                table_add(&table, json_get_string(function, "State"));
        }
        return table.n_cells > 0 ? table_print(stdout, &style, &table) : 0;
}

static int print_json(json_object *device, json_object *functions) {
        static const char *const keys[] = {"Name", "TotalVfs", "NumVfs", "VfsAutoprobe"};
        _cleanup_json_ json_object *document = json_object_new_object();
        int r = document ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < ELEMENTS(keys); i++)
                r = json_add(document, keys[i],
                             json_object_get(json_object_object_get(device, keys[i])));
        if (r >= 0)
                r = json_add(document, "Vfs", json_object_get(functions));
        if (r >= 0)
                json_write_document(stdout, document);
        return r;
}

static int show(const Arguments *a, vfiod_connection *c, const char *target) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_object *devices = NULL, *functions = NULL;
        _cleanup_free_ char *path = NULL;
        json_object *device;
        int r;

        r = connection_find_device(c, target, &path);
        if (r >= 0)
                r = manager_list_devices(c, &reply);
        if (r >= 0)
                r = json_from_objects(reply, &devices);
        if (r < 0)
                return r;
        device = find_device(devices, path);
        if (!device)
                return -ENODEV;
        r = find_functions(devices, json_get_string(device, "Name"), &functions);
        if (r < 0)
                return r;
        return a->json ? print_json(device, functions) : print_text(device, functions);
}

int verb_vfs(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **targets = NULL;
        const char *count = a->operands[1];
        Arguments one = *a;
        uint64_t number = 0;
        int r;

        if (count && string_to_u64(count, UINT16_MAX, &number) < 0)
                return report(STATUS_USAGE, NULL,
                              "'%s' is no number of virtual functions; see 'vfioctl vfs --help'",
                              count);
        if (!count && a->vfs)
                return report(STATUS_USAGE, NULL,
                              "--recreate and --autoprobe need a COUNT; see 'vfioctl vfs --help'");
        one.operands = (char *[]){a->operands[0], NULL};
        r = verb_begin(&one, &c, &targets);
        if (r >= 0)
                r = count ? vfiod_set_vfs(c, targets[0], (uint32_t)number, a->vfs)
                          : show(a, c, targets[0]);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}
