/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CreateMdev, RemoveMdev: mediated devices. */

#include <stdlib.h>

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static int create(vfiod_connection *c, const char *parent, const char *type, const char *uuid,
                  char **ret_uuid) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *name;
        int r;

        r = connection_new_call(c, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, "CreateMdev", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "sssa{sv}", parent, type, string_or_empty(uuid), 0);
        if (r >= 0)
                r = connection_call(c, m, 0, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &name);
        if (r < 0 || !ret_uuid)
                return r;
        *ret_uuid = NULL;
        return string_set(ret_uuid, name);
}

static int remove_one(vfiod_connection *c, const char *uuid) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = connection_new_device_call(c, uuid, "RemoveMdev", &m);

        return r < 0 ? r : connection_call(c, m, 0, NULL);
}

int vfiod_create_mdev(vfiod_connection *c, const char *parent, const char *type, const char *uuid,
                      char **ret_uuid) {
        connection_begin(c);
        return connection_end(c, create(c, parent, type, uuid, ret_uuid));
}

int vfiod_remove_mdev(vfiod_connection *c, const char *uuid) {
        connection_begin(c);
        return connection_end(c, remove_one(c, uuid));
}
