/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One call to vfiod on the system bus or at a socket, as any user and with any flag. Two lines of
 * output:
 *   name NAME             of the caller on the bus; at a socket, its process
 *   done TEXT             TEXT: path of the lease and labels of the files, where there are any
 *   error NAME SENTENCE   instead
 * With --signature, any method of any object: its arguments are one word of JSON, and TEXT is its
 * reply as JSON. With --batch, such calls over one connection, each a line
 * [PATH, INTERFACE, MEMBER, TYPES, ARGUMENTS] of standard input, and one line of output. With
 * --unread, the call is sent so many times, "sent" is printed, and nothing is read before a line
 * comes on standard input; then there is one line for each; --fill has its socket filled before, so
 * that the bus keeps the answers. With --file, standard input comes with the call. Made for tests
 * that need the error's name, the flags and the files kept open.
 */

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "client/json.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/bus/json-append.h"

#define TIMEOUT_USEC (100 * 1000000ULL)
#define WAIT_STEP_USEC 20000
#define WAIT_STEPS 1500
#define OPTIONS_MAX 8
/* Some KiB each, and fewer than the bus lets wait for their answers. */
#define FILLING 100

typedef struct Arguments {
        uid_t uid;
        const char *socket; /* its path; NULL: the system bus */
        bool interactive;
        bool hold;
        bool batch;
        unsigned unread;
        bool fill;
        bool file;
        const char *lease;     /* the path of the lease to call */
        const char *device;    /* the name of the device to call */
        const char *operation; /* of Plan */
        const char *path;      /* with the next two: of a method that is nowhere named here */
        const char *interface;
        const char *signature;
        const char *wait; /* a name to wait for, instead of calling */
        const char *own;  /* a name to ask for */
        char *options[OPTIONS_MAX];
        size_t n_options;
        const char *member;
        char **targets;
} Arguments;

static const char usage[] =
        "bus-call [--uid N] [--socket PATH] [--interactive] [--hold] [--file] [--lease PATH |\n"
        "         --device NAME] [--operation WORD] [--option NAME=VALUE]... MEMBER [TARGET...]\n"
        "bus-call [--uid N] [--interactive] [--hold] [--socket PATH] --path PATH --interface NAME\n"
        "         --signature TYPES MEMBER JSON\n"
        "bus-call [--uid N] [--interactive] [--socket PATH] --batch\n"
        "bus-call [--uid N] [--socket PATH] [--lease PATH] --unread N [--fill] MEMBER [TARGET...]\n"
        "bus-call --wait NAME\n"
        "bus-call [--uid N] --own NAME\n";

static void check(int r, const char *what) {
        if (r >= 0)
                return;
        (void)fprintf(stderr, "bus-call: %s: %s\n", what, strerror(-r));
        exit(EXIT_FAILURE);
}

static void parse(int argc, char **argv, Arguments *arguments) {
        static const struct option options[] = {
                {"uid", required_argument, NULL, 'u'},
                {"socket", required_argument, NULL, 's'},
                {"interactive", no_argument, NULL, 'i'},
                {"hold", no_argument, NULL, 'h'},
                {"lease", required_argument, NULL, 'l'},
                {"device", required_argument, NULL, 'd'},
                {"operation", required_argument, NULL, 'p'},
                {"path", required_argument, NULL, 'P'},
                {"interface", required_argument, NULL, 'I'},
                {"signature", required_argument, NULL, 'S'},
                {"batch", no_argument, NULL, 'b'},
                {"unread", required_argument, NULL, 'U'},
                {"fill", no_argument, NULL, 'f'},
                {"file", no_argument, NULL, 'F'},
                {"option", required_argument, NULL, 'o'},
                {"wait", required_argument, NULL, 'w'},
                {"own", required_argument, NULL, 'n'},
                {NULL, 0, NULL, 0},
        };
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (option) {
                case 'u':
                        arguments->uid = (uid_t)atoi(optarg);
                        break;
                case 's':
                        arguments->socket = optarg;
                        break;
                case 'i':
                        arguments->interactive = true;
                        break;
                case 'h':
                        arguments->hold = true;
                        break;
                case 'l':
                        arguments->lease = optarg;
                        break;
                case 'd':
                        arguments->device = optarg;
                        break;
                case 'p':
                        arguments->operation = optarg;
                        break;
                case 'P':
                        arguments->path = optarg;
                        break;
                case 'I':
                        arguments->interface = optarg;
                        break;
                case 'S':
                        arguments->signature = optarg;
                        break;
                case 'b':
                        arguments->batch = true;
                        break;
                case 'U':
                        arguments->unread = (unsigned)atoi(optarg);
                        break;
                case 'f':
                        arguments->fill = true;
                        break;
                case 'F':
                        arguments->file = true;
                        break;
                case 'w':
                        arguments->wait = optarg;
                        break;
                case 'n':
                        arguments->own = optarg;
                        break;
                case 'o':
                        if (arguments->n_options < OPTIONS_MAX) {
                                arguments->options[arguments->n_options++] = optarg;
                                break;
                        }
                        /* fallthrough */
                default:
                        (void)fputs(usage, stderr);
                        exit(EXIT_FAILURE);
                }
        arguments->member = argv[optind];
        arguments->targets = arguments->member ? argv + optind + 1 : NULL;
        if (!arguments->member && !arguments->wait && !arguments->own && !arguments->batch) {
                (void)fputs(usage, stderr);
                exit(EXIT_FAILURE);
        }
}

