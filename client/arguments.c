/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/arguments.h"

#include <errno.h>
#include <stdlib.h>

#include "client/duration.h"
#include "client/output.h"
#include "client/size.h"
#include "client/status.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

#define HELP_COLUMN 26

typedef struct Option {
        OptionBit bit;
        char letter; /* 0 for none */
        const char *name;
        const char *value; /* what the help calls its value, NULL where it takes none */
        const char *help;
        bool optional; /* the value may be missing, and comes by '=' */
} Option;

static const Option options[] = {
        {OPTION_BIND, 'b', "bind", NULL, "move the groups to a vfio driver first"},
        {OPTION_DRIVER, 'd', "driver", "DRIVER", "the vfio driver, instead of the best match"},
        {OPTION_DRY_RUN, 'n', "dry-run", NULL, "print the steps and change nothing"},
        {OPTION_OVERRIDE_SAFETY, 0, "override-safety", NULL,
         "take also what the host is using, as explain tells; needs a right of its own"},
        {OPTION_LABEL, 'l', "label", "TEXT", "what the lease is for, shown to everybody"},
        {OPTION_MODE, 0, "mode", "auto|group|iommufd",
         "family of kernel interface; auto (default): iommufd where the kernel has it"},
        {OPTION_PREPARE, 0, "prepare", "open|bind|attach",
         "attach (default): devices ready, in one container or IOAS; bind: bound to the iommufd; "
         "open: opened, the program does the rest"},
        {OPTION_MEMLOCK, 0, "memlock", "SIZE",
         "raise the limit of locked memory to at least that: 4G, 512M"},
        {OPTION_COOKIE, 0, "cookie", "DEV=N",
         "a number of your own for a device (iommufd mode), shown with the lease; may be "
         "repeated"},
        {OPTION_HOT_RESET, 0, "hot-reset", NULL,
         "refuse unless the lease has all that is reset together with its devices"},
        {OPTION_IOMMUFD_ID, 0, "iommufd-id", "ID", "what QEMU calls the iommufd (iommufd0)"},
        {OPTION_ACTION, 'a', "action", "ACTION",
         "ask about this alone (acquire, org.vfiod1.bind, ...); may be repeated"},
        {OPTION_METHOD, 'm', "method", "METHOD",
         "how to reset: one that 'vfioctl show' lists, or hot (the whole reset set)"},
        {OPTION_RECREATE, 0, "recreate", NULL,
         "remove the virtual functions that there are first, if that must be"},
        {OPTION_AUTOPROBE, 0, "autoprobe", "yes|no",
         "whether host drivers take virtual functions of the device, from now on"},
        {OPTION_NOW, 0, "now", NULL, "bind them now, too"},
        {OPTION_WAIT, 0, "wait", "TIME",
         "ask the holders, and wait until they have given back; for ever without TIME", true},
        {OPTION_REVOKE, 0, "revoke", "TIME",
         "ask, wait, then take the devices back; without TIME when vfiod's configuration says so",
         true},
        {OPTION_JSON, 'j', "json", NULL, "print JSON, errors too (on stderr)"},
        {OPTION_NO_ASK_PASSWORD, 0, "no-ask-password", NULL,
         "never ask for authorisation; asked by default when stdin is a terminal"},
        {OPTION_SOCKET, 0, "socket", "PATH",
         "ask vfiod through its socket (" VFIOD_SOCKET_PATH "), not over the system bus; done by "
         "itself where there is no bus",
         true},
        {OPTION_TIMEOUT, 0, "timeout", "SECONDS", "how long to wait for an answer (360)"},
        {OPTION_HELP, 'h', "help", NULL, "this help, or that of a verb"},
        {OPTION_VERSION, 0, "version", NULL, "version of vfioctl"},
};

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

static int wrong(char **reterr, char *sentence) {
        if (!sentence)
                return -ENOMEM;
        /* The first thing that is wrong is the one to tell. */
        if (*reterr)
                free(sentence);
        else
                *reterr = sentence;
        return -EINVAL;
}

