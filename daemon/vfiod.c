/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* main: options, configuration, signals, the bus and the socket, READY=1, the event loop. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/bus/bus.h"
#include "daemon/bus/journal.h"
#include "daemon/persist/config-file.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "version.h"

#define STATUS "Watching IOMMU groups"

/* Most operations are over long before; TimeoutStopSec= of the unit is longer. */
#define STOP_GRACE_USEC (20 * 1000 * 1000ULL)

typedef struct Options {
        const char *directory; /* of the configuration; NULL: the usual one, which need not be */
        const char *socket;    /* where to listen; NULL: where systemd says */
        const char *state;     /* what outlives it is there; NULL: where systemd says */
        bool check_only;
} Options;

typedef struct Daemon {
        Options options;
        bool stopping;
        sd_event *event;
        Config config;
        Broker *broker;
        Bus *bus;
} Daemon;

static void daemon_done(Daemon *daemon) {
        bus_free(daemon->bus);
        broker_free(daemon->broker);
        sd_event_unref(daemon->event);
}

/* Priority prefixes of sd-daemon(3), so that the journal sorts what has no structured record. */
static int complain(const char *prefix, const char *what, int error) {
        (void)fprintf(stderr, "%s%s: %s\n", prefix, what, strerror(-error));
        return error;
}

/* Whether standard error is the journal (systemd.exec(5)): a variable alone is inherited by shells.
 */
static bool writes_to_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        char own[64];
        struct stat status;

        if (!stream || fstat(STDERR_FILENO, &status) < 0)
                return false;
        (void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev,
                       (uintmax_t)status.st_ino);
        return string_equal(stream, own);
}

/* --check-config is for people, too. */
static const char *error_prefix(const Options *options) {
        return options->check_only && !writes_to_journal() ? "" : SD_ERR;
}

static const char *config_directory(const Options *options) {
        return options->directory ?: VFIOD_CONFIG_DIRECTORY;
}

typedef struct Loading {
        const Options *options;
        Config *config;
} Loading;

static int apply_config(void *userdata, const char *file, const char *text) {
        const Loading *loading = userdata;
        _cleanup_free_ char *error = NULL;
        int r;

        r = config_apply(loading->config, file, text, &error);
        if (r < 0)
                (void)fprintf(stderr, "%s%s\n", error_prefix(loading->options),
                              error ?: strerror(-r));
        return r;
}

/* What was asked for by name and is not there would be all defaults, in silence. */
static int check_directory(const Options *options) {
        _cleanup_close_ int fd = -EBADF;

        if (!options->directory)
                return 0;
        fd = open(options->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? complain(error_prefix(options), options->directory, -errno) : 0;
}

static int load_config(const Options *options, Config *config) {
        _cleanup_free_ char *failed = NULL;
        Loading loading = {options, config};
        int r;

        config_init(config);
        r = check_directory(options);
        if (r < 0)
                return r;
        r = config_files_read(config_directory(options), apply_config, &loading, &failed);
        if (r < 0 && failed)
                (void)complain(error_prefix(options), failed, r);
        return r;
}

/* One that is broken keeps nothing else from working, and is only told of. */
static void tell_of_assignments(const char *problem) {
        if (problem)
                (void)fprintf(stderr, SD_ERR "%s; no device is assigned until it is mended\n",
                              problem);
}

/*
 * A configuration that is bad in any part is not taken at all. Each operation looks at the one in
 * force when it begins; what is granted already stays, also beyond a limit that is lower now.
 */
static int on_reload(sd_event_source *source _unused_, const struct signalfd_siginfo *info _unused_,
                     void *userdata) {
        Daemon *daemon = userdata;
        Config fresh;
        int r;

        if (daemon->stopping)
                return 0;
        (void)sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now(CLOCK_MONOTONIC));
        r = load_config(&daemon->options, &fresh);
        if (r < 0) {
                (void)fputs(SD_ERR "keeping the configuration that was read before\n", stderr);
                (void)sd_notify(false, "READY=1\nSTATUS=" STATUS " (the new configuration is bad)");
                return 0;
        }
        broker_set_config(daemon->broker, &fresh);
        tell_of_assignments(broker_reload_assignments(daemon->broker));
        (void)fputs(SD_INFO "the configuration has been read again\n", stderr);
        (void)sd_notify(false, "READY=1\nSTATUS=" STATUS);
        return 0;
}

