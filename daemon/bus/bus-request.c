/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-request.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/bus/authorise-survey.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-path.h"
#include "daemon/util/string.h"

#define QUOTE_SIZE 65
#define DRIVER_NAME_MAX 64

/* A year: whoever wants to wait longer gives no timeout. */
#define TIMEOUT_MAX_MS (365 * 86400000ULL)

typedef RefusalKind (*OptionRead)(Request *request, const char *text, Refusal *refusal);
typedef RefusalKind (*NumberRead)(Request *request, uint64_t number, Refusal *refusal);

typedef struct Option {
        const char *name;
        const char *type; /* "s", "o", "b", "t", "as" or "a{st}" */
        unsigned sets;    /* bits of OptionSet */
        OptionRead read;  /* of text */
        size_t field;     /* of a boolean */
        NumberRead read_number;
        size_t given; /* of a boolean: where it is noted that there is one; 0: nowhere */
} Option;

#define IN(set) (1U << (set))

/* What is read here is kept as long as polkit thinks, so none of it is without a bound. */
#define ACTIONS_MAX 64
#define TEXT_MAX 256

static RefusalKind refuse_value(const char *name, const char *value, const char *wanted,
                                Refusal *refusal) {
        char quote[QUOTE_SIZE];

        return refuse(refusal, REFUSAL_INVALID_OPTION_VALUE, "option %s: '%s' is not %s", name,
                      string_quotable(value, quote, sizeof(quote)), wanted);
}

static RefusalKind read_mode(Request *request, const char *text, Refusal *refusal) {
        return mode_parse(text, &request->mode)
                       ? REFUSAL_NONE
                       : refuse_value("mode", text, "'auto', 'group' or 'iommufd'", refusal);
}

static RefusalKind read_prepare(Request *request, const char *text, Refusal *refusal) {
        request->has_prepare = true;
        return prepare_parse(text, &request->prepare)
                       ? REFUSAL_NONE
                       : refuse_value("prepare", text, "'attach', 'bind' or 'open'", refusal);
}

static RefusalKind read_policy(Request *request, const char *text, Refusal *refusal) {
        static const char *const names[] = {
                [POLICY_FAIL] = "fail",
                [POLICY_WAIT] = "wait",
                [POLICY_REVOKE] = "revoke",
        };

        for (size_t i = 0; i < ELEMENTS(names); i++)
                if (string_equal(text, names[i])) {
                        request->policy = (UnbindPolicy)i;
                        return REFUSAL_NONE;
                }
        return refuse_value("policy", text, "'fail', 'wait' or 'revoke'", refusal);
}

static RefusalKind read_driver(Request *request, const char *text, Refusal *refusal) {
        size_t n = strlen(text);

        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')
                        n = 0;
        if (n == 0 || n > DRIVER_NAME_MAX)
                return refuse_value("driver", text, "the name of a driver", refusal);
        return string_set(&request->driver, text) < 0 ? refuse_memory(refusal) : REFUSAL_NONE;
}

static RefusalKind read_label(Request *request, const char *text, Refusal *refusal) {
        if (strlen(text) > LEASE_LABEL_MAX)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "option label: at most %u bytes (limits.label_bytes)",
                              LEASE_LABEL_MAX);
        if (!string_is_printable_utf8(text))
                return refuse(refusal, REFUSAL_INVALID_OPTION_VALUE,
                              "option label: only printable text, in UTF-8");
        return string_set(&request->label, text) < 0 ? refuse_memory(refusal) : REFUSAL_NONE;
}

static RefusalKind read_join(Request *request, const char *text, Refusal *refusal) {
        if (path_to_lease(text, &request->lease) < 0 || request->lease == 0)
                return refuse_value("join", text, "the path of a lease", refusal);
        return REFUSAL_NONE;
}

static RefusalKind read_timeout(Request *request, uint64_t number, Refusal *refusal) {
        if (number > TIMEOUT_MAX_MS)
                return refuse(refusal, REFUSAL_INVALID_OPTION_VALUE,
                              "option timeout: at most %llu ms", TIMEOUT_MAX_MS);
        request->has_timeout = true;
        request->timeout_ms = number;
        return REFUSAL_NONE;
}

