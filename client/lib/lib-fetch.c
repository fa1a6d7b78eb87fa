/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GetFds: the files of a lease in pages. How much one carries is for vfiod to know: of the bus few.
 */

#include <errno.h>

#include "client/lib/lib-private.h"
#include "protocol/names.h"

static int fetch_page(vfiod_lease *lease, LeaseFiles *files, uint32_t *ret_total) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = connection_new_call(lease->connection, lease->path, VFIOD_INTERFACE_LEASE, "GetFds",
                                &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "uu", (uint32_t)files->n_files, 0);
        if (r >= 0)
                r = connection_call(lease->connection, m, 0, &reply);
        if (r >= 0)
                r = lease_files_read(files, reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "u", ret_total);
        return r < 0 ? r : 0;
}

int lease_fetch(vfiod_lease *lease, LeaseFiles *files) {
        uint32_t total = 0;

        do {
                size_t before = files->n_files;
                int r;

                r = fetch_page(lease, files, &total);
                if (r < 0)
                        return r;
                /* Or it would go on for ever. */
                if (files->n_files == before && before < total)
                        return -EBADMSG;
        } while (files->n_files < total);
        return 0;
}

int vfiod_lease_fetch_files(vfiod_lease *lease) {
        _cleanup_(lease_files_done) LeaseFiles files = {0};
        int r;

        connection_begin(lease->connection);
        r = lease_fetch(lease, &files);
        if (r < 0)
                return connection_end(lease->connection, r);
        lease_files_done(&lease->files);
        lease->files = files;
        files = (LeaseFiles){0};
        return 0;
}
