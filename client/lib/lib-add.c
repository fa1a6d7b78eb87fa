/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lease.Add: more groups under a lease, their files in pages where one message cannot carry them.
 */

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static int ask(vfiod_lease *lease, const char *const *targets, const vfiod_acquire_options *options,
               bool defer_fds, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(lease->connection, lease->path, VFIOD_INTERFACE_LEASE, "Add", &m);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **)targets);
        if (r >= 0)
                r = append_acquire(m, options, defer_fds);
        return r < 0 ? r : connection_call(lease->connection, m, 0, ret);
}

/* Also one that was taken: its owner has it. */
static bool has(const LeaseFiles *files, const vfiod_file *file) {
        for (size_t i = 0; i < files->n_files; i++)
                if (string_equal(files->files[i].kind, file->kind) &&
                    string_equal(files->files[i].name, file->name))
                        return true;
        return false;
}

/* Those that the lease does not have yet, of all that there are. */
static int fetch_new(vfiod_lease *lease, LeaseFiles *ret) {
        _cleanup_(lease_files_done) LeaseFiles all = {0};
        int r;

        r = lease_fetch(lease, &all);
        for (size_t i = 0; i < all.n_files && r >= 0; i++) {
                vfiod_file *file = &all.files[i];

                if (has(&lease->files, file))
                        continue;
                r = lease_files_add_consume(ret, file->kind, file->name, file->fd);
                file->fd = -1;
        }
        return r;
}

static int append_files(vfiod_lease *lease, LeaseFiles *fresh) {
        int r = 0;

        for (size_t i = 0; i < fresh->n_files && r >= 0; i++) {
                vfiod_file *file = &fresh->files[i];

                r = lease_files_add_consume(&lease->files, file->kind, file->name, file->fd);
                file->fd = -1;
        }
        return r;
}

static int add(vfiod_lease *lease, const char *const *targets,
               const vfiod_acquire_options *options) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(lease_files_done) LeaseFiles fresh = {0};
        sd_bus_error *error = &lease->connection->error;
        int r;

        r = ask(lease, targets, options, false, &reply);
        if (r >= 0) {
                r = lease_files_read(&fresh, reply);
        } else if (sd_bus_error_has_name(error, VFIOD_ERROR_PREFIX "TooManyFds")) {
                r = ask(lease, targets, options, true, &reply);
                if (r >= 0)
                        r = fetch_new(lease, &fresh);
        }
        if (r >= 0)
                r = append_files(lease, &fresh);
        if (r >= 0 && string_equal(lease->facts.mode, VFIOD_MODE_IOMMUFD))
                r = lease_refresh(lease);
        return r;
}

int vfiod_lease_add(vfiod_lease *lease, const char *const *targets,
                    const vfiod_acquire_options *options) {
        connection_begin(lease->connection);
        return connection_end(lease->connection, add(lease, targets, options));
}
