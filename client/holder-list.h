/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The reply of ListHolders as plain rows: which process has which files. Strings are borrowed from
 * the reply, which the list keeps.
 */

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "daemon/util/cleanup.h"

typedef struct HeldFile {
        const char *kind; /* "container", "group", "device", "cdev", "mapping", "lease" */
        const char *name; /* of the device; number of the group or lease; "" where there is none */
        int32_t fd;       /* its number in that process, -1 for a mapping */
} HeldFile;

typedef struct Holder {
        uint32_t pid;
        uint32_t uid;
        const char *command;
        const char *unit;  /* "" for none */
        const char *lease; /* path, "/" for none */
        HeldFile *files;   /* owned */
        size_t n_files;
        uint32_t n_more_files; /* that vfiod does not tell of one by one */
        char *user; /* owned; name of `uid`, NULL where it has none or was not asked for */
} Holder;

typedef struct HolderList {
        Holder *holders; /* by pid */
        size_t n_holders;
        uint32_t n_more_holders; /* that vfiod does not tell of */
        sd_bus_message *reply;
} HolderList;

#define HOLDER_LIST_NULL {.n_holders = 0}

void holder_list_done(HolderList *list);

/* Keeps a reference on the reply. */
int holder_list_read(sd_bus_message *reply, HolderList *ret);

/* Asks the user database for the name of its user. */
int holder_name_user(Holder *holder);

#define _cleanup_holder_list_ _cleanup_(holder_list_done)