static RefusalKind read_memlock(Request *request, uint64_t number, Refusal *refusal) {
        if (number == 0)
                return refuse(refusal, REFUSAL_INVALID_OPTION_VALUE,
                              "option memlock: at least 1 byte; without the option the limit stays "
                              "as it is");
        request->memlock = number;
        return REFUSAL_NONE;
}

static const Option options[] = {
        {"mode", "s", IN(OPTIONS_ACQUIRE) | IN(OPTIONS_CHECK), read_mode, 0},
        {"prepare", "s", IN(OPTIONS_ACQUIRE), read_prepare, 0},
        {"join", "o", IN(OPTIONS_ACQUIRE), read_join, 0},
        {"label", "s", IN(OPTIONS_ACQUIRE) | IN(OPTIONS_CHECK), read_label, 0},
        {"bind", "b", IN(OPTIONS_ACQUIRE) | IN(OPTIONS_ADD) | IN(OPTIONS_ASSIGN), NULL,
         offsetof(Request, bind)},
        {"override_safety", "b",
         IN(OPTIONS_ACQUIRE) | IN(OPTIONS_ADD) | IN(OPTIONS_BIND) | IN(OPTIONS_ASSIGN), NULL,
         offsetof(Request, override_safety)},
        {"defer_fds", "b", IN(OPTIONS_ACQUIRE) | IN(OPTIONS_ADD), NULL,
         offsetof(Request, defer_fds)},
        {"hot_reset", "b", IN(OPTIONS_ACQUIRE) | IN(OPTIONS_ADD), NULL,
         offsetof(Request, hot_reset)},
        {"driver", "s",
         IN(OPTIONS_ACQUIRE) | IN(OPTIONS_ADD) | IN(OPTIONS_BIND) | IN(OPTIONS_ASSIGN), read_driver,
         0},
        {"cookies", "a{st}", IN(OPTIONS_ACQUIRE) | IN(OPTIONS_ADD), NULL, 0},
        {"policy", "s", IN(OPTIONS_UNBIND), read_policy, 0},
        {"timeout", "t", IN(OPTIONS_UNBIND), .read_number = read_timeout},
        {"memlock", "t", IN(OPTIONS_ACQUIRE) | IN(OPTIONS_ADD) | IN(OPTIONS_CHECK),
         .read_number = read_memlock},
        {"actions", "as", IN(OPTIONS_CHECK), NULL, 0},
        {"recreate", "b", IN(OPTIONS_VFS), NULL, offsetof(Request, recreate)},
        {"autoprobe", "b", IN(OPTIONS_VFS), NULL, offsetof(Request, autoprobe),
         .given = offsetof(Request, has_autoprobe)},
};

/* Names are read as targets are: "01:00.0" is 0000:01:00.0. */
static RefusalKind add_cookie(Request *request, const char *name, uint64_t number,
                              Refusal *refusal) {
        Cookie *grown = reallocarray(request->cookies, request->n_cookies + 1, sizeof(Cookie));
        Target target;
        char quote[QUOTE_SIZE];

        if (!grown)
                return refuse_memory(refusal);
        request->cookies = grown;
        if (target_parse(name, &target) < 0 || target.kind != TARGET_DEVICE)
                return refuse(refusal, REFUSAL_INVALID_OPTION_VALUE,
                              "option cookies: '%s' is not the name of a device",
                              string_quotable(name, quote, sizeof(quote)));
        for (size_t i = 0; i < request->n_cookies; i++)
                if (strcmp(grown[i].device, target.device) == 0)
                        return refuse(refusal, REFUSAL_INVALID_OPTION_VALUE,
                                      "option cookies: %s is given twice", target.device);
        grown[request->n_cookies] = (Cookie){.number = number};
        (void)memcpy(grown[request->n_cookies++].device, target.device, sizeof(target.device));
        return REFUSAL_NONE;
}

