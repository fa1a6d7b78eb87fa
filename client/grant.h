/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Acquire gave: a lease, its lease_fd and the labelled files. Owns all of them. */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/util/cleanup.h"

typedef struct GrantFile {
        char *kind; /* "container", "group", "device" */
        char *name; /* group number or device name, "" for a container */
        int fd;
} GrantFile;

typedef struct Grant {
        char *lease;   /* object path */
        char *granter; /* who granted it: the daemon's unique name on the bus, NULL off a bus */
        int lease_fd;
        GrantFile *files;
        size_t n_files;
} Grant;

#define GRANT_NULL {.lease_fd = -1}

void grant_done(Grant *grant);

/* Closes the files and keeps the lease. */
void grant_close_files(Grant *grant);

/* Appends a file; `fd` is owned by the call whatever happens. */
int grant_add_consume(Grant *grant, const char *kind, const char *name, int fd);

/*
 * The first file of that kind and name (any name where it is NULL), NULL where there is none;
 * *ret_n counts how many there are. A PCI address may be given without its domain.
 */
const GrantFile *grant_find(const Grant *grant, const char *kind, const char *name, size_t *ret_n);

/* "container:=5 group:3=6 device:0000:01:00.0=7": kind up to the first ':', fd behind the last '='
 */
char *grant_describe(const Grant *grant);

#define _cleanup_grant_ _cleanup_(grant_done)
