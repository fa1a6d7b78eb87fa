/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The exit statuses of vfioctl, and which D-Bus error leads to which. Pure. */

typedef enum ExitStatus {
        STATUS_OK = 0,
        STATUS_NO = 1,            /* the answer is no, or a failure that no other status names */
        STATUS_USAGE = 2,         /* the command line makes no sense; nothing was asked */
        STATUS_REFUSED = 3,       /* vfiod said no: org.vfiod1.Error.* */
        STATUS_DENIED = 4,        /* polkit or the bus policy said no */
        STATUS_KERNEL = 5,        /* the kernel said no, or did not come back in time */
        STATUS_UNREACHABLE = 6,   /* no bus, no vfiod, or no answer from it */
        STATUS_INTERRUPTED = 130, /* by a signal while waiting; as a shell says it of SIGINT */
} ExitStatus;

/* `name` is a D-Bus error name, or NULL. */
ExitStatus status_from_error(const char *name);

/* One line for --help, NULL for a number that is no status. */
const char *status_meaning(ExitStatus status);
