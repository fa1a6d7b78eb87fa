/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The command line: what a verb takes, and parsing into what was asked for. Which verbs there are
 * is told by the caller, which options by client/options.h. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/lib/vfiod.h"
#include "daemon/util/cleanup.h"

typedef struct Arguments Arguments;

typedef struct Verb {
        const char *name; /* NULL ends a table */
        const char *synopsis;
        const char *summary;
        const char *details; /* more for its own --help, NULL for none */
        unsigned options;    /* OptionBits, beside the global ones */
        size_t least;        /* operands that it needs */
        size_t most;         /* operands that it takes */
        bool command;        /* "-- PROGRAM ARGS" must follow */
        int (*run)(const Arguments *arguments);
} Verb;

struct Arguments {
        const Verb *verb; /* NULL where none was given */
        bool help;
        bool version;
        bool json;
        bool no_ask_password;
        bool dry_run;
        bool now;                /* of assign */
        bool socket;             /* not the system bus */
        const char *socket_path; /* NULL for the usual one */
        uint64_t timeout_ms;
        vfiod_acquire_options acquire; /* driver also of bind; its cookies are: */
        vfiod_cookie *cookies;         /* owned, their names too */
        char **actions;                /* of auth, whole ids; owned, NULL for none */
        const char *iommufd_id;        /* of qemu-args, NULL for none */
        const char *method;            /* of reset, NULL for none */
        unsigned vfs;                  /* of vfs: VFIOD_VFS_* */
        const char *policy;            /* of unbind, NULL for none */
        uint64_t policy_ms;            /* VFIOD_TIMEOUT_NONE for none */
        char **operands; /* NULL-terminated; the array is owned, the strings are argv's */
        char **command;  /* borrowed from argv, NULL where there is none */
};

#define ARGUMENTS_NULL {.verb = NULL}

/* How long an answer may take: somebody may have to type a password, a driver may be slow. */
#define TIMEOUT_DEFAULT_MS UINT64_C(360000)

void arguments_done(Arguments *a);

/*
 * `argv` without the program's name. 0, -ENOMEM, or -EINVAL with a sentence in *reterr (owned by
 * the caller). --json, --help and the verb are filled in also when the rest is wrong.
 */
int arguments_parse(const Verb *verbs, char **argv, Arguments *ret, char **reterr);

#define _cleanup_arguments_ _cleanup_(arguments_done)