static bool is_idle(const Daemon *daemon) {
        return broker_is_idle(daemon->broker) && bus_is_idle(daemon->bus);
}

static int on_idle(sd_event_source *source _unused_, void *userdata) {
        const Daemon *daemon = userdata;

        if (is_idle(daemon))
                (void)sd_event_exit(daemon->event, 0);
        return 0;
}

/* What is under way is done first, or undone if it takes too long; a second signal does not wait
 * for that. */
static int on_stop(sd_event_source *source _unused_, const struct signalfd_siginfo *info _unused_,
                   void *userdata) {
        Daemon *daemon = userdata;
        int r;

        if (daemon->stopping)
                return sd_event_exit(daemon->event, 0);
        daemon->stopping = true;
        (void)sd_notify(false, "STOPPING=1");
        broker_stop(daemon->broker, STOP_GRACE_USEC);
        if (is_idle(daemon))
                return sd_event_exit(daemon->event, 0);
        r = sd_event_add_post(daemon->event, NULL, on_idle, daemon);
        return r < 0 ? sd_event_exit(daemon->event, r) : 0;
}

static int add_signals(Daemon *daemon) {
        static const struct {
                int signal;
                sd_event_signal_handler_t handler;
        } signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};
        sigset_t mask;
        int r = 0;

        /* A holder who is asked may have closed its end of the lease's pipe by then. */
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                return -errno;
        (void)sigemptyset(&mask);
        for (size_t i = 0; i < ELEMENTS(signals); i++)
                (void)sigaddset(&mask, signals[i].signal);
        (void)sigaddset(&mask, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        for (size_t i = 0; r >= 0 && i < ELEMENTS(signals); i++)
                r = sd_event_add_signal(daemon->event, NULL, signals[i].signal, signals[i].handler,
                                        daemon);
        return r;
}

static int start_broker(Daemon *daemon) {
        Roots roots;
        int r;

        r = roots_open(&roots);
        if (r >= 0)
                r = broker_new(daemon->event, &daemon->config, &roots, &daemon->broker);
        if (r >= 0)
                r = broker_start(daemon->broker);
        if (r < 0)
                return complain(SD_ERR, "read the machine's devices", r);
        broker_set_config_directory(daemon->broker, config_directory(&daemon->options));
        tell_of_assignments(broker_read_assignments(daemon->broker));
        return 0;
}

/* RuntimeDirectory= of the unit, unless another one is given: gone with a reboot, like the leases.
 */
static int open_state_directory(const Daemon *daemon) {
        const char *path = daemon->options.state ?: getenv("RUNTIME_DIRECTORY");
        int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -ENOENT;

        if (path && fd < 0)
                (void)complain(daemon->options.state ? SD_ERR : SD_WARNING, path, -errno);
        return fd < 0 ? -EBADF : fd;
}

/* The socket among them is not a lease's, and stays. */
static int recover(Daemon *daemon) {
        _cleanup_close_ int directory = open_state_directory(daemon);
        _cleanup_strv_ char **names = NULL;
        int r;

        if (daemon->options.state && directory < 0)
                return -EBADF;
        r = sd_listen_fds_with_names(false, &names);
        if (r >= 0)
                r = broker_recover(daemon->broker, TAKE_FD(directory), names, SD_LISTEN_FDS_START);
        return r < 0 ? complain(SD_ERR, "take over from the vfiod before this one", r) : 0;
}

/* Systemd's socket by its name; files of other names are not ours to take. Its variables stay. */
static int take_socket(Bus *bus, bool *ret_listens) {
        _cleanup_strv_ char **names = NULL;
        int r = 0, n = sd_listen_fds_with_names(false, &names);

        for (int i = 0; r >= 0 && i < n; i++)
                if (string_equal(names[i], VFIOD_SOCKET_FD_NAME)) {
                        r = bus_listen(bus, SD_LISTEN_FDS_START + i);
                        *ret_listens = true;
                }
        return r < 0 ? r : n < 0 ? n : 0;
}

