/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Every way vfiod says no. A refusal is our decision, taken before anything was touched or after
 * everything was put back; what the kernel said no to is a failure (daemon/broker/outcome.h). Each
 * value is one D-Bus error name (daemon/bus/bus-error.c) and comes with a sentence that names the
 * subject and the remedy.
 */

#include "daemon/util/cleanup.h"

typedef enum RefusalKind {
        REFUSAL_NONE,                 /* allowed */
        REFUSAL_NO_TARGETS,           /* empty list */
        REFUSAL_TOO_MANY_TARGETS,     /* above limits.targets */
        REFUSAL_INVALID_TARGET,       /* cannot be a name of anything */
        REFUSAL_DUPLICATE_TARGET,     /* named twice, or by its group too */
        REFUSAL_NOT_FOUND,            /* no such device, group or lease */
        REFUSAL_INVALID_OPTION,       /* unknown option */
        REFUSAL_INVALID_OPTION_VALUE, /* wrong type or value */
        REFUSAL_CHANGED,              /* not the device that was authorised any more */
        REFUSAL_HOST_DEVICE,          /* the host cannot live without it */
        REFUSAL_NOTHING_TO_BIND,      /* a group of bridges */
        REFUSAL_NOT_VIABLE,           /* by the kernel's rule */
        REFUSAL_NO_VFIO_DRIVER,       /* for this bus, or on this kernel */
        REFUSAL_NOT_BOUND,            /* viable, but a member is on no vfio driver */
        REFUSAL_LEASED,               /* a lease has the group */
        REFUSAL_BUSY,                 /* an operation is working on the group */
        REFUSAL_STUCK,                /* an earlier operation never came back from the kernel */
        REFUSAL_HELD_OUTSIDE,         /* open in a process that has no lease of ours */
        REFUSAL_LIMIT_EXCEEDED,       /* of this uid or in total */
        REFUSAL_TOO_MANY_FDS,         /* more than one message can carry */
        REFUSAL_UNSUPPORTED,          /* by this version or this kernel */
        REFUSAL_DEVICE_GONE,          /* unplugged meanwhile */
        REFUSAL_NOT_OWNER,            /* somebody else's lease */
        REFUSAL_LEASE_ENDED,          /* draining or lost */
        REFUSAL_NOT_IN_LEASE,         /* a group that the lease does not have, or its last one */
        REFUSAL_IN_USE, /* the holder still has a device of the group open, or has not set it up */
        REFUSAL_RESET_SET_INCOMPLETE, /* devices that are reset together would be leased apart, or
                                         one is not at hand */
        REFUSAL_NO_RESET,             /* the device cannot be reset, or not in that way */
        REFUSAL_ALREADY_EXISTS,       /* it is there already, and would have to go first */
        REFUSAL_EXHAUSTED,            /* the hardware has no more of them */
        REFUSAL_BAD_ASSIGNMENTS,      /* their file cannot be read */
        REFUSAL_STILL_HELD,           /* asked for and not given back in time, or not to be had */
        REFUSAL_CALLED_OFF,           /* whoever asked has left while it was waited for */
        REFUSAL_NOT_AUTHORISED,       /* polkit said no, or cannot be asked */
        REFUSAL_AUTHORISATION_NEEDED, /* polkit would ask a person; the message did not allow it */
        _REFUSAL_MAX,
} RefusalKind;

typedef struct Refusal {
        RefusalKind kind;
        char *sentence; /* NULL only while kind is REFUSAL_NONE, or when memory ran out */
} Refusal;

#define REFUSAL_NULL {.kind = REFUSAL_NONE}

/* Sets *refusal, replacing what it said before, and returns the kind, so that deciders can return
 * it. */
RefusalKind refuse(Refusal *refusal, RefusalKind kind, const char *format, ...) _printf_(3, 4);

/* What is said when memory ran out, also when there is none left to say it in. */
#define REFUSAL_NO_MEMORY "vfiod is out of memory"
RefusalKind refuse_memory(Refusal *refusal);

/* "NotViable"; "" for REFUSAL_NONE. */
const char *refusal_name(RefusalKind kind);

void refusal_done(Refusal *refusal);

#define _cleanup_refusal_ _cleanup_(refusal_done)
