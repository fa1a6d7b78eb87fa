/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* main: options, configuration, signals, the bus, READY=1, the event loop. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "daemon/bus/bus.h"
#include "daemon/persist/config-file.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"
#include "version.h"

#define STATUS "Watching IOMMU groups"

typedef struct Daemon {
        const char *directory; /* of the configuration */
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

static int apply_config(void *userdata, const char *file, const char *text) {
        _cleanup_free_ char *error = NULL;
        int r;

        r = config_apply(userdata, file, text, &error);
        if (r < 0)
                (void)fprintf(stderr, SD_ERR "%s\n", error ?: strerror(-r));
        return r;
}

static int load_config(const char *directory, Config *config) {
        _cleanup_free_ char *failed = NULL;
        int r;

        config_init(config);
        r = config_files_read(directory, apply_config, config, &failed);
        if (r < 0 && failed)
                (void)complain(SD_ERR, failed, r);
        return r;
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
        r = load_config(daemon->directory, &fresh);
        if (r < 0) {
                (void)fputs(SD_ERR "keeping the configuration that was read before\n", stderr);
                (void)sd_notify(false, "READY=1\nSTATUS=" STATUS " (the new configuration is bad)");
                return 0;
        }
        broker_set_config(daemon->broker, &fresh);
        (void)fputs(SD_INFO "the configuration has been read again\n", stderr);
        (void)sd_notify(false, "READY=1\nSTATUS=" STATUS);
        return 0;
}

static int on_idle(sd_event_source *source _unused_, void *userdata) {
        const Daemon *daemon = userdata;

        if (broker_is_idle(daemon->broker))
                (void)sd_event_exit(daemon->event, 0);
        return 0;
}

/* What is under way is called off and undone first; a second signal does not wait for that. */
static int on_stop(sd_event_source *source _unused_, const struct signalfd_siginfo *info _unused_,
                   void *userdata) {
        Daemon *daemon = userdata;
        int r;

        daemon->stopping = true;
        (void)sd_notify(false, "STOPPING=1");
        broker_stop(daemon->broker);
        if (broker_is_idle(daemon->broker))
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
        return r < 0 ? complain(SD_ERR, "read the machine's devices", r) : 0;
}

static int start_bus(Daemon *daemon) {
        sd_bus *system = NULL;
        int r;

        r = sd_bus_open_system(&system);
        if (r >= 0)
                r = bus_new(daemon->event, daemon->broker, &daemon->bus);
        if (r >= 0)
                r = bus_add_connection(daemon->bus, system, true);
        sd_bus_unref(system);
        if (r >= 0)
                r = bus_own_name(daemon->bus);
        return r < 0 ? complain(SD_ERR, "own the name on the system bus", r) : 0;
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
        (void)fprintf(stream, "vfiod [--config DIRECTORY] [--check-config] [--version] [--help]\n"
                              "Brokers VFIO devices on the system bus; see vfioctl(1).\n");
        return stream == stderr ? -EINVAL : 1;
}

/* 0: go on; 1: done; negative: bad usage. */
static int parse_options(int argc, char **argv, const char **directory, bool *check_only) {
        enum { OPTION_CONFIG = 1, OPTION_CHECK, OPTION_VERSION, OPTION_HELP };
        static const struct option options[] = {
                {"config", required_argument, NULL, OPTION_CONFIG},
                {"check-config", no_argument, NULL, OPTION_CHECK},
                {"version", no_argument, NULL, OPTION_VERSION},
                {"help", no_argument, NULL, OPTION_HELP},
                {NULL, 0, NULL, 0},
        };
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (option) {
                case OPTION_CONFIG:
                        *directory = optarg;
                        break;
                case OPTION_CHECK:
                        *check_only = true;
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
        Daemon daemon = {.directory = VFIOD_CONFIG_DIRECTORY};
        bool check_only = false;
        int r;

        r = parse_options(argc, argv, &daemon.directory, &check_only);
        if (r != 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        r = load_config(daemon.directory, &daemon.config);
        if (r >= 0 && !check_only)
                r = run(&daemon);
        daemon_done(&daemon);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
