/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/verb.h"

#include <errno.h>
#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include "client/target.h"
#include "daemon/util/string.h"

int verb_connect(const Arguments *a, Connection *c) {
        return connection_open(c, !a->no_ask_password && isatty(STDIN_FILENO), a->timeout);
}

int verb_begin(const Arguments *a, Connection *c, char ***ret_targets) {
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = targets_resolve(a->operands, &targets);
        if (r < 0)
                return r;
        r = verb_connect(a, c);
        if (r < 0)
                return r;
        *ret_targets = TAKE_PTR(targets);
        return 0;
}

static int print_steps(const Arguments *a, sd_bus_message *reply) {
        _cleanup_json_ json_object *document = json_object_new_object();
        json_object *steps = NULL;
        size_t n;
        int r;

        if (!document)
                return -ENOMEM;
        r = json_from_message(reply, &steps);
        if (r < 0)
                return r;
        r = json_add(document, "Steps", steps);
        if (r < 0)
                return r;
        if (a->json) {
                json_write_document(stdout, document);
                return 0;
        }

        n = json_object_array_length(steps);
        for (size_t i = 0; i < n; i++)
                printf("%zu. %s\n", i + 1,
                       json_object_get_string(json_object_array_get_idx(steps, i)));
        if (n == 0)
                puts("nothing to do");
        return 0;
}

int verb_dry_run(const Arguments *a, const char *operation) {
        _cleanup_connection_ Connection c = CONNECTION_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = manager_plan(&c, operation, targets, &a->options, &reply);
        if (r >= 0)
                r = print_steps(a, reply);
        return r < 0 ? connection_report(&c, r) : STATUS_OK;
}

char *user_name(uint64_t uid) {
        const struct passwd *user = getpwuid((uid_t)uid);

        return user ? strdup(user->pw_name) : string_format("%u", (unsigned)uid);
}

char *time_text(uint64_t microseconds) {
        time_t seconds = (time_t)(microseconds / 1000000);
        char text[32];
        struct tm tm;

        if (microseconds == 0 || !localtime_r(&seconds, &tm) ||
            strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
                return strdup("-");
        return strdup(text);
}