/* No client of a bus: there is nobody to say hello to. */
static void connect_to_socket(const char *path, sd_bus **ret) {
        _cleanup_free_ char *address = string_format("unix:path=%s", path);

        check(sd_bus_new(ret), "connection");
        check(sd_bus_set_address(*ret, address), "address");
        check(sd_bus_negotiate_fds(*ret, true), "connection");
        check(sd_bus_start(*ret), "connect to the socket");
}

static void print_name(sd_bus *bus) {
        const char *name;

        if (sd_bus_is_bus_client(bus) <= 0) {
                (void)printf("name %d\n", getpid());
                (void)fflush(stdout);
                return;
        }
        check(sd_bus_get_unique_name(bus, &name), "unique name");
        (void)printf("name %s\n", name);
        (void)fflush(stdout);
}

/* Waits until somebody owns the name. */
static int wait_for(sd_bus *bus, const char *name) {
        for (unsigned i = 0; i < WAIT_STEPS; i++) {
                if (sd_bus_get_name_creds(bus, name, 0, NULL) >= 0)
                        return EXIT_SUCCESS;
                (void)usleep(WAIT_STEP_USEC);
        }
        return EXIT_FAILURE;
}

static void append_option(sd_bus_message *m, char *option) {
        char *value = strchr(option, '=');
        const char *type = "s";

        if (!value)
                check(-EINVAL, option);
        *value++ = '\0';
        if (strcmp(option, "bind") == 0 || strcmp(option, "defer_fds") == 0 ||
            strcmp(option, "override_safety") == 0 || strcmp(option, "hot_reset") == 0)
                type = "b";
        if (strcmp(option, "memlock") == 0 || strcmp(option, "timeout") == 0)
                type = "t";
        if (strcmp(option, "join") == 0)
                type = "o";
        if (type[0] == 'b')
                check(sd_bus_message_append(m, "{sv}", option, type, strcmp(value, "true") == 0),
                      option);
        else if (type[0] == 't')
                check(sd_bus_message_append(m, "{sv}", option, type,
                                            (uint64_t)strtoull(value, NULL, 10)),
                      option);
        else
                check(sd_bus_message_append(m, "{sv}", option, type, value), option);
}

static void append_json(sd_bus_message *m, const char *signature, const char *text) {
        _cleanup_json_ json_object *values = json_tokener_parse(text);

        if (!values)
                check(-EINVAL, text);
        check(json_append_arguments(m, signature, values), signature);
}

