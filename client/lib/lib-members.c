/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The members of the targets' groups, by Explain. */

#include <errno.h>

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"

void members_done(Members *members) {
        free(members->members);
        sd_bus_message_unref(members->reply);
        *members = (Members){0};
}

static int read_value(sd_bus_message *m, const char *key, Member *member) {
        if (string_equal(key, "Device"))
                return sd_bus_message_read(m, "v", "s", &member->device);
        if (string_equal(key, "Group"))
                return sd_bus_message_read(m, "v", "u", &member->group);
        if (string_equal(key, "Verdict"))
                return sd_bus_message_read(m, "v", "s", &member->verdict);
        return sd_bus_message_skip(m, "v");
}

/* The entries of one a{sv} that has been entered. */
static int read_member(sd_bus_message *m, Member *member) {
        const char *key;
        int r;

        *member = (Member){.device = "", .verdict = ""};
        while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0)
                        r = read_value(m, key, member);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_all(sd_bus_message *m, Members *members) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "a{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}")) > 0) {
                Member *grown =
                        reallocarray(members->members, members->n_members + 1, sizeof(Member));

                if (!grown)
                        return -ENOMEM;
                members->members = grown;
                r = read_member(m, &grown[members->n_members++]);
        }
        return r;
}

int members_read(sd_bus_message *reply, Members *ret) {
        _cleanup_(members_done) Members members = {.reply = sd_bus_message_ref(reply)};
        int r = read_all(reply, &members);

        if (r < 0)
                return r;
        *ret = members;
        members = (Members){0};
        return 0;
}

int members_get(vfiod_connection *c, const char *const *targets, Members *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = connection_new_target_call(c, "Explain", targets, &m);
        if (r >= 0)
                r = connection_call(c, m, 0, &reply);
        return r < 0 ? r : members_read(reply, ret);
}
