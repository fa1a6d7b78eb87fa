/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Leases: our record that somebody may hold a set of groups. The state machine is a table, and
 * lease_enter() its only writer. The files themselves belong to the broker
 * (daemon/broker/holding.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/core/lease-iommufd.h"
#include "daemon/core/mode.h"
#include "daemon/util/list.h"

#define LEASE_LABEL_MAX 255U /* bytes, at most; limits.label_bytes may be less */

typedef enum LeaseState {
        LEASE_GRANTING,  /* the plan runs; nobody has a file yet */
        LEASE_HELD,      /* the owner has the files */
        LEASE_RELEASING, /* the owner was asked to give back, a deadline runs */
        LEASE_DRAINING,  /* given back; our files are closed, somebody may still have theirs open */
        LEASE_LOST,      /* every device of it was unplugged */
        LEASE_GONE,      /* over; about to leave the table */
        _LEASE_STATE_MAX,
} LeaseState;

typedef enum LeaseEvent {
        LEASE_EVENT_GRANTED,    /* the plan is done */
        LEASE_EVENT_FAILED,     /* the plan was undone */
        LEASE_EVENT_ASKED,      /* somebody wants the devices back */
        LEASE_EVENT_WITHDRAWN,  /* and does not any more */
        LEASE_EVENT_GIVEN_BACK, /* Release, or the last copy of lease_fd was closed */
        LEASE_EVENT_UNPLUGGED,  /* the last device went */
        LEASE_EVENT_FREE,       /* the kernel lets the groups be opened again */
        _LEASE_EVENT_MAX,
} LeaseEvent;

typedef struct Lease {
        uint32_t id;
        uid_t owner;
        char *label;
        char *client; /* where the owner is to be told: a unique name on the bus; "" for nowhere */
        LeaseState state;
        bool closed; /* while draining: our files of it are closed */
        bool stuck;  /* held by a process that cannot be found; so are its devices */
        Mode mode;   /* never MODE_AUTO */
        Prepare prepare;
        uint64_t since;    /* microseconds, CLOCK_REALTIME */
        uint64_t deadline; /* same; 0 for none */
        uint32_t *groups;  /* ordered */
        size_t n_groups;
        char **devices; /* whose fds belong to the lease, ordered; NULL for none */
        LeaseIommufd iommufd;
        List link; /* LeaseTable.leases, by id */
} Lease;

typedef struct LeaseTable {
        List leases;
        uint32_t last_id;
} LeaseTable;

void lease_table_init(LeaseTable *table);
void lease_table_done(LeaseTable *table);

/* A lease in LEASE_GRANTING, in the table from now on, so that its groups are taken. */
int lease_new(LeaseTable *table, uid_t owner, const char *label, Lease **ret);

/* Whom ReleaseRequested goes to. -ENOMEM leaves it as it was. */
int lease_set_client(Lease *lease, const char *client);

/* Takes the lease out of its table. Accepts NULL; returns NULL. */
Lease *lease_free(Lease *lease);

/* -EINVAL, and nothing done, for an event that cannot happen in the lease's state. The deadline
 * ends with LEASE_RELEASING. */
int lease_enter(Lease *lease, LeaseEvent event);
/* LEASE_EVENT_ASKED, with the deadline (0 for none) of those who ask now. */
int lease_ask(Lease *lease, uint64_t deadline);

/* Moves the lease's groups and devices; both are set-like, and -ENOMEM leaves them as they were. */
int lease_add_group(Lease *lease, uint32_t group);
void lease_remove_group(Lease *lease, uint32_t group);
int lease_add_device(Lease *lease, const char *device);
void lease_remove_device(Lease *lease, const char *device);

/* We have a file of the device itself. */
bool lease_has_device(const Lease *lease, const char *device);
bool lease_has_group(const Lease *lease, uint32_t group);
/* May still be added to, listed from, released. */
bool lease_is_live(const Lease *lease);
const char *lease_state_name(LeaseState state);

Lease *lease_table_find(const LeaseTable *table, uint32_t id);
/* The lease that has `group`, in whatever state; NULL for none. */
Lease *lease_table_find_group(const LeaseTable *table, uint32_t group);
size_t lease_table_count(const LeaseTable *table);
size_t lease_table_count_owner(const LeaseTable *table, uid_t owner);
size_t lease_table_count_groups(const LeaseTable *table);
size_t lease_table_count_groups_of(const LeaseTable *table, uid_t owner);
