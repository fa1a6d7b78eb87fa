/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/manager.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "client/target.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static int new_call(vfiod_connection *c, const char *member, sd_bus_message **ret) {
        return connection_new_call(c, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, member, ret);
}

static int new_target_call(vfiod_connection *c, const char *member, char **targets,
                           sd_bus_message **ret) {
        return connection_new_target_call(c, member, (const char *const *)targets, ret);
}

static int call(vfiod_connection *c, sd_bus_message *m, sd_bus_message **ret) {
        return connection_call(c, m, 0, ret);
}

void list_replies_done(ListReplies *replies) {
        sd_bus_message_unref(replies->groups);
        sd_bus_message_unref(replies->devices);
        sd_bus_message_unref(replies->leases);
        sd_bus_message_unref(replies->explain);
        *replies = (ListReplies){0};
}

/* Sends the calls, which it consumes, and gives the replies their place. */
static int call_all_consume(vfiod_connection *c, sd_bus_message **calls, size_t n,
                            sd_bus_message **replies) {
        int r;

        r = connection_call_all(c, calls, n, replies);
        for (size_t i = 0; i < n; i++)
                calls[i] = sd_bus_message_unref(calls[i]);
        return r;
}

/* The calls of these members, and Explain where there are targets, in one round trip. */
static int call_members(vfiod_connection *c, const char *const *members, size_t n_members,
                        char **targets, sd_bus_message **replies) {
        size_t n = n_members + (strv_length(targets) > 0);
        sd_bus_message *calls[4] = {NULL};
        int r = 0;

        assert(n <= ELEMENTS(calls));
        for (size_t i = 0; i < n_members && r >= 0; i++)
                r = new_call(c, members[i], &calls[i]);
        if (r >= 0 && n > n_members)
                r = new_target_call(c, "Explain", targets, &calls[n_members]);
        if (r < 0) {
                for (size_t i = 0; i < n; i++)
                        sd_bus_message_unref(calls[i]);
                return r;
        }
        return call_all_consume(c, calls, n, replies);
}

int manager_list(vfiod_connection *c, char **targets, ListReplies *ret) {
        static const char *const members[] = {"ListGroups", "ListDevices", "ListLeases"};
        sd_bus_message *replies[4] = {NULL};
        int r;

        r = call_members(c, members, ELEMENTS(members), targets, replies);
        if (r >= 0)
                *ret = (ListReplies){replies[0], replies[1], replies[2], replies[3]};
        return r;
}

int manager_overview(vfiod_connection *c, char **targets, ListReplies *ret) {
        static const char *const members[] = {"Overview", "ListLeases"};
        sd_bus_message *replies[3] = {NULL};
        int r;

        r = call_members(c, members, ELEMENTS(members), targets, replies);
        if (r >= 0)
                *ret = (ListReplies){replies[0], NULL, replies[1], replies[2]};
        return r;
}

static int call_without_arguments(vfiod_connection *c, const char *member, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(c, member, &m);
        return r < 0 ? r : call(c, m, ret);
}

int manager_list_devices(vfiod_connection *c, sd_bus_message **ret) {
        return call_without_arguments(c, "ListDevices", ret);
}

int manager_list_leases(vfiod_connection *c, sd_bus_message **ret) {
        return call_without_arguments(c, "ListLeases", ret);
}

static int new_get_call(vfiod_connection *c, const char *target, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint32_t number;
        int r;

        if (target_to_group(target, &number) >= 0) {
                r = new_call(c, "GetGroup", &m);
                if (r >= 0)
                        r = sd_bus_message_append(m, "u", number);
        } else {
                r = new_call(c, "GetDevice", &m);
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", target);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

int manager_get(vfiod_connection *c, char **targets, sd_bus_message **replies) {
        size_t n = 2 * strv_length(targets);
        _cleanup_free_ sd_bus_message **calls = calloc(n, sizeof(sd_bus_message *));
        int r = 0;

        if (!calls)
                return -ENOMEM;
        for (size_t i = 0; i < n && r >= 0; i += 2) {
                char *alone[] = {targets[i / 2], NULL};

                r = new_get_call(c, targets[i / 2], &calls[i]);
                if (r >= 0)
                        r = new_target_call(c, "Explain", alone, &calls[i + 1]);
        }
        if (r < 0) {
                for (size_t i = 0; i < n; i++)
                        sd_bus_message_unref(calls[i]);
                return r;
        }
        return call_all_consume(c, calls, n, replies);
}

int manager_explain(vfiod_connection *c, char **targets, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, "Explain", targets, &m);
        return r < 0 ? r : call(c, m, ret);
}

static int append_question(sd_bus_message *m, char **actions,
                           const vfiod_acquire_options *options) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r >= 0 && options->mode)
                r = sd_bus_message_append(m, "{sv}", "mode", "s", options->mode);
        if (r >= 0 && options->label)
                r = sd_bus_message_append(m, "{sv}", "label", "s", options->label);
        if (r >= 0 && options->memlock > 0)
                r = sd_bus_message_append(m, "{sv}", "memlock", "t", options->memlock);
        if (r < 0 || !actions)
                return r < 0 ? r : sd_bus_message_close_container(m);
        r = sd_bus_message_open_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "actions");
        if (r >= 0)
                r = sd_bus_message_open_container(m, SD_BUS_TYPE_VARIANT, "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, actions);
        for (size_t i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

int manager_check_authorization(vfiod_connection *c, char **targets, char **actions,
                                const vfiod_acquire_options *options, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, "CheckAuthorization", targets, &m);
        if (r >= 0)
                r = append_question(m, actions, options);
        return r < 0 ? r : call(c, m, ret);
}

int manager_list_holders(vfiod_connection *c, char **targets, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, "ListHolders", targets, &m);
        return r < 0 ? r : call(c, m, ret);
}

