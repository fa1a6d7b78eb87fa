/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The options of vfioctl: one table of all that there are, which parsing and --help go by, and
 * finding one in it. What an option does to the Arguments is client/option-values.h. Pure.
 */

#include <stdbool.h>

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

typedef struct Option {
        OptionBit bit;
        char letter;       /* 0 for none */
        const char *name;  /* NULL ends the table */
        const char *value; /* what the help calls its value, NULL where it takes none */
        const char *help;
        bool optional; /* the value may be missing, and comes by '=' */
} Option;

/* In the order of the help. */
extern const Option all_options[];

/*
 * "--name", "--name=value" or "-n"; `word` starts with a dash. NULL for what is no option.
 * *ret_inline is the "value", within `word`, NULL where there is none.
 */
const Option *option_find(const char *word, const char **ret_inline);