static int read_cookies(sd_bus_message *m, const Bus *bus, Request *request, sd_bus_error *error) {
        const Config *config = &broker_world(bus->broker)->config;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        const char *name;
        uint64_t number;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "a{st}");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{st}");
        while (r >= 0 && (r = sd_bus_message_read(m, "{st}", &name, &number)) > 0) {
                if (request->n_cookies >= config->limit_targets)
                        (void)refuse(&refusal, REFUSAL_TOO_MANY_TARGETS,
                                     "option cookies: more than %lu (limits.targets)",
                                     (unsigned long)config->limit_targets);
                if (refusal.kind || add_cookie(request, name, number, &refusal))
                        return bus_error_set_refusal(error, &refusal);
        }
        for (int i = 0; r >= 0 && i < 2; i++)
                r = sd_bus_message_exit_container(m);
        return r;
}

int bus_read_strv(sd_bus_message *m, size_t limit, char ***ret) {
        _cleanup_strv_ char **strings = NULL;
        const char *string;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        while (r >= 0 && n <= limit && (r = sd_bus_message_read(m, "s", &string)) > 0) {
                char *copy = strdup(string);

                r = copy ? strv_push_consume(&strings, copy) : -ENOMEM;
                n++;
        }
        if (r >= 0 && n <= limit)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                *ret = TAKE_PTR(strings);
        return r;
}

static int read_actions(sd_bus_message *m, Request *request, sd_bus_error *error) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        int r;

        strv_free(request->actions);
        request->actions = NULL;
        r = sd_bus_message_enter_container(m, 'v', "as");
        if (r >= 0)
                r = bus_read_strv(m, ACTIONS_MAX, &request->actions);
        if (r >= 0 && strv_length(request->actions) > ACTIONS_MAX) {
                (void)refuse(&refusal, REFUSAL_INVALID_OPTION_VALUE, "option actions: more than %d",
                             ACTIONS_MAX);
                return bus_error_set_refusal(error, &refusal);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        for (char **action = request->actions; r >= 0 && action && *action; action++)
                if (!survey_knows_action(*action)) {
                        (void)refuse_value("actions", *action, "an action of vfiod", &refusal);
                        return bus_error_set_refusal(error, &refusal);
                }
        return r;
}

static const Option *find_option(const char *name, OptionSet set) {
        for (size_t i = 0; i < ELEMENTS(options); i++)
                if (options[i].sets & IN(set) && strcmp(options[i].name, name) == 0)
                        return &options[i];
        return NULL;
}

static int set_refusal(sd_bus_error *error, const Refusal *refusal) {
        return refusal->kind == REFUSAL_NONE ? 0 : bus_error_set_refusal(error, refusal);
}

int bus_set_targets(const Bus *bus, Request *request, char *const *targets, sd_bus_error *error) {
        const Config *config = &broker_world(bus->broker)->config;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        (void)request_set_targets(request, targets, config->limit_targets, &refusal);
        return set_refusal(error, &refusal);
}

int bus_check_text(const char *text, sd_bus_error *error) {
        size_t n = strlen(text);

        return n <= TEXT_MAX ? 0
                             : sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                                 "an argument has %zu bytes, at most %d can mean "
                                                 "anything",
                                                 n, TEXT_MAX);
}

int bus_set_own_target(sd_bus_message *m, const Bus *bus, Request *request, sd_bus_error *error) {
        _cleanup_free_ char *device = NULL;
        int r = path_to_device(sd_bus_message_get_path(m), &device);

        return r < 0 ? r : bus_set_targets(bus, request, (char *[]){device, NULL}, error);
}

int bus_read_targets(sd_bus_message *m, const Bus *bus, Request *request, sd_bus_error *error) {
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = bus_read_strv(m, broker_world(bus->broker)->config.limit_targets, &targets);
        return r < 0 ? r : bus_set_targets(bus, request, targets, error);
}