static int set_timeout(const char *value, Arguments *a, char **reterr) {
        uint64_t seconds;

        if (string_to_u64(value, 1000000, &seconds) < 0 || seconds == 0)
                return wrong(reterr, string_format("--timeout: '%s' is no number of seconds from 1 "
                                                   "to 1000000",
                                                   value));
        a->timeout_ms = seconds * 1000;
        return 0;
}

/* `value` is NULL for none. */
static int set_policy(const Option *option, const char *value, Arguments *a, char **reterr) {
        int r;

        if (a->policy && !string_equal(a->policy, option->name))
                return wrong(reterr, strdup("--wait and --revoke exclude each other"));
        a->policy = option->name;
        a->policy_ms = VFIOD_TIMEOUT_NONE;
        r = value ? duration_parse(value, &a->policy_ms) : 0;
        if (r == -ERANGE)
                return wrong(reterr, string_format("--%s: '%s' is longer than 1000000 seconds",
                                                   option->name, value));
        if (r == -EINVAL)
                return wrong(reterr, string_format("--%s: '%s' is no time: write 90, 500ms, 10s or "
                                                   "2m",
                                                   option->name, value));
        return r;
}

static int set_memlock(const char *value, Arguments *a, char **reterr) {
        int r;

        r = size_parse(value, &a->acquire.memlock);
        if (r == -ERANGE)
                return wrong(reterr,
                             string_format("--memlock: '%s' is more than there can be", value));
        if (r == -EINVAL)
                return wrong(reterr,
                             string_format("--memlock: '%s' is no size: write 4G, 512M or a "
                                           "number of bytes",
                                           value));
        return r;
}

static int set_autoprobe(const char *value, Arguments *a, char **reterr) {
        if (!string_equal(value, "yes") && !string_equal(value, "no"))
                return wrong(reterr,
                             string_format("--autoprobe: '%s' is neither yes nor no", value));
        a->vfs &= ~(VFIOD_VFS_AUTOPROBE_ON | VFIOD_VFS_AUTOPROBE_OFF);
        a->vfs |= string_equal(value, "yes") ? VFIOD_VFS_AUTOPROBE_ON : VFIOD_VFS_AUTOPROBE_OFF;
        return 0;
}

/* "DEV=N"; names of devices have no '='. */
static int add_cookie(const char *value, Arguments *a, char **reterr) {
        const char *equals = strchr(value, '=');
        vfiod_cookie *grown, cookie = {0};

        if (!equals || equals == value || string_to_u64(equals + 1, UINT64_MAX, &cookie.cookie) < 0)
                return wrong(reterr, string_format("--cookie: '%s' is no DEV=N: a device and a "
                                                   "number",
                                                   value));
        grown = reallocarray(a->cookies, a->acquire.n_cookies + 1, sizeof(cookie));
        if (!grown)
                return -ENOMEM;
        a->acquire.cookies = a->cookies = grown;
        cookie.name = strndup(value, (size_t)(equals - value));
        if (!cookie.name)
                return -ENOMEM;
        grown[a->acquire.n_cookies++] = cookie;
        return 0;
}

/* What is no action is for vfiod to say. */
static int add_action(const char *value, Arguments *a) {
        char *action = string_format("%s%s", strchr(value, '.') ? "" : VFIOD_ACTION_PREFIX, value);

        return action ? strv_push_consume(&a->actions, action) : -ENOMEM;
}

/* `value` is NULL for none. */
static int set_socket(const char *value, Arguments *a, char **reterr) {
        if (value && value[0] == '\0')
                return wrong(reterr, strdup("--socket: '' is no path"));
        a->socket = true;
        a->socket_path = value;
        return 0;
}

static int set_flag(const Option *option, Arguments *a) {
        switch (option->bit) {
        case OPTION_HELP:
                a->help = true;
                return 0;
        case OPTION_VERSION:
                a->version = true;
                return 0;
        case OPTION_JSON:
                a->json = true;
                return 0;
        case OPTION_NO_ASK_PASSWORD:
                a->no_ask_password = true;
                return 0;
        case OPTION_DRY_RUN:
                a->dry_run = true;
                return 0;
        case OPTION_BIND:
                a->acquire.bind = true;
                return 0;
        case OPTION_NOW:
                a->now = true;
                return 0;
        case OPTION_RECREATE:
                a->vfs |= VFIOD_VFS_RECREATE;
                return 0;
        case OPTION_HOT_RESET:
                a->acquire.hot_reset = true;
                return 0;
        case OPTION_OVERRIDE_SAFETY:
                a->acquire.override_safety = true;
                return 0;
        default:
                return -EINVAL;
        }
}

