/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Assign and Unassign: whose groups are from the next boot on. */

#include "client/lib/lib-private.h"

int vfiod_assign(vfiod_connection *c, const char *const *targets, const char *driver,
                 unsigned flags) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        connection_begin(c);
        r = connection_new_target_call(c, "Assign", targets, &m);
        if (r >= 0)
                r = append_assign(m, driver, flags);
        if (r >= 0)
                r = connection_call(c, m, 0, NULL);
        return connection_end(c, r);
}

int vfiod_unassign(vfiod_connection *c, const char *const *targets) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        connection_begin(c);
        r = connection_new_target_call(c, "Unassign", targets, &m);
        if (r >= 0)
                r = append_driver(m, NULL);
        if (r >= 0)
                r = connection_call(c, m, 0, NULL);
        return connection_end(c, r);
}
