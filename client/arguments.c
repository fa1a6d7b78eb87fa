/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/arguments.h"

#include <errno.h>
#include <stdlib.h>

#include "client/option-values.h"
#include "client/options.h"
#include "client/wrong.h"
#include "daemon/util/string.h"

void arguments_done(Arguments *a) {
        for (size_t i = 0; i < a->acquire.n_cookies; i++)
                free((char *)a->cookies[i].name);
        free(a->cookies);
        a->cookies = NULL;
        a->acquire.n_cookies = 0;
        strv_free(a->actions);
        a->actions = NULL;
        free(a->operands);
        a->operands = NULL;
}

/* *argv is at the option; it is left at the last word that belongs to it. */
static int parse_option(char ***argv, Arguments *a, unsigned *seen, char **reterr) {
        const char *word = **argv, *value;
        const Option *option = option_find(word, &value);

        if (!option)
                return wrong(reterr, string_format("unknown option '%s'", word));
        if (value && !option->value)
                return wrong(reterr, string_format("--%s takes no value", option->name));
        if (!value && option->value && !option->optional) {
                if (!(*argv)[1])
                        return wrong(reterr, string_format("--%s needs a value", option->name));
                (*argv)++;
                value = **argv;
        }
        *seen |= option->bit;
        return option_set(option, value, a, reterr);
}

/* The first word that is no option is the verb, the others are its operands. */
static int parse_operand(const Verb *verbs, char *word, size_t *n, Arguments *a, char **reterr) {
        if (a->verb || *reterr) {
                a->operands[(*n)++] = word;
                return 0;
        }
        for (const Verb *verb = verbs; verb->name; verb++)
                if (string_equal(verb->name, word)) {
                        a->verb = verb;
                        return 0;
                }
        return wrong(reterr, string_format("unknown verb '%s'", word));
}

/* Behind "--": the verb's command, or operands that may begin with a dash. */
static void parse_rest(char **rest, size_t *n, Arguments *a) {
        if (a->verb && a->verb->command) {
                a->command = rest;
                return;
        }
        while (*rest)
                a->operands[(*n)++] = *rest++;
}

/* Goes on behind a mistake, so that a --json behind it decides how the mistake is told. */
static int parse_words(const Verb *verbs, char **argv, Arguments *a, unsigned *seen,
                       char **reterr) {
        size_t n = 0;
        int r = 0;

        for (; *argv && r != -ENOMEM; argv++) {
                if (string_equal(*argv, "--")) {
                        parse_rest(argv + 1, &n, a);
                        break;
                }
                if ((*argv)[0] == '-' && (*argv)[1] != '\0')
                        r = parse_option(&argv, a, seen, reterr);
                else
                        r = parse_operand(verbs, *argv, &n, a, reterr);
        }
        return *reterr ? -EINVAL : r;
}

static int check_options(const Verb *verb, unsigned seen, char **reterr) {
        for (const Option *option = all_options; option->name; option++)
                if (seen & option->bit & ~(verb->options | OPTIONS_GLOBAL))
                        return wrong(reterr, string_format("'%s' has no option --%s", verb->name,
                                                           option->name));
        return 0;
}

static int check_operands(const Arguments *a, char **reterr) {
        size_t n = strv_length(a->operands);

        if (n < a->verb->least)
                return wrong(reterr, string_format("too few arguments; usage: vfioctl %s %s",
                                                   a->verb->name, a->verb->synopsis));
        if (n > a->verb->most)
                return wrong(reterr, string_format("'%s' has no place for '%s'", a->verb->name,
                                                   a->operands[a->verb->most]));
        if (a->verb->command && (!a->command || !a->command[0]))
                return wrong(reterr,
                             string_format("'%s' needs '--' and a program to run", a->verb->name));
        return 0;
}

int arguments_parse(const Verb *verbs, char **argv, Arguments *ret, char **reterr) {
        unsigned seen = 0;
        int r;

        *reterr = NULL;
        *ret = (Arguments){
                .timeout_ms = TIMEOUT_DEFAULT_MS,
                .acquire = VFIOD_ACQUIRE_OPTIONS_NULL,
                .policy_ms = VFIOD_TIMEOUT_NONE,
        };
        ret->operands = calloc(strv_length(argv) + 1, sizeof(char *));
        if (!ret->operands)
                return -ENOMEM;
        r = parse_words(verbs, argv, ret, &seen, reterr);
        if (r < 0 || !ret->verb || ret->help)
                return r;
        r = check_options(ret->verb, seen, reterr);
        return r < 0 ? r : check_operands(ret, reterr);
}
