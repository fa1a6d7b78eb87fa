/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Acquire: a lease with its files and, in iommufd mode, what the kernel calls them. When one
 * message cannot carry the files, vfiod refuses, and is asked again for the lease alone and for the
 * files in pages. What fails after the lease was granted ends it: nobody but us has its lease_fd.
 */

#include "client/lib/lib-private.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static int ask(vfiod_connection *c, const char *const *targets,
               const vfiod_acquire_options *options, bool defer_fds, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_target_call(c, "Acquire", targets, &m);
        if (r >= 0)
                r = append_acquire(m, options, defer_fds);
        return r < 0 ? r : connection_call(c, m, 0, ret);
}

/* oha(ssh) */
static int read_lease(vfiod_connection *c, sd_bus_message *reply, vfiod_lease **ret) {
        _cleanup_lease_ vfiod_lease *lease = NULL;
        const char *path;
        int r, fd;

        r = sd_bus_message_read(reply, "oh", &path, &fd);
        if (r >= 0)
                r = lease_object_new(c, path, &lease);
        if (r >= 0)
                r = string_set(&lease->granter, sd_bus_message_get_sender(reply));
        if (r >= 0)
                r = fd_duplicate(fd);
        if (r >= 0)
                r = lease_watch_consume(lease, r);
        if (r >= 0)
                r = lease_files_read(&lease->files, reply);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(lease);
        return 0;
}

/* The files tell the mode; of group mode there is no more to know. */
static int complete(vfiod_lease *lease) {
        size_t n;

        if (lease_files_find(&lease->files, VFIOD_KIND_IOMMUFD, NULL, &n))
                return lease_refresh(lease);
        return string_set(&lease->facts.mode, VFIOD_MODE_GROUP);
}

static int acquire(vfiod_connection *c, const char *const *targets,
                   const vfiod_acquire_options *options, vfiod_lease **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_lease_ vfiod_lease *lease = NULL;
        bool defer = false;
        int r;

        r = ask(c, targets, options, false, &reply);
        if (r < 0 && sd_bus_error_has_name(&c->error, VFIOD_ERROR_PREFIX "TooManyFds")) {
                defer = true;
                r = ask(c, targets, options, true, &reply);
        }
        if (r >= 0)
                r = read_lease(c, reply, &lease);
        if (r >= 0 && defer)
                r = lease_fetch(lease, &lease->files);
        if (r >= 0)
                r = complete(lease);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(lease);
        return 0;
}

int vfiod_acquire(vfiod_connection *c, const char *const *targets,
                  const vfiod_acquire_options *options, vfiod_lease **ret) {
        connection_begin(c);
        return connection_end(c, acquire(c, targets, options, ret));
}
