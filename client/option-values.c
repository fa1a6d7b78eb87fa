/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/option-values.h"

#include <errno.h>
#include <stdlib.h>

#include "client/duration.h"
#include "client/size.h"
#include "client/wrong.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static int set_timeout(const char *value, Arguments *a, char **reterr) {
        uint64_t seconds;

        if (string_to_u64(value, 1000000, &seconds) < 0 || seconds == 0)
                return wrong(reterr, string_format("--timeout: '%s' is no number of seconds from 1 "
                                                   "to 1000000",
                                                   value));
        a->timeout_ms = seconds * 1000;
        return 0;
}

/* `value` is NULL for none. */
static int set_policy(const Option *option, const char *value, Arguments *a, char **reterr) {
        int r;

        if (a->policy && !string_equal(a->policy, option->name))
                return wrong(reterr, strdup("--wait and --revoke exclude each other"));
        a->policy = option->name;
        a->policy_ms = VFIOD_TIMEOUT_NONE;
        r = value ? duration_parse(value, &a->policy_ms) : 0;
        if (r == -ERANGE)
                return wrong(reterr, string_format("--%s: '%s' is longer than 1000000 seconds",
                                                   option->name, value));
        if (r == -EINVAL)
                return wrong(reterr, string_format("--%s: '%s' is no time: write 90, 500ms, 10s or "
                                                   "2m",
                                                   option->name, value));
        return r;
}

static int set_memlock(const char *value, Arguments *a, char **reterr) {
        int r;

        r = size_parse(value, &a->acquire.memlock);
        if (r == -ERANGE)
                return wrong(reterr,
                             string_format("--memlock: '%s' is more than there can be", value));
        if (r == -EINVAL)
                return wrong(reterr,
                             string_format("--memlock: '%s' is no size: write 4G, 512M or a "
                                           "number of bytes",
                                           value));
        return r;
}

static int set_autoprobe(const char *value, Arguments *a, char **reterr) {
        if (!string_equal(value, "yes") && !string_equal(value, "no"))
                return wrong(reterr,
                             string_format("--autoprobe: '%s' is neither yes nor no", value));
        a->vfs &= ~(VFIOD_VFS_AUTOPROBE_ON | VFIOD_VFS_AUTOPROBE_OFF);
        a->vfs |= string_equal(value, "yes") ? VFIOD_VFS_AUTOPROBE_ON : VFIOD_VFS_AUTOPROBE_OFF;
        return 0;
}

/* "DEV=N"; names of devices have no '='. */
static int add_cookie(const char *value, Arguments *a, char **reterr) {
        const char *equals = strchr(value, '=');
        vfiod_cookie *grown, cookie = {0};

        if (!equals || equals == value || string_to_u64(equals + 1, UINT64_MAX, &cookie.cookie) < 0)
                return wrong(reterr, string_format("--cookie: '%s' is no DEV=N: a device and a "
                                                   "number",
                                                   value));
        grown = reallocarray(a->cookies, a->acquire.n_cookies + 1, sizeof(cookie));
        if (!grown)
                return -ENOMEM;
        a->acquire.cookies = a->cookies = grown;
        cookie.name = strndup(value, (size_t)(equals - value));
        if (!cookie.name)
                return -ENOMEM;
        grown[a->acquire.n_cookies++] = cookie;
        return 0;
}

/* What is no action is for vfiod to say. */
static int add_action(const char *value, Arguments *a) {
        char *action = string_format("%s%s", strchr(value, '.') ? "" : VFIOD_ACTION_PREFIX, value);

        return action ? strv_push_consume(&a->actions, action) : -ENOMEM;
}

/* `value` is NULL for none. */
static int set_socket(const char *value, Arguments *a, char **reterr) {
        if (value && value[0] == '\0')
                return wrong(reterr, strdup("--socket: '' is no path"));
        a->socket = true;
        a->socket_path = value;
        return 0;
}

static int set_flag(const Option *option, Arguments *a) {
        switch (option->bit) {
        case OPTION_HELP:
                a->help = true;
                return 0;
        case OPTION_VERSION:
                a->version = true;
                return 0;
        case OPTION_JSON:
                a->json = true;
                return 0;
        case OPTION_NO_ASK_PASSWORD:
                a->no_ask_password = true;
                return 0;
        case OPTION_DRY_RUN:
                a->dry_run = true;
                return 0;
        case OPTION_BIND:
                a->acquire.bind = true;
                return 0;
        case OPTION_NOW:
                a->now = true;
                return 0;
        case OPTION_RECREATE:
                a->vfs |= VFIOD_VFS_RECREATE;
                return 0;
        case OPTION_HOT_RESET:
                a->acquire.hot_reset = true;
                return 0;
        case OPTION_OVERRIDE_SAFETY:
                a->acquire.override_safety = true;
                return 0;
        default:
                return -EINVAL;
        }
}

static int set_value(const Option *option, const char *value, Arguments *a, char **reterr) {
        switch (option->bit) {
        case OPTION_TIMEOUT:
                return set_timeout(value, a, reterr);
        case OPTION_DRIVER:
                a->acquire.driver = value;
                return 0;
        case OPTION_METHOD:
                a->method = value;
                return 0;
        case OPTION_AUTOPROBE:
                return set_autoprobe(value, a, reterr);
        case OPTION_LABEL:
                a->acquire.label = value;
                return 0;
        case OPTION_PREPARE:
                a->acquire.prepare = value;
                return 0;
        case OPTION_MODE:
                a->acquire.mode = value;
                return 0;
        case OPTION_IOMMUFD_ID:
                a->iommufd_id = value;
                return 0;
        case OPTION_MEMLOCK:
                return set_memlock(value, a, reterr);
        case OPTION_ACTION:
                return add_action(value, a);
        case OPTION_COOKIE:
                return add_cookie(value, a, reterr);
        default:
                return -EINVAL;
        }
}

/* `value` is NULL for none. */
static int set_optional_value(const Option *option, const char *value, Arguments *a,
                              char **reterr) {
        return option->bit == OPTION_SOCKET ? set_socket(value, a, reterr)
                                            : set_policy(option, value, a, reterr);
}

int option_set(const Option *option, const char *value, Arguments *a, char **reterr) {
        if (option->optional)
                return set_optional_value(option, value, a, reterr);
        return option->value ? set_value(option, value, a, reterr) : set_flag(option, a);
}
