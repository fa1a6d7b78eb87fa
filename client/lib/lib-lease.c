/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The lease as an object: its life, its files, and what is known of it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "client/lib/lib-private.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

/* The number in ".../lease/7". */
static int id_of_path(const char *path, uint32_t *ret) {
        const char *number = path ? string_after(path, VFIOD_PATH_LEASE "/") : NULL;
        uint64_t id;

        if (!number || string_to_u64(number, UINT32_MAX, &id) < 0)
                return -EINVAL;
        *ret = (uint32_t)id;
        return 0;
}

int lease_object_new(vfiod_connection *c, const char *path, vfiod_lease **ret) {
        vfiod_lease *lease;
        uint32_t id;
        int r;

        r = id_of_path(path, &id);
        if (r < 0)
                return r;
        lease = malloc(sizeof(*lease));
        if (!lease)
                return -ENOMEM;
        *lease = (vfiod_lease){.path = strdup(path), .id = id, .lease_fd = -EBADF};
        lease->connection = connection_ref(c);
        list_insert(&c->leases, &lease->link);
        if (!lease->path) {
                vfiod_lease_free(lease);
                return -ENOMEM;
        }
        *ret = lease;
        return 0;
}

vfiod_lease *vfiod_lease_free(vfiod_lease *lease) {
        if (!lease)
                return NULL;
        lease_files_done(&lease->files);
        lease_close_lease_fd(lease);
        lease_facts_done(&lease->facts);
        list_remove(&lease->link);
        connection_unref(lease->connection);
        free(lease->path);
        free(lease->granter);
        free(lease->reason);
        free(lease);
        return NULL;
}

/*
 * The byte in lease_fd is left for whoever else has it, so readiness is looked for at its edge:
 * once for each byte written, once for the end.
 */
int lease_watch_consume(vfiod_lease *lease, int fd) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = lease};

        lease->lease_fd = fd;
        return epoll_ctl(lease->connection->poll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* An epoll knows files, not descriptors: one that lives on elsewhere has to be taken out. */
static int take_lease_fd(vfiod_lease *lease) {
        if (lease->lease_fd < 0)
                return -ENOENT;
        (void)epoll_ctl(lease->connection->poll_fd, EPOLL_CTL_DEL, lease->lease_fd, NULL);
        return TAKE_FD(lease->lease_fd);
}

void lease_close_lease_fd(vfiod_lease *lease) {
        (void)fd_close(take_lease_fd(lease));
}

static int find_file(const vfiod_lease *lease, const char *kind, const char *name,
                     vfiod_file **ret) {
        size_t n;

        *ret = lease_files_find(&lease->files, kind, name, &n);
        return n == 0 ? -ENOENT : n > 1 ? -ENOTUNIQ : 0;
}

int vfiod_lease_get_fd(const vfiod_lease *lease, const char *kind, const char *name) {
        vfiod_file *file;
        int r;

        if (string_equal(kind, VFIOD_KIND_LEASE))
                return lease->lease_fd < 0 ? -ENOENT : lease->lease_fd;
        r = find_file(lease, kind, name, &file);
        return r < 0 ? r : file->fd;
}

int vfiod_lease_take_fd(vfiod_lease *lease, const char *kind, const char *name) {
        vfiod_file *file;
        int r;

        if (string_equal(kind, VFIOD_KIND_LEASE))
                return take_lease_fd(lease);
        r = find_file(lease, kind, name, &file);
        return r < 0 ? r : TAKE_FD(file->fd);
}

const vfiod_file *vfiod_lease_get_file(const vfiod_lease *lease, size_t i) {
        return i < lease->files.n_files ? &lease->files.files[i] : NULL;
}

const char *vfiod_lease_get_path(const vfiod_lease *lease) {
        return lease->path;
}

uint32_t vfiod_lease_get_id(const vfiod_lease *lease) {
        return lease->id;
}

const char *vfiod_lease_get_mode(const vfiod_lease *lease) {
        return lease->facts.mode;
}

uint32_t vfiod_lease_get_ioas(const vfiod_lease *lease) {
        return lease->facts.ioas;
}

uint64_t vfiod_lease_get_iova_alignment(const vfiod_lease *lease) {
        return lease->facts.iova_alignment;
}

const vfiod_iova_range *vfiod_lease_get_iova_range(const vfiod_lease *lease, size_t i) {
        return i < lease->facts.n_ranges ? &lease->facts.ranges[i] : NULL;
}

const vfiod_device_id *vfiod_lease_get_device_id(const vfiod_lease *lease, size_t i) {
        return i < lease->facts.n_ids ? &lease->facts.ids[i] : NULL;
}

void vfiod_lease_set_callback(vfiod_lease *lease, vfiod_lease_callback callback, void *userdata) {
        lease->callback = callback;
        lease->userdata = userdata;
}

int lease_refresh(vfiod_lease *lease) {
        LeaseFacts facts;
        int r;

        r = lease_facts_get(lease, false, &facts);
        if (r < 0)
                return r;
        lease_facts_done(&lease->facts);
        lease->facts = facts;
        return 0;
}

int vfiod_lease_open(vfiod_connection *c, const char *path, vfiod_lease **ret) {
        _cleanup_lease_ vfiod_lease *lease = NULL;
        int r;

        connection_begin(c);
        r = lease_object_new(c, path, &lease);
        if (r >= 0)
                r = lease_refresh(lease);
        if (r < 0)
                return connection_end(c, r);
        *ret = TAKE_PTR(lease);
        return 0;
}
