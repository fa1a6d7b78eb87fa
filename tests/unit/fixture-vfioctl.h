/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * vfioctl as a process, and at the other end of its connection one that is both the system bus and
 * vfiod, and does what a script says: no daemon, no dbus-daemon and no privilege is needed.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/util/cleanup.h"

#define SCRIPT_DEVICE "0000:01:00.0"
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
        const char *device_state;  /* in Overview and ListDevices; NULL is "idle" */
} Script;

typedef struct Vfioctl {
        pid_t pid;
        pid_t daemon;
        int in[2]; /* its stdout and stderr */
        char *text[2];
        int log;     /* of the daemon */
        int status;  /* of the exit; 1000 and the signal that killed it */
        char *heard; /* by the daemon: a line for each call, and "left" at the end */
} Vfioctl;

/* The program to run. Before any test. */
void vfioctl_set_program(const char *path);

/* `arguments` without the program's name, NULL-terminated. */
void vfioctl_start(Vfioctl *v, const Script *script, char *const *arguments);
/* The same with stdin and stderr on a terminal of 120 columns. */
void vfioctl_start_on_terminal(Vfioctl *v, const Script *script, char *const *arguments);

/* Waits until the text has appeared on its stderr. */
void vfioctl_wait_for(Vfioctl *v, const char *part);

/* Waits for its end, and the daemon's; then status, texts and `heard` are complete. */
void vfioctl_finish(Vfioctl *v);
void vfioctl_done(Vfioctl *v);

static inline const char *vfioctl_stdout(const Vfioctl *v) {
        return v->text[0] ? v->text[0] : "";
}

static inline const char *vfioctl_stderr(const Vfioctl *v) {
        return v->text[1] ? v->text[1] : "";
}

/* How many times the daemon heard that. */
unsigned vfioctl_count_heard(const Vfioctl *v, const char *part);

#define _cleanup_vfioctl_ _cleanup_(vfioctl_done)
