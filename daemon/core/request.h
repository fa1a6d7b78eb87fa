/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a caller asks for, after its D-Bus form is checked and before anything is decided. A request
 * holds names, not pointers: between asking polkit and deciding, devices come and go.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/core/address.h"
#include "daemon/core/mode.h"
#include "daemon/core/refusal.h"

typedef enum Operation {
        OPERATION_BIND,
        OPERATION_UNBIND,
        OPERATION_ACQUIRE,
        OPERATION_ADD,
        OPERATION_REMOVE,
        OPERATION_RELEASE,
        OPERATION_INSPECT,
        OPERATION_RESET,
        OPERATION_SET_VFS,
        OPERATION_CREATE_MDEV,
        OPERATION_REMOVE_MDEV,
        OPERATION_ASSIGN,
        OPERATION_UNASSIGN,
        OPERATION_LOOK, /* for holders; nothing is decided about it */
        _OPERATION_MAX,
} Operation;

/* What Unbind does about a group that somebody holds. */
typedef enum UnbindPolicy {
        POLICY_FAIL,   /* refuse at once */
        POLICY_WAIT,   /* ask for it, wait until the deadline, then refuse */
        POLICY_REVOKE, /* ask for it, wait until the deadline, then take it */
} UnbindPolicy;

/* Who sent the message; what is read once and does not change while it is connected. */
typedef struct Caller {
        uid_t uid;
        pid_t pid;           /* 0 where unknown */
        uint64_t start_time; /* of that process, which tells it from the next one of its number; 0
                                where unknown */
        char name[64];       /* unique name on the bus, for the journal */
} Caller;

/* A number of the caller's own for a device. */
typedef struct Cookie {
        char device[ADDRESS_MAX + 1];
        uint64_t number;
} Cookie;

typedef struct Request {
        Operation operation;
        Caller caller;
        Target *targets;
        size_t n_targets;
        bool bind;            /* acquire, add, assign: bind first */
        bool override_safety; /* bind, assign, and with `bind`: also what the host is using */
        char *driver;         /* vfio driver wanted; NULL: the best one */
        Mode mode;            /* acquire, add */
        Prepare prepare;
        bool has_prepare;
        Cookie *cookies; /* acquire, add */
        size_t n_cookies;
        bool hot_reset;      /* acquire, add: refuse an incomplete reset set */
        uint64_t memlock;    /* acquire, add: bytes for the caller's RLIMIT_MEMLOCK; 0: as it is */
        char *label;         /* NULL for none */
        char **actions;      /* to ask about (no operation's): these alone; NULL: all */
        uint32_t lease;      /* the lease joined, added to, removed from, released; 0 for none */
        UnbindPolicy policy; /* unbind */
        bool has_timeout;
        uint64_t timeout_ms; /* for the policy's deadline */
        bool due;            /* the deadline has passed: with POLICY_REVOKE, take it now */
        bool defer_fds;
        size_t fds_max;     /* what the transport can carry in one message */
        char *reset_method; /* reset: one of the device's, "hot"; NULL: as the kernel would.
                               Printable */
        char *mdev_parent;  /* CreateMdev: the target, once it is known whether that is a device */
        char *mdev_type;    /* CreateMdev: as it was given */
        char *mdev_uuid;    /* CreateMdev: in lower case */
        uint32_t n_vfs;     /* SetVfs: how many there are to be */
        bool recreate;      /* SetVfs: those that there are may be removed first */
        bool has_autoprobe;
        bool autoprobe;     /* SetVfs: whether host drivers are to take them */
        uint64_t when_usec; /* assign: CLOCK_REALTIME, when it was asked for */
        uint32_t first;     /* GetFds: the first file wanted */
        uint32_t count;     /* GetFds: how many; 0: as many as a message carries */
} Request;

/* But for `actions`, which are of a question and outlive no operation. */
int request_copy(const Request *request, Request *ret);
void request_done(Request *request);

/* The words for journal and refusals: "bind", "acquire". */
const char *operation_name(Operation operation);

/* Reads the targets into the request; refuses malformed ones, too many, the same one twice. */
RefusalKind request_set_targets(Request *request, char *const *texts, size_t limit,
                                Refusal *refusal);

/* "0000:01:00.0 group/3", as given. Allocated. */
char *request_targets_text(const Request *request);

#define _cleanup_request_ _cleanup_(request_done)
