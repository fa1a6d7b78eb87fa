/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of libvfiod share, and vfioctl, which is linked with them directly, uses for
 * replies that it prints as they are. Nothing of this is exported.
 *
 * Functions return 0 or -errno; a D-Bus error stays in the connection. The public ones, one
 * operation a file, begin with connection_begin() and end with connection_end(), which gives the
 * errno its class (lib-error.c).
 */

#include <systemd/sd-bus.h>

#include "client/lib/vfiod.h"
#include "daemon/util/cleanup.h"
#include "daemon/util/list.h"

struct vfiod_connection {
        sd_bus *bus; /* NULL while it is not open */
        sd_bus_error error;
        uint64_t timeout_ms;
        bool interactive;
        unsigned n_references; /* the owner's, and one a lease */
        List leases;
        int poll_fd; /* an epoll of the bus, of each lease_fd, and of: */
        int kick_fd; /* an eventfd, set when something has been read already and not told yet */
};

typedef struct LeaseFiles {
        vfiod_file *files; /* their strings and fds are owned */
        size_t n_files;
} LeaseFiles;

/* Properties of org.vfiod1.Lease. */
typedef struct LeaseFacts {
        char *mode;
        uint32_t ioas;
        uint64_t iova_alignment;
        vfiod_iova_range *ranges;
        size_t n_ranges;
        vfiod_device_id *ids; /* their names are owned */
        size_t n_ids;
        uint64_t deadline;
} LeaseFacts;

struct vfiod_lease {
        vfiod_connection *connection; /* one reference */
        List link;                    /* vfiod_connection.leases */
        char *path;
        uint32_t id;
        char *granter; /* the daemon's unique name on the bus, NULL off a bus */
        int lease_fd;
        LeaseFiles files;
        LeaseFacts facts;
        vfiod_lease_callback callback;
        void *userdata;
        bool byte;      /* in lease_fd: somebody asks */
        bool requested; /* and so says a signal, or the byte alone */
        bool ended;
        uint64_t deadline; /* of the request */
        char *reason;
};

/* lib-connection.c */

/* Takes over a bus that was set up, and starts it. */
int connection_start(vfiod_connection *c, sd_bus *bus);
/* To vfiod itself, without a bus between us. */
bool connection_is_peer(const vfiod_connection *c);
vfiod_connection *connection_ref(vfiod_connection *c);
void connection_unref(vfiod_connection *c);

/* A bus says who has gone; of a socket there is only the end. Leaves words, returns -ECONNRESET. */
int connection_explain_end(vfiod_connection *c);

/* Forgets the last error. */
void connection_begin(vfiod_connection *c);
/* 0, or the class of what went wrong, with a name and a sentence left behind. */
int connection_end(vfiod_connection *c, int r);

int connection_new_call(vfiod_connection *c, const char *path, const char *interface,
                        const char *member, sd_bus_message **ret);
/* A call to the manager whose first or only argument is the list of targets. */
int connection_new_target_call(vfiod_connection *c, const char *member, const char *const *targets,
                               sd_bus_message **ret);
/* *ret may be NULL where the reply is empty. `timeout` in microseconds, 0 for the connection's. */
int connection_call(vfiod_connection *c, sd_bus_message *call, uint64_t timeout,
                    sd_bus_message **ret);
/* The same of a call that was made and has got c->error. 1 if it was made again, 0 where it is not
 * to be. */
int connection_call_again(vfiod_connection *c, sd_bus_message *call, sd_bus_message **ret);

/* A call of a method of the device; `device` as for connection_find_device(). */
int connection_new_device_call(vfiod_connection *c, const char *device, const char *member,
                               sd_bus_message **ret);

/* The path of the device, which is vfiod's to say: a name may be short. */
int connection_find_device(vfiod_connection *c, const char *device, char **ret);

/* Makes the connection's fd readable: there is something to tell that no file says. */
void connection_kick(vfiod_connection *c);

/* lib-error.c */
int error_class(const char *name);

/* lib-options.c: each appends a whole a{sv}. */
int append_driver(sd_bus_message *m, const char *driver);
int append_assign(sd_bus_message *m, const char *driver, unsigned flags);
int append_policy(sd_bus_message *m, const char *policy, uint64_t timeout_ms);
int append_acquire(sd_bus_message *m, const vfiod_acquire_options *options, bool defer_fds);

/* lib-files.c */
void lease_files_done(LeaseFiles *files);
/* Owns `fd` whatever happens. */
int lease_files_add_consume(LeaseFiles *files, const char *kind, const char *name, int fd);
/* Closes those of that kind and name. */
void lease_files_drop(LeaseFiles *files, const char *kind, const char *name);
/* Appends a(ssh), and owns duplicates. */
int lease_files_read(LeaseFiles *files, sd_bus_message *m);
/* The first that matches, NULL for none; any name where it is NULL. *ret_n is how many do. */
vfiod_file *lease_files_find(const LeaseFiles *files, const char *kind, const char *name,
                             size_t *ret_n);

/* lib-facts.c */
void lease_facts_done(LeaseFacts *facts);
/* The body of a reply that is a{sv}. */
int lease_facts_read(sd_bus_message *m, LeaseFacts *ret);
/*
 * Asks for them, and notes who answers where it is not known yet. `aside`: nobody has called for
 * it, so no user is asked for a password, and it is not waited for long.
 */
int lease_facts_get(vfiod_lease *lease, bool aside, LeaseFacts *ret);

/* lib-lease.c */
int lease_object_new(vfiod_connection *c, const char *path, vfiod_lease **ret);
/* Owns `fd` whatever happens. */
int lease_watch_consume(vfiod_lease *lease, int fd);
void lease_close_lease_fd(vfiod_lease *lease);
/* The facts once more, where there can be new ones. */
int lease_refresh(vfiod_lease *lease);

/* lib-fetch.c: all files of the lease, into an empty `files`. */
int lease_fetch(vfiod_lease *lease, LeaseFiles *files);

/* lib-members.c: strings are borrowed from the reply, which is kept. */
typedef struct Member {
        const char *device;
        uint32_t group;
        const char *verdict; /* the words of Manager.Explain */
} Member;

typedef struct Members {
        Member *members; /* by group, then name */
        size_t n_members;
        sd_bus_message *reply;
} Members;

void members_done(Members *members);
/* The reply of Explain. */
int members_read(sd_bus_message *reply, Members *ret);
int members_get(vfiod_connection *c, const char *const *targets, Members *ret);

/* lib-inspect.c: the reply of Inspect, which is kept; the name is copied. */
int inspection_read(sd_bus_message *reply, const char *name, vfiod_inspection **ret);

/* lib-process.c */
int on_release_requested(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

static inline void connection_freep(vfiod_connection **c) {
        vfiod_connection_free(*c);
}

static inline void lease_freep(vfiod_lease **lease) {
        vfiod_lease_free(*lease);
}

#define _cleanup_connection_ _cleanup_(connection_freep)
#define _cleanup_lease_ _cleanup_(lease_freep)
