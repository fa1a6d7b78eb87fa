/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* auth: what the caller may do, and what decides that. The exit status is the answer. */

#include <unistd.h>

#include "client/manager.h"
#include "client/output.h"
#include "client/verb.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static bool all_allowed(json_object *answers) {
        size_t n = json_object_array_length(answers);

        for (size_t i = 0; i < n; i++)
                if (!string_equal(json_get_string(json_object_array_get_idx(answers, i), "Result"),
                                  "yes"))
                        return false;
        return true;
}

/* A lease is what an action is about that is about no device. */
static const char *subject_of(json_object *answer) {
        const char *device = json_get_string(answer, "Device");
        const char *lease = string_after(json_get_string(answer, "Lease"), VFIOD_PATH "/");

        return device[0] ? device : string_or_empty(lease);
}

static void add_row(Table *table, json_object *answer, const char *previous) {
        const char *action = json_get_string(answer, "Action");
        const char *result = json_get_string(answer, "Result");
        const char *subject = subject_of(answer);

        if (previous && string_equal(previous, subject))
                table_add_blank(table);
        else
                table_add(table, subject);
        table_add(table, string_after(action, VFIOD_ACTION_PREFIX) ?: action);
        table_add(table, string_equal(result, "challenge") ? "password" : result);
        table_add(table, json_get_string(answer, "Reason"));
}

static int print_text(json_object *answers) {
        static const char *const titles[] = {"FOR", "ACTION", "MAY", "BECAUSE"};
        _cleanup_table_ Table table = TABLE_INIT(titles);
        Style style = style_detect(STDOUT_FILENO);
        size_t n = json_object_array_length(answers);
        const char *previous = NULL;

        for (size_t i = 0; i < n; i++) {
                json_object *answer = json_object_array_get_idx(answers, i);

                add_row(&table, answer, previous);
                previous = subject_of(answer);
        }
        return table_print(stdout, &style, &table);
}

int verb_auth(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_object *answers = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = manager_check_authorization(c, targets, a->actions, &a->acquire, &reply);
        if (r >= 0)
                r = json_from_message(reply, &answers);
        if (r >= 0 && a->json)
                json_write_document(stdout, answers);
        else if (r >= 0)
                r = print_text(answers);
        if (r < 0)
                return connection_report(c, r);
        return all_allowed(answers) ? STATUS_OK : STATUS_NO;
}
