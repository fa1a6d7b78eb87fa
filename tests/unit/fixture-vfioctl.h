/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* vfioctl as a process, and at the other end of its connection the scripted daemon. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/util/cleanup.h"
#include "tests/unit/fixture-daemon.h"

typedef struct Vfioctl {
        pid_t pid;
        pid_t daemon;
        bool unasked; /* as of its script */
        int in[2];    /* its stdout and stderr */
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