int manager_begin_unbind(vfiod_connection *c, char **targets, const char *policy,
                         uint64_t timeout_ms, sd_bus_message_handler_t callback, void *userdata,
                         sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, "Unbind", targets, &m);
        if (r < 0)
                return r;
        r = append_policy(m, policy, timeout_ms);
        if (r < 0)
                return r;
        r = sd_bus_call_async(c->bus, ret_slot, m, callback, userdata, UINT64_MAX);
        return r < 0 ? r : 0;
}

static int begin_aside(vfiod_connection *c, sd_bus_message *m, sd_bus_message_handler_t callback,
                       void *userdata, sd_bus_slot **ret_slot) {
        int r;

        r = sd_bus_message_set_allow_interactive_authorization(m, false);
        if (r < 0)
                return r;
        r = sd_bus_call_async(c->bus, ret_slot, m, callback, userdata, 0);
        return r < 0 ? r : 0;
}

int manager_begin_list_holders(vfiod_connection *c, char **targets,
                               sd_bus_message_handler_t callback, void *userdata,
                               sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, "ListHolders", targets, &m);
        return r < 0 ? r : begin_aside(c, m, callback, userdata, ret_slot);
}

int lease_begin_get_deadline(vfiod_connection *c, const char *path,
                             sd_bus_message_handler_t callback, void *userdata,
                             sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(c, path, "org.freedesktop.DBus.Properties", "Get", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "ss", VFIOD_INTERFACE_LEASE, "Deadline");
        return r < 0 ? r : begin_aside(c, m, callback, userdata, ret_slot);
}

int manager_has_feature(vfiod_connection *c, const char *feature, bool *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_strv_ char **features = NULL;
        int r;

        r = connection_new_call(c, VFIOD_PATH, "org.freedesktop.DBus.Properties", "Get", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", VFIOD_INTERFACE_MANAGER, "Features");
        if (r >= 0)
                r = call(c, m, &reply);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_VARIANT, "as");
        if (r >= 0)
                r = sd_bus_message_read_strv(reply, &features);
        if (r < 0)
                return r;
        *ret = false;
        for (char **one = features; one && *one; one++)
                *ret = *ret || string_equal(*one, feature);
        return 0;
}

int manager_ping(vfiod_connection *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(c, VFIOD_PATH, "org.freedesktop.DBus.Peer", "Ping", &m);
        return r < 0 ? r : call(c, m, NULL);
}

static int append_overriding(sd_bus_message *m, const char *driver) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r >= 0 && driver)
                r = sd_bus_message_append(m, "{sv}", "driver", "s", driver);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "override_safety", "b", true);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int manager_bind_overriding(vfiod_connection *c, char **targets, const char *driver) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_target_call(c, "Bind", targets, &m);
        if (r >= 0)
                r = append_overriding(m, driver);
        return r < 0 ? r : call(c, m, NULL);
}

int manager_plan_bind_overriding(vfiod_connection *c, char **targets, const char *driver,
                                 char ***ret_steps) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_strv_ char **steps = NULL;
        int r;

        r = new_call(c, "Plan", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "bind");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, targets);
        if (r >= 0)
                r = append_overriding(m, driver);
        if (r >= 0)
                r = call(c, m, &reply);
        if (r >= 0)
                r = sd_bus_message_read_strv(reply, &steps);
        if (r < 0)
                return r;
        if (!steps && !(steps = calloc(1, sizeof(char *))))
                return -ENOMEM;
        *ret_steps = TAKE_PTR(steps);
        return 0;
}

int manager_list_mdev_types(vfiod_connection *c, const char *parent, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(c, "ListMdevTypes", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", parent);
        return r < 0 ? r : call(c, m, ret);
}

int device_reset(vfiod_connection *c, const char *device, const char *method) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = connection_new_device_call(c, device, "Reset", &m);

        if (r >= 0)
                r = sd_bus_message_append(m, "s", method);
        return r < 0 ? r : call(c, m, NULL);
}
