/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/verb.h"

#include <errno.h>
#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include "client/target.h"
#include "daemon/util/string.h"

int verb_connect(const Arguments *a, vfiod_connection **ret) {
        int r;

        r = vfiod_connection_new(ret);
        if (r >= 0)
                r = vfiod_connection_set_interactive(*ret,
                                                     !a->no_ask_password && isatty(STDIN_FILENO));
        if (r >= 0)
                r = vfiod_connection_set_timeout(*ret, a->timeout_ms);
        if (r < 0)
                return r;
        return a->socket ? vfiod_connection_open_socket(*ret, a->socket_path)
                         : vfiod_connection_open(*ret, NULL);
}

int verb_begin(const Arguments *a, vfiod_connection **ret, char ***ret_targets) {
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = targets_resolve(a->operands, &targets);
        if (r < 0)
                return r;
        r = verb_connect(a, ret);
        if (r < 0)
                return r;
        *ret_targets = TAKE_PTR(targets);
        return 0;
}

static int print_json(char **steps) {
        _cleanup_json_ json_object *document = json_object_new_object();
        json_object *array = json_object_new_array();
        int r;

        if (!document || !array) {
                json_object_put(array);
                return -ENOMEM;
        }
        r = json_add(document, "Steps", array);
        for (; *steps && r >= 0; steps++)
                r = json_append(array, json_object_new_string(*steps));
        if (r < 0)
                return r;
        json_write_document(stdout, document);
        return 0;
}

int verb_print_steps(const Arguments *a, char **steps) {
        _cleanup_strv_ char **owned = steps;

        if (a->json)
                return print_json(owned);
        if (!owned[0])
                puts("nothing to do");
        for (size_t i = 0; owned[i]; i++)
                printf("%zu. %s\n", i + 1, owned[i]);
        return 0;
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
