/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What vfiod says of a lease: the properties of org.vfiod1.Lease that a program needs. */

#include <errno.h>

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

#define ASIDE_TIMEOUT UINT64_C(5000000)

static void ids_done(LeaseFacts *facts) {
        for (size_t i = 0; i < facts->n_ids; i++)
                free((char *)facts->ids[i].name);
        free(facts->ids);
        facts->ids = NULL;
        facts->n_ids = 0;
}

void lease_facts_done(LeaseFacts *facts) {
        ids_done(facts);
        free(facts->ranges);
        free(facts->mode);
        *facts = (LeaseFacts){0};
}

/* v, with a(tt) in it */
static int read_ranges(sd_bus_message *m, LeaseFacts *facts) {
        vfiod_iova_range range;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "a(tt)");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(tt)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(tt)", &range.first, &range.last)) > 0) {
                vfiod_iova_range *grown =
                        reallocarray(facts->ranges, facts->n_ranges + 1, sizeof(range));

                if (!grown)
                        return -ENOMEM;
                facts->ranges = grown;
                grown[facts->n_ranges++] = range;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* v, with a(sut) in it */
static int read_ids(sd_bus_message *m, LeaseFacts *facts) {
        vfiod_device_id id;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "a(sut)");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(sut)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(sut)", &id.name, &id.id, &id.cookie)) > 0) {
                vfiod_device_id *grown = reallocarray(facts->ids, facts->n_ids + 1, sizeof(id));

                if (!grown)
                        return -ENOMEM;
                facts->ids = grown;
                id.name = strdup(id.name);
                if (!id.name)
                        return -ENOMEM;
                grown[facts->n_ids++] = id;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_mode(sd_bus_message *m, LeaseFacts *facts) {
        const char *mode;
        int r;

        r = sd_bus_message_read(m, "v", "s", &mode);
        return r < 0 ? r : string_set(&facts->mode, mode);
}

static int read_property(sd_bus_message *m, const char *key, LeaseFacts *facts) {
        if (string_equal(key, "Mode"))
                return read_mode(m, facts);
        if (string_equal(key, "Ioas"))
                return sd_bus_message_read(m, "v", "u", &facts->ioas);
        if (string_equal(key, "IovaAlignment"))
                return sd_bus_message_read(m, "v", "t", &facts->iova_alignment);
        if (string_equal(key, "Deadline"))
                return sd_bus_message_read(m, "v", "t", &facts->deadline);
        if (string_equal(key, "IovaRanges"))
                return read_ranges(m, facts);
        if (string_equal(key, "DeviceIds"))
                return read_ids(m, facts);
        return sd_bus_message_skip(m, "v");
}

static int read_all(sd_bus_message *m, LeaseFacts *facts) {
        const char *key;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0)
                        r = read_property(m, key, facts);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int lease_facts_read(sd_bus_message *m, LeaseFacts *ret) {
        _cleanup_(lease_facts_done) LeaseFacts facts = {0};
        int r;

        r = read_all(m, &facts);
        if (r < 0)
                return r;
        if (!facts.mode)
                return -EBADMSG;
        *ret = facts;
        facts = (LeaseFacts){0};
        return 0;
}

int lease_facts_get(vfiod_lease *lease, bool aside, LeaseFacts *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        vfiod_connection *c = lease->connection;
        int r;

        r = connection_new_call(c, lease->path, "org.freedesktop.DBus.Properties", "GetAll", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", VFIOD_INTERFACE_LEASE);
        if (r >= 0 && aside)
                r = sd_bus_message_set_allow_interactive_authorization(m, false);
        if (r >= 0)
                r = connection_call(c, m, aside ? ASIDE_TIMEOUT : 0, &reply);
        if (r >= 0 && !lease->granter)
                r = string_set(&lease->granter, sd_bus_message_get_sender(reply));
        return r < 0 ? r : lease_facts_read(reply, ret);
}
