/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lease.Remove: groups out of a lease, after our own files of them are closed. */

#include <inttypes.h>
#include <stdio.h>

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static void drop_files(LeaseFiles *files, const Members *members) {
        for (size_t i = 0; i < members->n_members; i++) {
                const Member *member = &members->members[i];
                char number[16];

                snprintf(number, sizeof(number), "%" PRIu32, member->group);
                lease_files_drop(files, VFIOD_KIND_DEVICE, member->device);
                lease_files_drop(files, VFIOD_KIND_CDEV, member->device);
                lease_files_drop(files, VFIOD_KIND_GROUP, number);
        }
}

static int ask(vfiod_lease *lease, const char *const *targets) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(lease->connection, lease->path, VFIOD_INTERFACE_LEASE, "Remove",
                                &m);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **)targets);
        return r < 0 ? r : connection_call(lease->connection, m, 0, NULL);
}

static int remove_groups(vfiod_lease *lease, const char *const *targets) {
        _cleanup_(members_done) Members members = {0};
        int r = 0;

        /* Which devices a target stands for is vfiod's to say. */
        if (lease->files.n_files > 0)
                r = members_get(lease->connection, targets, &members);
        if (r < 0)
                return r;
        drop_files(&lease->files, &members);
        r = ask(lease, targets);
        if (r >= 0 && string_equal(lease->facts.mode, VFIOD_MODE_IOMMUFD))
                r = lease_refresh(lease);
        return r;
}

int vfiod_lease_remove(vfiod_lease *lease, const char *const *targets) {
        connection_begin(lease->connection);
        return connection_end(lease->connection, remove_groups(lease, targets));
}
