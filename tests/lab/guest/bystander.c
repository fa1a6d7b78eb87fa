/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bystander: an honest client, beside one that means harm. Leases a device and gives it back, over
 * and over, until SIGTERM.
 *
 *      bystander bus|socket DEVICE
 *
 * prints what each round took in microseconds. The first one that fails ends it, with the sentence
 * and status 1.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/lib/vfiod.h"

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

static void one_round(vfiod_connection *c, const char *device) {
        uint64_t begin = now_usec();
        vfiod_lease *lease = NULL;

        check(c, vfiod_acquire(c, (const char *[]){device, NULL}, NULL, &lease), "acquire");
        check(c, vfiod_lease_release(lease), "release");
        vfiod_lease_free(lease);
        printf("%" PRIu64 "\n", now_usec() - begin);
}

int main(int argc, char **argv) {
        vfiod_connection *c = NULL;

        if (argc != 3)
                return 2;
        setvbuf(stdout, NULL, _IOLBF, 0);
        hold_back_term();
        if (vfiod_connection_new(&c) < 0)
                return EXIT_FAILURE;
        check(c,
              strcmp(argv[1], "bus") == 0 ? vfiod_connection_open(c, NULL)
                                          : vfiod_connection_open_socket(c, NULL),
              "open");
        while (!is_ended())
                one_round(c, argv[2]);
        vfiod_connection_free(c);
        return EXIT_SUCCESS;
}
