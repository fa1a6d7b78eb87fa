/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mdev: which types of mediated devices there are, and making and removing them. */

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "client/manager.h"
#include "client/output.h"
#include "client/report.h"
#include "client/target.h"
#include "client/verb.h"
#include "daemon/util/string.h"

typedef int (*Action)(const Arguments *a, vfiod_connection *c, char **words);

static int print_types(json_object *types) {
        static const char *const titles[] = {"PARENT",  "TYPE", "AVAILABLE",
                                             "DEVICES", "API",  "NAME"};
        _cleanup_table_ Table table = TABLE_INIT(titles);
        Style style = style_detect(STDOUT_FILENO);

        for (size_t i = 0; i < json_object_array_length(types); i++) {
                json_object *type = json_object_array_get_idx(types, i);
                json_object *devices = json_object_object_get(type, "Devices");

                table_add(&table, json_get_string(type, "Parent"));
                table_add(&table, json_get_string(type, "Type"));
                table_add_format(&table, "%" PRIu64, json_get_u64(type, "Available"));
                table_add_format(&table, "%zu", devices ? json_object_array_length(devices) : 0);
                table_add(&table, json_get_string(type, "DeviceApi"));
                table_add(&table, json_get_string(type, "Name"));
        }
        if (table.n_cells > 0)
                return table_print(stdout, &style, &table);
        report_note("no device of this machine has types of mediated devices");
        return 0;
}

static int show_types(const Arguments *a, vfiod_connection *c, char **words) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_object *types = NULL;
        int r;

        r = manager_list_mdev_types(c, string_or_empty(words[0]), &reply);
        if (r >= 0)
                r = json_from_message(reply, &types);
        if (r < 0)
                return r;
        if (!a->json)
                return print_types(types);
        json_write_document(stdout, types);
        return 0;
}

static int print_created(const Arguments *a, const char *uuid) {
        _cleanup_json_ json_object *document = NULL;
        int r;

        if (!a->json) {
                puts(uuid);
                return 0;
        }
        document = json_object_new_object();
        r = document ? json_add(document, "Name", json_object_new_string(uuid)) : -ENOMEM;
        if (r >= 0)
                json_write_document(stdout, document);
        return r;
}

static int create(const Arguments *a, vfiod_connection *c, char **words) {
        _cleanup_free_ char *uuid = NULL;
        int r = vfiod_create_mdev(c, words[0], words[1], words[2], &uuid);

        return r < 0 ? r : print_created(a, uuid);
}

static int remove_all(const Arguments *a _unused_, vfiod_connection *c, char **words) {
        int r = 0;

        for (; r >= 0 && *words; words++)
                r = vfiod_remove_mdev(c, *words);
        return r;
}

static const struct {
        const char *word;
        size_t least, most; /* words behind it */
        Action run;
} actions[] = {
        {"types", 0, 1, show_types},
        {"create", 2, 3, create},
        {"remove", 1, SIZE_MAX, remove_all},
};

static int run(const Arguments *a, Action action) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        int r;

        r = verb_connect(a, &c);
        if (r >= 0)
                r = action(a, c, a->operands + 1);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}

int verb_mdev(const Arguments *a) {
        size_t n = strv_length(a->operands) - 1;

        for (size_t i = 0; i < ELEMENTS(actions); i++) {
                if (!string_equal(a->operands[0], actions[i].word))
                        continue;
                if (n >= actions[i].least && n <= actions[i].most)
                        return run(a, actions[i].run);
                return report(STATUS_USAGE, NULL,
                              "too %s arguments for '%s'; see 'vfioctl mdev --help'",
                              n < actions[i].least ? "few" : "many", actions[i].word);
        }
        return report(STATUS_USAGE, NULL, "'%s' is none of types, create and remove",
                      a->operands[0]);
}
