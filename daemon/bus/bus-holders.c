/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-holders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/bus/bus-path.h"
#include "daemon/bus/bus-request.h"
#include "daemon/bus/call.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static const Lease *lease_of(const World *world, const Hold *hold) {
        return lease_table_find_group(&world->leases, hold->group);
}

static const char *name_of_file(const World *world, const Hold *hold, char *buffer, size_t size) {
        const Lease *lease = lease_of(world, hold);

        switch (hold->kind) {
        case HOLD_GROUP:
                (void)snprintf(buffer, size, "%u", hold->group);
                return buffer;
        case HOLD_LEASE:
                (void)snprintf(buffer, size, "%u", lease ? lease->id : 0);
                return buffer;
        default:
                return hold->device;
        }
}

static int append_files(sd_bus_message *m, const World *world, const Holds *holds, size_t begin,
                        size_t end) {
        char buffer[16];
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "Files");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "a(ssi)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(ssi)");
        for (size_t i = begin; r >= 0 && i < end; i++) {
                const Hold *hold = &holds->holds[i];

                r = sd_bus_message_append(m, "(ssi)", hold_kind_name(hold->kind),
                                          name_of_file(world, hold, buffer, sizeof(buffer)),
                                          hold->fd);
        }
        for (int i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_number(sd_bus_message *m, const char *key, uint32_t number) {
        return number > 0 ? sd_bus_message_append(m, "{sv}", key, "u", number) : 0;
}

static int append_process(sd_bus_message *m, const World *world, const Holds *holds, size_t begin,
                          size_t end) {
        const Hold *hold = &holds->holds[begin];
        const Lease *lease = lease_of(world, hold);
        _cleanup_free_ char *path = lease ? path_of_lease(lease->id) : strdup("/");
        int r;

        if (!path)
                return -ENOMEM;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}", "Pid", "u",
                                          (uint32_t)hold->pid, "Uid", "u", (uint32_t)hold->uid,
                                          "Command", "s", hold->command, "Unit", "s", hold->unit,
                                          "Lease", "o", path);
        if (r >= 0)
                r = append_files(m, world, holds, begin, end);
        if (r >= 0)
                r = append_number(m, "MoreFiles", holds_more_files(holds, begin, end));
        if (r >= 0 && end == holds->n_holds)
                r = append_number(m, "MoreHolders", holds->n_more);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Where nobody else is told of. */
static int append_more_holders(sd_bus_message *m, uint32_t number) {
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        if (r >= 0)
                r = append_number(m, "MoreHolders", number);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_holders(sd_bus_message *m, const World *world, const Holds *holds) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "a{sv}");
        if (r >= 0 && holds->n_holds == 0 && holds->n_more > 0)
                r = append_more_holders(m, holds->n_more);
        for (size_t i = 0, end; r >= 0 && i < holds->n_holds; i = end) {
                end = holds_next_process(holds, i);
                r = append_process(m, world, holds, i, end);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static uint32_t count_holders(const Holds *holds) {
        uint32_t n = holds->n_more_keepers;

        for (size_t i = 0, end; i < holds->n_holds; i = end) {
                bool keeps = false;

                end = holds_next_process(holds, i);
                for (size_t j = i; j < end; j++)
                        keeps = keeps || hold_keeps_group(holds->holds[j].kind);
                n += keeps;
        }
        return n;
}

static int append_list(sd_bus_message *m, const Call *call, const Outcome *outcome) {
        return append_holders(m, broker_world(call->bus->broker), &outcome->results.holds);
}

static int append_count(sd_bus_message *m, const Call *call _unused_, const Outcome *outcome) {
        return sd_bus_message_append(m, "v", "u", count_holders(&outcome->results.holds));
}

static void on_list(void *userdata, Outcome *outcome) {
        call_reply_found(userdata, outcome, append_list);
}

static void on_count(void *userdata, Outcome *outcome) {
        call_reply_found(userdata, outcome, append_count);
}

static void run_list(Call *call) {
        call_off_without_sender(call);
        broker_find_holders(call->bus->broker, &call->request, on_list, call);
}

static void run_count(Call *call) {
        call_off_without_sender(call);
        broker_find_holders(call->bus->broker, &call->request, on_count, call);
}

int holders_method_list(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_LOOK};
        int r = bus_read_targets(m, userdata, &request, error);

        return r < 0 ? r : call_begin(userdata, m, PERMISSION_LIST, run_list, &request, false);
}

static int begin_on_group(sd_bus_message *m, Bus *bus, CallRun run, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_LOOK};
        char target[32], *targets[] = {target, NULL};
        uint32_t number;
        int r;

        r = path_to_group(sd_bus_message_get_path(m), &number);
        if (r < 0)
                return r;
        (void)snprintf(target, sizeof(target), "group/%u", number);
        r = bus_set_targets(bus, &request, targets, error);
        return r < 0 ? r : call_begin(bus, m, PERMISSION_LIST, run, &request, false);
}

int holders_method_list_of_group(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return begin_on_group(m, userdata, run_list, error);
}

/* With nothing behind it: a whole message is kept while polkit thinks. */
static bool asks_ref_count(sd_bus_message *m) {
        const char *interface, *property;
        bool yes = sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "Get") > 0 &&
                   sd_bus_message_has_signature(m, "ss") > 0 &&
                   sd_bus_message_read(m, "ss", &interface, &property) > 0 &&
                   strcmp(interface, VFIOD_INTERFACE_GROUP) == 0 &&
                   strcmp(property, "RefCount") == 0;

        (void)sd_bus_message_rewind(m, true);
        return yes;
}

static int on_group_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Bus *bus = userdata;
        const char *path = sd_bus_message_get_path(m);
        uint32_t number;

        if (strcmp(path, VFIOD_PATH_GROUP) == 0)
                return 0;
        /* A handler that is asked makes sd-bus believe that there is an object. */
        if (path_to_group(path, &number) < 0 ||
            !topology_find_group(&broker_world(bus->broker)->topology, number))
                return sd_bus_error_setf(error, SD_BUS_ERROR_UNKNOWN_OBJECT, "Unknown object '%s'.",
                                         path);
        return asks_ref_count(m) ? begin_on_group(m, bus, run_count, error) : 0;
}

int holders_add_ref_count(Bus *bus, sd_bus *sd) {
        return sd_bus_add_fallback(sd, NULL, VFIOD_PATH_GROUP, on_group_message, bus);
}

int holders_get_ref_count(sd_bus *sd _unused_, const char *path _unused_,
                          const char *interface _unused_, const char *property _unused_,
                          sd_bus_message *reply _unused_, void *userdata _unused_,
                          sd_bus_error *error _unused_) {
        return -EOPNOTSUPP;
}