static int set_value(const Option *option, const char *value, Arguments *a, char **reterr) {
        switch (option->bit) {
        case OPTION_TIMEOUT:
                return set_timeout(value, a, reterr);
        case OPTION_DRIVER:
                a->acquire.driver = value;
                return 0;
        case OPTION_METHOD:
                a->method = value;
                return 0;
        case OPTION_AUTOPROBE:
                return set_autoprobe(value, a, reterr);
        case OPTION_LABEL:
                a->acquire.label = value;
                return 0;
        case OPTION_PREPARE:
                a->acquire.prepare = value;
                return 0;
        case OPTION_MODE:
                a->acquire.mode = value;
                return 0;
        case OPTION_IOMMUFD_ID:
                a->iommufd_id = value;
                return 0;
        case OPTION_MEMLOCK:
                return set_memlock(value, a, reterr);
        case OPTION_ACTION:
                return add_action(value, a);
        case OPTION_COOKIE:
                return add_cookie(value, a, reterr);
        default:
                return -EINVAL;
        }
}

/* `value` is NULL for none. */
static int set_optional_value(const Option *option, const char *value, Arguments *a,
                              char **reterr) {
        return option->bit == OPTION_SOCKET ? set_socket(value, a, reterr)
                                            : set_policy(option, value, a, reterr);
}

/* "--name", "--name=value" or "-n"; `word` starts with a dash. *ret_inline is the "value". */
static const Option *find_option(const char *word, const char **ret_inline) {
        *ret_inline = NULL;
        for (size_t i = 0; i < ELEMENTS(options); i++) {
                const char *rest;

                if (word[1] != '-') {
                        if (options[i].letter && word[1] == options[i].letter && word[2] == '\0')
                                return &options[i];
                        continue;
                }
                rest = string_after(word + 2, options[i].name);
                if (!rest || (rest[0] != '\0' && rest[0] != '='))
                        continue;
                *ret_inline = rest[0] == '=' ? rest + 1 : NULL;
                return &options[i];
        }
        return NULL;
}

/* *argv is at the option; it is left at the last word that belongs to it. */
static int parse_option(char ***argv, Arguments *a, unsigned *seen, char **reterr) {
        const char *word = **argv, *value;
        const Option *option = find_option(word, &value);

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
        if (option->optional)
                return set_optional_value(option, value, a, reterr);
        return option->value ? set_value(option, value, a, reterr) : set_flag(option, a);
}

