/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A process that is both the system bus and vfiod, for one client, and does what a script says: no
 * daemon, no dbus-daemon and no privilege is needed. With `peer` it is vfiod behind its socket, and
 * knows nothing of a bus.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SCRIPT_DEVICE "0000:01:00.0"
#define SCRIPT_UUID "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
#define SCRIPT_LEASE "/org/vfiod1/lease/7"
/* The holder's. */
#define SCRIPT_PID 812
#define SCRIPT_UID 4294967294U

/* Milliseconds since the script's beginning: the call of Unbind, or of Acquire. */
typedef struct Script {
        unsigned holders_until;    /* from then on ListHolders finds nobody; 0 for at once */
        bool unnamed_lease;        /* the holder has no lease */
        const char *holders_error; /* the answer of ListHolders, instead */
        unsigned answer_at;        /* when Unbind is answered; 0 for never */
        const char *answer_error;  /* its answer, NULL for success */
        unsigned die_at;           /* the daemon and the bus are gone; 0 for never */
        unsigned deadline_in;      /* Lease.Deadline; 0 for none */
        unsigned deadline_until;   /* from then on it is 0; 0 for never */
        unsigned ask_back_at;      /* the byte in lease_fd; 0 for never */
        const char *reason;        /* the signal with it, NULL for none */
        bool forged_first;         /* somebody else sends such a signal before */
        bool restarted;            /* another vfiod has the name by then, and sends the signal */
        const char *device_assignment; /* in Overview; NULL is "" */
        const char *device_state;      /* in Overview and ListDevices; NULL is "idle" */
        unsigned end_at;               /* the end of the lease in lease_fd; 0 for never */
        unsigned n_devices;            /* of the lease, whose files it has; 0: no files at all */
        bool iommufd;                  /* the mode */
        bool no_iommufd;               /* the kernel has none */
        bool short_pages;              /* GetFds gives nothing, and says that there is more */
        bool strange;                  /* answers are of another shape than the protocol's */
        bool repeats;                  /* Inspect tells each thing twice */
        const char *verdict;           /* of the members that are no bridge; NULL is "vfio" */
        const char *member;            /* in group 4, instead of SCRIPT_ADDED */
        bool peer;                     /* the address is the path of a socket */
        bool hangs_up;                 /* when somebody has connected */
        bool unasked;                  /* nobody will connect */
        const char *failing;           /* the method that is answered with `error` */
        unsigned failures;             /* so often; 0: always */
        const char *last_error;        /* with which it is answered then; NULL: with none */
        const char *error;
} Script;

/* Beside it in group 3: a bridge, and a second function. Alone in group 4: what Add and Remove are
 * about. */
#define SCRIPT_BRIDGE "0000:00:1c.0"
#define SCRIPT_SIBLING "0000:01:00.1"
#define SCRIPT_ADDED "0000:02:00.0"
#define SCRIPT_IOAS 5

/*
 * Starts it. It listens at *ret_address (owned by the caller) and writes what it hears to *ret_log,
 * a line for each call and "left" at the end. `unused` are two fds of the caller's that it shall
 * not keep.
 */
pid_t daemon_start(const Script *script, const int unused[2], char **ret_address, int *ret_log);

/*
 * A socket that listens at a path, in a directory of its own; the caller closes it, and owns and
 * removes the path.
 */
int daemon_listen_at_path(char **ret_path);
void daemon_remove_path(const char *path);

/* Where nobody is. */
#define NO_BUS "unix:path=/nonexistent/bus"
