/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clients that mean harm: each does one thing to vfiod that no library would do, over and over,
 * until SIGTERM.
 *
 *      hostile bus|socket HARM [ARGUMENT...]
 *
 * says `at it` once everything that belongs to the harm has been done once, and at its end how
 * often: a case that asserts that nobody suffers has to know that somebody tried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "vfio-files.h"

volatile sig_atomic_t stop = 0;
bool over_bus;

static const struct {
        const char *name;
        Harm harm;
} harms[] = {
        {"flood", harm_flood},     {"unread", harm_unread},
        {"halves", harm_halves},   {"huge", harm_huge},
        {"mutants", harm_mutants}, {"forged", harm_forged},
        {"deaths", harm_deaths},   {"connections", harm_connections},
        {"signals", harm_signals}, {NULL, NULL},
};

void at_it(void) {
        static bool said = false;

        if (!said)
                puts("at it");
        said = true;
}

static void on_term(int number) {
        (void)number;
        stop = 1;
}

static void catch_end(void) {
        /* What waits is interrupted. */
        struct sigaction action = {.sa_handler = on_term};

        sigaction(SIGTERM, &action, NULL);
}

int main(int argc, char **argv) {
        char **arguments = argv + (argc > 0);
        const char *transport = next_argument(&arguments, "bus or socket");
        const char *name = next_argument(&arguments, "the harm");

        setvbuf(stdout, NULL, _IOLBF, 0);
        over_bus = strcmp(transport, "bus") == 0;
        catch_end();
        for (size_t i = 0; harms[i].name; i++)
                if (strcmp(harms[i].name, name) == 0) {
                        harms[i].harm(arguments);
                        return EXIT_SUCCESS;
                }
        die("no harm '%s'", name);
}