static int start_socket(Daemon *daemon, bool *ret_listens) {
        const char *path = daemon->options.socket;
        int r;

        if (path) {
                r = bus_listen_at(daemon->bus, path);
                *ret_listens = true;
                return r < 0 ? complain(SD_ERR, path, r) : 0;
        }
        r = take_socket(daemon->bus, ret_listens);
        return r < 0 ? complain(SD_ERR, "listen at the socket that systemd has made", r) : 0;
}

static bool is_absent(int error) {
        return error == -ENOENT || error == -ECONNREFUSED;
}

static int start_system_bus(Daemon *daemon, bool may_be_absent) {
        sd_bus *system = NULL;
        int r;

        r = sd_bus_open_system(&system);
        if (is_absent(r) && may_be_absent) {
                journal_bus_absent();
                return 0;
        }
        if (r >= 0)
                r = bus_add_connection(daemon->bus, system, true);
        sd_bus_unref(system);
        if (r >= 0)
                r = bus_own_name(daemon->bus);
        return r < 0 ? complain(SD_ERR, "own the name on the system bus", r) : 0;
}

static int start_bus(Daemon *daemon) {
        bool listens = false;
        int r;

        r = bus_new(daemon->event, daemon->broker, &daemon->bus);
        if (r < 0)
                return complain(SD_ERR, "set up the bus", r);
        r = recover(daemon);
        if (r < 0)
                return r;
        r = start_socket(daemon, &listens);
        return r < 0 ? r : start_system_bus(daemon, listens);
}

static int run(Daemon *daemon) {
        int r;

        r = sd_event_default(&daemon->event);
        if (r >= 0)
                r = add_signals(daemon);
        if (r < 0)
                return complain(SD_ERR, "set up the event loop", r);
        r = start_broker(daemon);
        if (r >= 0)
                r = start_bus(daemon);
        if (r < 0)
                return r;
        (void)sd_event_set_watchdog(daemon->event, true);
        (void)sd_notify(false, "READY=1\nSTATUS=" STATUS);
        return sd_event_loop(daemon->event);
}

static int usage(FILE *stream) {
        (void)fprintf(stream,
                      "vfiod [--config DIRECTORY] [--check-config] [--socket PATH] [--state "
                      "DIRECTORY] [--version] [--help]\n"
                      "Brokers VFIO devices on the system bus and at a socket; see vfioctl(1).\n");
        return stream == stderr ? -EINVAL : 1;
}

/* 0: go on; 1: done; negative: bad usage. */
static int parse_options(int argc, char **argv, Options *ret) {
        enum {
                OPTION_CONFIG = 1,
                OPTION_CHECK,
                OPTION_SOCKET,
                OPTION_STATE,
                OPTION_VERSION,
                OPTION_HELP
        };
        static const struct option options[] = {
                {"config", required_argument, NULL, OPTION_CONFIG},
                {"check-config", no_argument, NULL, OPTION_CHECK},
                {"socket", required_argument, NULL, OPTION_SOCKET},
                {"state", required_argument, NULL, OPTION_STATE},
                {"version", no_argument, NULL, OPTION_VERSION},
                {"help", no_argument, NULL, OPTION_HELP},
                {NULL, 0, NULL, 0},
        };
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (option) {
                case OPTION_CONFIG:
                        ret->directory = optarg;
                        break;
                case OPTION_CHECK:
                        ret->check_only = true;
                        break;
                case OPTION_SOCKET:
                        ret->socket = optarg;
                        break;
                case OPTION_STATE:
                        ret->state = optarg;
                        break;
                case OPTION_VERSION:
                        (void)puts("vfiod " VFIOD_VERSION);
                        return 1;
                case OPTION_HELP:
                        return usage(stdout);
                default:
                        return usage(stderr);
                }
        return optind < argc ? usage(stderr) : 0;
}

int main(int argc, char **argv) {
        Daemon daemon = {0};
        int r;

        r = parse_options(argc, argv, &daemon.options);
        if (r != 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        /* Starting anew does not make it better: the unit knows this status. */
        if (load_config(&daemon.options, &daemon.config) < 0)
                return EX_CONFIG;
        if (!daemon.options.check_only)
                r = run(&daemon);
        daemon_done(&daemon);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
