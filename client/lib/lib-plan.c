/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plan: what an operation would do, in sentences. */

#include <errno.h>
#include <stdlib.h>

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static int new_plan(vfiod_connection *c, const char *operation, const char *const *targets,
                    sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(c, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, "Plan", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", operation);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **)targets);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

/* No steps are an empty array, not NULL. */
static int ask(vfiod_connection *c, sd_bus_message *call, char ***ret_steps) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_strv_ char **steps = NULL;
        int r;

        r = connection_call(c, call, 0, &reply);
        if (r >= 0)
                r = sd_bus_message_read_strv(reply, &steps);
        if (r >= 0 && !steps)
                steps = calloc(1, sizeof(char *));
        if (r < 0)
                return r;
        if (!steps)
                return -ENOMEM;
        *ret_steps = TAKE_PTR(steps);
        return 0;
}

int vfiod_plan_bind(vfiod_connection *c, const char *const *targets, const char *driver,
                    char ***ret_steps) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        connection_begin(c);
        r = new_plan(c, "bind", targets, &m);
        if (r >= 0)
                r = append_driver(m, driver);
        if (r >= 0)
                r = ask(c, m, ret_steps);
        return connection_end(c, r);
}

int vfiod_plan_unbind(vfiod_connection *c, const char *const *targets, const char *policy,
                      uint64_t timeout_ms, char ***ret_steps) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        connection_begin(c);
        r = new_plan(c, "unbind", targets, &m);
        if (r >= 0)
                r = append_policy(m, policy, timeout_ms);
        if (r >= 0)
                r = ask(c, m, ret_steps);
        return connection_end(c, r);
}

int vfiod_plan_assign(vfiod_connection *c, const char *const *targets, const char *driver,
                      unsigned flags, char ***ret_steps) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        connection_begin(c);
        r = new_plan(c, "assign", targets, &m);
        if (r >= 0)
                r = append_assign(m, driver, flags);
        if (r >= 0)
                r = ask(c, m, ret_steps);
        return connection_end(c, r);
}

int vfiod_plan_unassign(vfiod_connection *c, const char *const *targets, char ***ret_steps) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        connection_begin(c);
        r = new_plan(c, "unassign", targets, &m);
        if (r >= 0)
                r = append_driver(m, NULL);
        if (r >= 0)
                r = ask(c, m, ret_steps);
        return connection_end(c, r);
}

int vfiod_plan_acquire(vfiod_connection *c, const char *const *targets,
                       const vfiod_acquire_options *options, char ***ret_steps) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        connection_begin(c);
        r = new_plan(c, "acquire", targets, &m);
        if (r >= 0)
                r = append_acquire(m, options, false);
        if (r >= 0)
                r = ask(c, m, ret_steps);
        return connection_end(c, r);
}

char **vfiod_strv_free(char **strv) {
        return strv_free(strv);
}
