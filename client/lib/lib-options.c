/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Options as they are sent: what is not given is not sent, so that vfiod's default counts. */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "client/lib/lib-private.h"

/* A member behind padding would not change `size`, by which the programs are told apart. */
static_assert(offsetof(vfiod_acquire_options, n_cookies) + sizeof(size_t) ==
                      sizeof(vfiod_acquire_options),
              "there is padding at the end of vfiod_acquire_options");

static int append_string(sd_bus_message *m, const char *key, const char *value) {
        return value ? sd_bus_message_append(m, "{sv}", key, "s", value) : 0;
}

static int append_true(sd_bus_message *m, const char *key, bool value) {
        return value ? sd_bus_message_append(m, "{sv}", key, "b", 1) : 0;
}

static int open_options(sd_bus_message *m) {
        return sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
}

int append_driver(sd_bus_message *m, const char *driver) {
        int r;

        r = open_options(m);
        if (r >= 0)
                r = append_string(m, "driver", driver);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int append_assign(sd_bus_message *m, const char *driver, unsigned flags) {
        int r;

        if (flags & ~(VFIOD_ASSIGN_BIND | VFIOD_ASSIGN_OVERRIDE_SAFETY))
                return -EINVAL;
        r = open_options(m);
        if (r >= 0)
                r = append_string(m, "driver", driver);
        if (r >= 0)
                r = append_true(m, "bind", flags & VFIOD_ASSIGN_BIND);
        if (r >= 0)
                r = append_true(m, "override_safety", flags & VFIOD_ASSIGN_OVERRIDE_SAFETY);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int append_policy(sd_bus_message *m, const char *policy, uint64_t timeout_ms) {
        int r;

        r = open_options(m);
        if (r >= 0)
                r = append_string(m, "policy", policy);
        if (r >= 0 && timeout_ms != VFIOD_TIMEOUT_NONE)
                r = sd_bus_message_append(m, "{sv}", "timeout", "t", timeout_ms);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* "cookies", a{st} */
static int append_cookies(sd_bus_message *m, const vfiod_acquire_options *options) {
        int r;

        if (options->n_cookies == 0)
                return 0;
        r = sd_bus_message_open_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "cookies");
        if (r >= 0)
                r = sd_bus_message_open_container(m, SD_BUS_TYPE_VARIANT, "a{st}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{st}");
        for (size_t i = 0; i < options->n_cookies && r >= 0; i++)
                r = sd_bus_message_append(m, "{st}", options->cookies[i].name,
                                          options->cookies[i].cookie);
        for (size_t i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_members(sd_bus_message *m, const vfiod_acquire_options *options) {
        int r;

        r = append_string(m, "driver", options->driver);
        if (r >= 0)
                r = append_string(m, "label", options->label);
        if (r >= 0)
                r = append_string(m, "mode", options->mode);
        if (r >= 0)
                r = append_string(m, "prepare", options->prepare);
        if (r >= 0)
                r = append_true(m, "bind", options->bind);
        if (r >= 0)
                r = append_true(m, "hot_reset", options->hot_reset);
        if (r >= 0)
                r = append_true(m, "override_safety", options->override_safety);
        if (r >= 0 && options->memlock > 0)
                r = sd_bus_message_append(m, "{sv}", "memlock", "t", options->memlock);
        return r < 0 ? r : append_cookies(m, options);
}

/*
 * -EINVAL for a size that no version had: somebody forgot VFIOD_ACQUIRE_OPTIONS_NULL. -E2BIG for
 * options of a later version that this one would pass over.
 */
static int check_size(const vfiod_acquire_options *options) {
        const char *bytes = (const char *)options;

        if (options->size < sizeof(*options))
                return -EINVAL;
        for (size_t i = sizeof(*options); i < options->size; i++)
                if (bytes[i] != 0)
                        return -E2BIG;
        return 0;
}

int append_acquire(sd_bus_message *m, const vfiod_acquire_options *options, bool defer_fds) {
        int r;

        r = options ? check_size(options) : 0;
        if (r >= 0)
                r = open_options(m);
        if (r >= 0 && options)
                r = append_members(m, options);
        if (r >= 0)
                r = append_true(m, "defer_fds", defer_fds);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
