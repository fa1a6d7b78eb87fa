/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The command line: the options there are, which verb takes which, parsing and --help, all from
 * one table of options here and the table of verbs in vfioctl.c. Pure but for the FILE of the help.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "client/lib/vfiod.h"

typedef struct Arguments Arguments;

/* Bits of Verb.options. The first ones belong to every verb. */
typedef enum OptionBit {
        OPTION_HELP = 1U << 0,
        OPTION_VERSION = 1U << 1,
        OPTION_JSON = 1U << 2,
        OPTION_NO_ASK_PASSWORD = 1U << 3,
        OPTION_TIMEOUT = 1U << 4,
        OPTION_DRIVER = 1U << 5,
        OPTION_DRY_RUN = 1U << 6,
        OPTION_BIND = 1U << 7,
        OPTION_LABEL = 1U << 8,
        OPTION_PREPARE = 1U << 9,
        OPTION_MODE = 1U << 10,
        OPTION_WAIT = 1U << 11,
        OPTION_REVOKE = 1U << 12,
        OPTION_MEMLOCK = 1U << 13,
        OPTION_COOKIE = 1U << 14,
        OPTION_HOT_RESET = 1U << 15,
        OPTION_IOMMUFD_ID = 1U << 16,
        OPTION_SOCKET = 1U << 17,
        OPTION_ACTION = 1U << 18,
        OPTION_METHOD = 1U << 20,
        OPTION_OVERRIDE_SAFETY = 1U << 21,
        OPTION_RECREATE = 1U << 22,
        OPTION_AUTOPROBE = 1U << 23,
        OPTION_NOW = 1U << 24,
} OptionBit;

#define OPTIONS_GLOBAL                                                                             \
        (OPTION_HELP | OPTION_VERSION | OPTION_JSON | OPTION_NO_ASK_PASSWORD | OPTION_TIMEOUT |    \
         OPTION_SOCKET)
#define OPTIONS_UNBIND (OPTION_WAIT | OPTION_REVOKE)
#define OPTIONS_ADD                                                                                \
        (OPTION_BIND | OPTION_DRIVER | OPTION_COOKIE | OPTION_HOT_RESET | OPTION_OVERRIDE_SAFETY)
#define OPTIONS_ACQUIRE (OPTIONS_ADD | OPTION_LABEL | OPTION_PREPARE | OPTION_MODE | OPTION_MEMLOCK)

typedef struct Verb {
        const char *name; /* NULL ends a table */
        const char *synopsis;
        const char *summary;
        const char *details; /* more for its own --help, NULL for none */
        unsigned options;    /* beside the global ones */
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

void help_print(FILE *f, const Verb *verbs);
void help_print_verb(FILE *f, const Verb *verb);

#define _cleanup_arguments_ _cleanup_(arguments_done)
