/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bystander: an honest client, beside one that means harm. Leases a device and gives it back, over
 * and over, until SIGTERM.
 *
 *      bystander bus|socket DEVICE
 *
 * prints what each round took in microseconds, and beside it what the same messages took right
 * after it between others: what is slow at the message bus and in polkit is slow for everybody,
 * whoever serves him. At the socket that is 0. The first round that fails ends it, with the
 * sentence and status 1.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "client/lib/vfiod.h"

#define POLKIT "org.freedesktop.PolicyKit1"

/* A round that is under way is not interrupted: the signal stays pending. */
static void hold_back_term(void) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, NULL);
}

static bool is_ended(void) {
        sigset_t set;

        sigpending(&set);
        return sigismember(&set, SIGTERM);
}

static void check(const vfiod_connection *c, int r, const char *what) {
        if (r >= 0)
                return;
        printf("failed: %s: %s (%s)\n", what, vfiod_error_message(c), vfiod_error_name(c));
        exit(EXIT_FAILURE);
}

static uint64_t now_usec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t lease_once(vfiod_connection *c, const char *device) {
        uint64_t begin = now_usec();
        vfiod_lease *lease = NULL;

        check(c, vfiod_acquire(c, (const char *[]){device, NULL}, NULL, &lease), "acquire");
        check(c, vfiod_lease_release(lease), "release");
        vfiod_lease_free(lease);
        return now_usec() - begin;
}

static void check_bus(int r, const char *whose) {
        if (r >= 0)
                return;
        printf("failed: %s does not answer: %s\n", whose, strerror(-r));
        exit(EXIT_FAILURE);
}

static void ask_polkit(sd_bus *bus, const char *self) {
        check_bus(sd_bus_call_method(bus, POLKIT, "/org/freedesktop/PolicyKit1/Authority",
                                     POLKIT ".Authority", "CheckAuthorization", NULL, NULL,
                                     "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s", self,
                                     "org.vfiod1.acquire", 0, 0, ""),
                  "polkit");
}

/*
 * As it would be with no vfiod. What a lease and its end take at the bus: two calls of somebody who
 * answers at once, and in between a question to the bus about the caller, and one to polkit.
 * NULL: there is no bus in between.
 */
static uint64_t ask_others(sd_bus *bus) {
        uint64_t begin = now_usec();
        const char *self;

        if (!bus)
                return 0;
        check_bus(sd_bus_get_unique_name(bus, &self), "the bus");
        for (int i = 0; i < 2; i++)
                check_bus(sd_bus_call_method(bus, POLKIT, "/", "org.freedesktop.DBus.Peer", "Ping",
                                             NULL, NULL, NULL),
                          "polkit");
        check_bus(sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                     "org.freedesktop.DBus", "GetConnectionCredentials", NULL, NULL,
                                     "s", self),
                  "the bus");
        ask_polkit(bus, self);
        return now_usec() - begin;
}

int main(int argc, char **argv) {
        vfiod_connection *c = NULL;
        sd_bus *bus = NULL;
        bool on_bus;

        if (argc != 3)
                return 2;
        on_bus = strcmp(argv[1], "bus") == 0;
        setvbuf(stdout, NULL, _IOLBF, 0);
        hold_back_term();
        if (vfiod_connection_new(&c) < 0)
                return EXIT_FAILURE;
        check(c, on_bus ? vfiod_connection_open(c, NULL) : vfiod_connection_open_socket(c, NULL),
              "open");
        if (on_bus && sd_bus_open_system(&bus) < 0)
                return EXIT_FAILURE;
        while (!is_ended()) {
                uint64_t round = lease_once(c, argv[2]);

                printf("%" PRIu64 " %" PRIu64 "\n", round, ask_others(bus));
        }
        sd_bus_flush_close_unref(bus);
        vfiod_connection_free(c);
        return EXIT_SUCCESS;
}