static int check_options(const Verb *verb, unsigned seen, char **reterr) {
        for (size_t i = 0; i < ELEMENTS(options); i++)
                if (seen & options[i].bit & ~(verb->options | OPTIONS_GLOBAL))
                        return wrong(reterr, string_format("'%s' has no option --%s", verb->name,
                                                           options[i].name));
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

int arguments_parse(const Verb *verbs, char **argv, Arguments *ret, char **reterr) {
        unsigned seen = 0;
        size_t n = 0;
        int r = 0;

        *reterr = NULL;
        *ret = (Arguments){
                .timeout_ms = TIMEOUT_DEFAULT_MS,
                .acquire = VFIOD_ACQUIRE_OPTIONS_NULL,
                .policy_ms = VFIOD_TIMEOUT_NONE,
        };
        ret->operands = calloc(strv_length(argv) + 1, sizeof(char *));
        if (!ret->operands)
                return -ENOMEM;

        /* Goes on behind a mistake, so that a --json behind it decides how the mistake is told. */
        for (; *argv && r != -ENOMEM; argv++) {
                if (string_equal(*argv, "--")) {
                        if (ret->verb && ret->verb->command) {
                                ret->command = argv + 1;
                                break;
                        }
                        while (argv[1])
                                ret->operands[n++] = *++argv;
                } else if ((*argv)[0] == '-' && (*argv)[1] != '\0') {
                        r = parse_option(&argv, ret, &seen, reterr);
                } else {
                        r = parse_operand(verbs, *argv, &n, ret, reterr);
                }
        }
        if (r == -ENOMEM || *reterr)
                return *reterr ? -EINVAL : r;
        if (!ret->verb || ret->help)
                return 0;
        r = check_options(ret->verb, seen, reterr);
        return r < 0 ? r : check_operands(ret, reterr);
}

static void print_entry(FILE *f, const char *left, const char *right) {
        static const Style style = {.width = OUTPUT_WIDTH_DEFAULT};

        fprintf(f, "  %s", left);
        output_wrapped_behind(f, &style, 2 + text_width(left), HELP_COLUMN, right);
}

/* What an option means to one verb alone; NULL: what it means to all. */
static const char *help_for(const Option *option, const Verb *verb) {
        static const struct {
                const char *verb;
                OptionBit bit;
                const char *help;
        } own[] = {
                {"qemu-args", OPTION_BIND,
                 "for exec with --bind, too: what would be on a vfio driver counts; moves nothing"},
                {"exec", OPTION_MEMLOCK,
                 "raise the limit of locked memory to at least that, for PROGRAM too: 4G, 512M"},
                {"auth", OPTION_MEMLOCK, "the limit of locked memory that would be asked for: 4G"},
        };

        for (size_t i = 0; verb && i < ELEMENTS(own); i++)
                if (own[i].bit == option->bit && string_equal(own[i].verb, verb->name))
                        return own[i].help;
        return option->help;
}

static void print_options(FILE *f, unsigned wanted, const Verb *verb) {
        for (size_t i = 0; i < ELEMENTS(options); i++) {
                char letter[] = {'-', options[i].letter, ',', ' ', '\0'};
                _cleanup_free_ char *left = NULL;

                if (!(wanted & options[i].bit))
                        continue;
                left = string_format(
                        "%s--%s%s%s%s", options[i].letter ? letter : "    ", options[i].name,
                        options[i].optional ? "[="
                        : options[i].value  ? " "
                                            : "",
                        string_or_empty(options[i].value), options[i].optional ? "]" : "");
                print_entry(f, string_or_empty(left), help_for(&options[i], verb));
        }
}

static void print_statuses(FILE *f) {
        fputs("\nExit status:\n", f);
        for (int status = 0; status <= STATUS_INTERRUPTED; status++) {
                char number[16];

                if (!status_meaning((ExitStatus)status))
                        continue;
                snprintf(number, sizeof(number), "%d", status);
                print_entry(f, number, status_meaning((ExitStatus)status));
        }
}

void help_print(FILE *f, const Verb *verbs) {
        fputs("Usage: vfioctl [OPTION...] VERB [ARGUMENT...]\n\n"
              "Who may use which device through VFIO: asks vfiod(8).\n\nVerbs:\n",
              f);
        for (const Verb *verb = verbs; verb->name; verb++)
                print_entry(f, verb->name, verb->summary);
        fputs("\nOptions of every verb ('vfioctl VERB --help' has the others):\n", f);
        print_options(f, OPTIONS_GLOBAL, NULL);
        fputs("\nA TARGET is a PCI address with or without domain (0000:01:00.0, 01:00.0), a\n"
              "group (group/42), a network interface (eth0), an mdev UUID or a platform device.\n"
              "A device stands for its whole IOMMU group.\n",
              f);
        print_statuses(f);
}

void help_print_verb(FILE *f, const Verb *verb) {
        fprintf(f, "Usage: vfioctl %s%s%s\n\n%s.\n", verb->name, verb->synopsis[0] ? " " : "",
                verb->synopsis, verb->summary);
        if (verb->details)
                fprintf(f, "\n%s", verb->details);
        fputs("\nOptions:\n", f);
        print_options(f, verb->options | OPTIONS_GLOBAL, verb);
        print_statuses(f);
}
