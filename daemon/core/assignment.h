/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Assignments: PCI devices that are to be on a vfio driver from boot on, as they are written down
 * in assignments.json beside the configuration. vfiod writes it, and vfiod-assigned(8) reads it at
 * boot without a daemon (boot/). A device is known by its address and by what sits there, so that
 * another card that has come to its address is noticed, and left alone. Pure: where the text is
 * kept is daemon/persist/assignments-file.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/util/facts.h"

/* Grows with every change that an older reader would misread. */
#define ASSIGNMENTS_VERSION 1U

/* More than a machine has functions to give away. */
#define ASSIGNMENTS_MAX 4096U

typedef struct Assignment {
        char *device;    /* PCI address, "0000:01:00.0" */
        char *id;        /* vendor and device, "8086:10d3" */
        char *subsystem; /* the same of the subsystem */
        char *serial;    /* PCIe Device Serial Number, "52-54-00-ff-ff-12-34-56"; "" where it has
                            none; NULL: to be read before it is written down */
        char *driver;    /* the vfio driver, "vfio-pci" */
        char *since;     /* when it was assigned, UTC: "2026-11-21T22:40:05Z" */
} Assignment;

typedef struct Assignments {
        Assignment *items; /* ordered by address, each once */
        size_t n;
} Assignments;

#define ASSIGNMENTS_NULL {.items = NULL}

/*
 * Reads all or nothing. -EBADMSG with *ret_error, a sentence that names the place; -EPROTONOSUPPORT
 * with a sentence for what a newer vfiod has written; -ENOMEM.
 */
int assignments_read(const char *text, Assignments *ret, char **ret_error);

/* To be read by people too. Allocated; NULL when memory ran out. */
char *assignments_write(const Assignments *assignments);

Assignment *assignments_find(const Assignments *assignments, const char *device);

/* Copies; replaces what is there for its address. */
int assignments_put(Assignments *assignments, const Assignment *assignment);
/* Harmless if there is none. */
void assignments_remove(Assignments *assignments, const char *device);

/* One for the device as it is now, its serial number not known yet. `when_usec` is of
 * CLOCK_REALTIME. */
int assignment_of(const DeviceFacts *facts, const char *driver, uint64_t when_usec,
                  Assignment *ret);

/*
 * Whether what sits at the address is what was assigned: a sentence if it is not, NULL if it is.
 * `serial` may be NULL for not known, which is no difference. Allocated; -ENOMEM.
 */
int assignment_check(const Assignment *assignment, const char *id, const char *subsystem,
                     const char *serial, char **ret_mismatch);

/* "8086:10d3". Allocated. */
char *assignment_id(uint16_t vendor, uint16_t device);

/* "0000:03:01.0, 0000:03:02.0". Allocated. */
char *assignments_names(const Assignments *assignments);

void assignment_done(Assignment *assignment);
void assignments_done(Assignments *assignments);

#define _cleanup_assignment_ _cleanup_(assignment_done)
#define _cleanup_assignments_ _cleanup_(assignments_done)
