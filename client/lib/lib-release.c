/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Release: the end of a lease. It ends when lease_fd is closed too, but some time after; Release
 * answers when it is over, so that who comes next finds the groups free.
 */

#include "client/lib/lib-private.h"
#include "protocol/names.h"

static int ask(vfiod_connection *c, const char *path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(c, path, VFIOD_INTERFACE_LEASE, "Release", &m);
        return r < 0 ? r : connection_call(c, m, 0, NULL);
}

int vfiod_release(vfiod_connection *c, const char *path) {
        connection_begin(c);
        return connection_end(c, ask(c, path));
}

int vfiod_lease_release(vfiod_lease *lease) {
        int r;

        connection_begin(lease->connection);
        lease_files_done(&lease->files);
        r = ask(lease->connection, lease->path);
        lease_close_lease_fd(lease);
        return connection_end(lease->connection, r);
}