/* The arguments that the member has, by its name. */
static void append_arguments(sd_bus_message *m, Arguments *arguments) {
        const char *member = arguments->member;

        if (arguments->signature) {
                append_json(m, arguments->signature, arguments->targets[0]);
                return;
        }
        if (string_after(member, "List") || strcmp(member, "Release") == 0 ||
            strcmp(member, "Overview") == 0 || strcmp(member, "Inspect") == 0)
                return;
        if (strcmp(member, "GetFds") == 0) {
                check(sd_bus_message_append(m, "uu", (uint32_t)atoi(arguments->targets[0]),
                                            (uint32_t)atoi(arguments->targets[1])),
                      member);
                return;
        }
        if (strcmp(member, "GetDevice") == 0 || strcmp(member, "Reset") == 0) {
                check(sd_bus_message_append(m, "s", arguments->targets[0]), member);
                return;
        }
        if (strcmp(member, "Plan") == 0)
                check(sd_bus_message_append(m, "s", arguments->operation), member);
        check(sd_bus_message_append_strv(m, arguments->targets), member);
        if (strcmp(member, "Explain") == 0 || strcmp(member, "Remove") == 0)
                return;
        check(sd_bus_message_open_container(m, 'a', "{sv}"), member);
        for (size_t i = 0; i < arguments->n_options; i++)
                append_option(m, arguments->options[i]);
        check(sd_bus_message_close_container(m), member);
}

static void print_files(sd_bus_message *reply) {
        const char *kind, *name;
        int fd;

        check(sd_bus_message_enter_container(reply, 'a', "(ssh)"), "files");
        while (sd_bus_message_read(reply, "(ssh)", &kind, &name, &fd) > 0)
                (void)printf(" %s:%s", kind, name);
        check(sd_bus_message_exit_container(reply), "files");
}

static void print_done(sd_bus_message *reply) {
        const char *path, *step, *signature = sd_bus_message_get_signature(reply, true);
        int fd;

        (void)fputs("done", stdout);
        if (strcmp(signature, "oha(ssh)") == 0) {
                check(sd_bus_message_read(reply, "oh", &path, &fd), "lease");
                (void)printf(" %s", path);
                print_files(reply);
        } else if (strcmp(signature, "a(ssh)u") == 0 || strcmp(signature, "a(ssh)") == 0)
                print_files(reply);
        else if (strcmp(signature, "a(oa{sv})") == 0) {
                check(sd_bus_message_enter_container(reply, 'a', "(oa{sv})"), "objects");
                while (sd_bus_message_enter_container(reply, 'r', "oa{sv}") > 0) {
                        check(sd_bus_message_read(reply, "o", &path), "object");
                        (void)printf(" %s", path);
                        check(sd_bus_message_skip(reply, "a{sv}"), "object");
                        check(sd_bus_message_exit_container(reply), "object");
                }
        } else if (strcmp(signature, "as") == 0) {
                check(sd_bus_message_enter_container(reply, 'a', "s"), "steps");
                while (sd_bus_message_read(reply, "s", &step) > 0)
                        (void)printf(" %s;", step);
        }
        (void)fputc('\n', stdout);
}