static int read_value(sd_bus_message *m, const Bus *bus, const Option *option, Request *request,
                      sd_bus_error *error) {
        const char *type, *text;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        uint64_t number;
        int r, boolean;

        r = sd_bus_message_peek_type(m, NULL, &type);
        if (r < 0)
                return r;
        if (strcmp(type, option->type) != 0) {
                (void)refuse(&refusal, REFUSAL_INVALID_OPTION_VALUE,
                             "option %s must be of type '%s', not '%s'", option->name, option->type,
                             type);
                return set_refusal(error, &refusal);
        }
        if (strcmp(type, "a{st}") == 0)
                return read_cookies(m, bus, request, error);
        if (strcmp(type, "as") == 0)
                return read_actions(m, request, error);
        if (strcmp(type, "b") == 0) {
                r = sd_bus_message_read(m, "v", "b", &boolean);
                if (r >= 0)
                        *(bool *)((char *)request + option->field) = boolean;
                if (r >= 0 && option->given > 0)
                        *(bool *)((char *)request + option->given) = true;
                return r;
        }
        if (strcmp(type, "t") == 0) {
                r = sd_bus_message_read(m, "v", "t", &number);
                if (r < 0)
                        return r;
                (void)option->read_number(request, number, &refusal);
                return set_refusal(error, &refusal);
        }
        r = sd_bus_message_read(m, "v", type, &text);
        if (r < 0)
                return r;
        (void)option->read(request, text, &refusal);
        return set_refusal(error, &refusal);
}

static int read_option(sd_bus_message *m, const Bus *bus, OptionSet set, Request *request,
                       sd_bus_error *error) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        const Option *option;
        char quote[QUOTE_SIZE];
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        option = find_option(name, set);
        if (option)
                return read_value(m, bus, option, request, error);
        (void)refuse(&refusal, REFUSAL_INVALID_OPTION, "there is no option '%s' here",
                     string_quotable(name, quote, sizeof(quote)));
        return set_refusal(error, &refusal);
}

/* Also without the option bind. */
static bool takes_driver(Operation operation) {
        return operation == OPERATION_BIND || operation == OPERATION_ASSIGN;
}

/* Options that make no sense together. */
static int check_options(const Bus *bus, const Request *request, sd_bus_error *error) {
        uint64_t label_max = broker_world(bus->broker)->config.limit_label_bytes;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (request->label && strlen(request->label) > label_max)
                (void)refuse(&refusal, REFUSAL_LIMIT_EXCEEDED,
                             "option label: %zu bytes, the limit is %" PRIu64
                             " (limits.label_bytes)",
                             strlen(request->label), label_max);
        else if (request->lease && request->label)
                (void)refuse(&refusal, REFUSAL_INVALID_OPTION_VALUE,
                             "option label: a lease that is joined has its label already");
        else if (request->lease && request->has_prepare)
                (void)refuse(&refusal, REFUSAL_INVALID_OPTION_VALUE,
                             "option prepare: a lease that is joined is prepared already");
        else if (request->mode == MODE_GROUP && request->prepare == PREPARE_BIND)
                (void)refuse(&refusal, REFUSAL_INVALID_OPTION_VALUE,
                             "option prepare: 'bind' is of mode 'iommufd'");
        else if (request->driver && !request->bind && !takes_driver(request->operation))
                (void)refuse(&refusal, REFUSAL_INVALID_OPTION_VALUE,
                             "option driver: only together with option bind");
        else if (request->override_safety && !request->bind && !takes_driver(request->operation))
                (void)refuse(&refusal, REFUSAL_INVALID_OPTION_VALUE,
                             "option override_safety: only together with option bind");
        else if (request->has_timeout && request->policy == POLICY_FAIL)
                (void)refuse(&refusal, REFUSAL_INVALID_OPTION_VALUE,
                             "option timeout: only with policy 'wait' or 'revoke'");
        return set_refusal(error, &refusal);
}

static int refuse_repetition(sd_bus_error *error) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        (void)refuse(&refusal, REFUSAL_INVALID_OPTION,
                     "more options than there are: some are given several times");
        return set_refusal(error, &refusal);
}

int bus_read_options(sd_bus_message *m, const Bus *bus, OptionSet set, Request *request,
                     sd_bus_error *error) {
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = n++ < ELEMENTS(options) ? read_option(m, bus, set, request, error)
                                            : refuse_repetition(error);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : check_options(bus, request, error);
}
