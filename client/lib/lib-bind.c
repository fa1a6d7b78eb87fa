/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bind: groups to a vfio driver. */

#include "client/lib/lib-private.h"

static int bind_groups(vfiod_connection *c, const char *const *targets, const char *driver) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_target_call(c, "Bind", targets, &m);
        if (r >= 0)
                r = append_driver(m, driver);
        return r < 0 ? r : connection_call(c, m, 0, NULL);
}

int vfiod_bind(vfiod_connection *c, const char *const *targets, const char *driver) {
        connection_begin(c);
        return connection_end(c, bind_groups(c, targets, driver));
}