/* Each part of the reply, as one array. */
static void print_json(sd_bus_message *reply) {
        _cleanup_json_ json_object *parts = json_object_new_array();

        while (!sd_bus_message_at_end(reply, true)) {
                json_object *part = NULL;

                check(json_from_message(reply, &part), "reply");
                check(json_append(parts, part), "reply");
        }
        (void)printf("done %s\n",
                     json_object_to_json_string_ext(parts, JSON_C_TO_STRING_PLAIN |
                                                                   JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* To the manager, unless it is to a lease or a device. */
static sd_bus_message *new_message(sd_bus *bus, const Arguments *arguments) {
        const char *path = arguments->lease ?: VFIOD_PATH, *interface = VFIOD_INTERFACE_MANAGER;
        _cleanup_free_ char *device = NULL;
        sd_bus_message *m = NULL;

        if (arguments->lease)
                interface = VFIOD_INTERFACE_LEASE;
        if (arguments->signature) {
                path = arguments->path;
                interface = arguments->interface;
        }
        if (arguments->device) {
                check(sd_bus_path_encode(VFIOD_PATH_DEVICE, arguments->device, &device), "path");
                path = device;
                interface = VFIOD_INTERFACE_DEVICE;
        }
        check(sd_bus_message_new_method_call(bus, &m, arguments->socket ? NULL : VFIOD_BUS_NAME,
                                             path, interface, arguments->member),
              "message");
        return m;
}

static int call(sd_bus *bus, Arguments *arguments) {
        sd_bus_message *m = new_message(bus, arguments), *reply = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        check(sd_bus_message_set_allow_interactive_authorization(m, arguments->interactive),
              "message");
        append_arguments(m, arguments);
        if (arguments->file)
                check(sd_bus_message_append(m, "h", STDIN_FILENO), "file");
        r = sd_bus_call(bus, m, TIMEOUT_USEC, &error, &reply);
        if (r < 0)
                (void)printf("error %s %s\n", error.name, error.message);
        else if (arguments->signature)
                print_json(reply);
        else
                print_done(reply);
        (void)fflush(stdout);
        /* The reply has the files. */
        while (arguments->hold && getchar() != EOF)
                ;
        sd_bus_error_free(&error);
        sd_bus_message_unref(m);
        sd_bus_message_unref(reply);
        return EXIT_SUCCESS;
}

static int on_filling(sd_bus_message *reply _unused_, void *userdata _unused_,
                      sd_bus_error *error _unused_) {
        return 0;
}

/* More than a socket holds: what comes behind it stays with the bus. */
static void fill_socket(sd_bus *bus) {
        for (unsigned i = 0; i < FILLING; i++)
                check(sd_bus_call_method_async(bus, NULL, VFIOD_BUS_NAME, VFIOD_PATH,
                                               "org.freedesktop.DBus.Introspectable", "Introspect",
                                               on_filling, NULL, NULL),
                      "fill the socket");
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const sd_bus_error *refused = sd_bus_message_get_error(reply);

        if (refused)
                (void)printf("error %s %s\n", refused->name, refused->message);
        else
                print_done(reply);
        (*(unsigned *)userdata)--;
        return 0;
}

static void read_on(sd_bus *bus) {
        int r = sd_bus_process(bus, NULL);

        check(r, "read");
        if (r == 0)
                check(sd_bus_wait(bus, TIMEOUT_USEC), "wait");
}

static int call_unread(sd_bus *bus, Arguments *arguments) {
        unsigned left = arguments->unread;

        while (sd_bus_is_ready(bus) == 0)
                read_on(bus);
        if (arguments->fill)
                fill_socket(bus);
        for (unsigned i = 0; i < arguments->unread; i++) {
                sd_bus_message *m = new_message(bus, arguments);

                append_arguments(m, arguments);
                check(sd_bus_call_async(bus, NULL, m, on_reply, &left, TIMEOUT_USEC), "call");
                sd_bus_message_unref(m);
        }
        (void)puts("sent");
        (void)fflush(stdout);
        (void)getchar();
        while (left > 0)
                read_on(bus);
        (void)fflush(stdout);
        return EXIT_SUCCESS;
}

static char *text_of(json_object *line, size_t i) {
        return (char *)json_object_get_string(json_object_array_get_idx(line, i));
}

static int call_all(sd_bus *bus, const Arguments *arguments) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;

        while (getline(&text, &size, stdin) > 0) {
                _cleanup_json_ json_object *line = json_tokener_parse(text);
                Arguments one = *arguments;

                if (json_object_array_length(line) != 5)
                        check(-EINVAL, text);
                one.path = text_of(line, 0);
                one.interface = text_of(line, 1);
                one.member = text_of(line, 2);
                one.signature = text_of(line, 3);
                one.targets = (char *[]){text_of(line, 4), NULL};
                (void)call(bus, &one);
        }
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        Arguments arguments = {.uid = 0};
        sd_bus *bus = NULL;
        int r;

        parse(argc, argv, &arguments);
        if (arguments.uid != 0 && (setgroups(0, NULL) < 0 || setgid(arguments.uid) < 0 ||
                                   setresuid(arguments.uid, arguments.uid, arguments.uid) < 0))
                check(-errno, "become another user");
        if (arguments.socket)
                connect_to_socket(arguments.socket, &bus);
        else
                check(sd_bus_open_system(&bus), "connect to the system bus");
        print_name(bus);
        if (arguments.wait)
                r = wait_for(bus, arguments.wait);
        else if (arguments.own) {
                r = sd_bus_request_name(bus, arguments.own, 0);
                (void)printf("%s\n", r < 0 ? strerror(-r) : "done");
                r = EXIT_SUCCESS;
        } else if (arguments.batch)
                r = call_all(bus, &arguments);
        else if (arguments.unread > 0)
                r = call_unread(bus, &arguments);
        else
                r = call(bus, &arguments);
        sd_bus_flush_close_unref(bus);
        return r;
}
