/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/hurry.h"

#include <signal.h>
#include <sys/time.h>

#include "daemon/util/cleanup.h"

#define EVERY_USEC 1000

/* That it is caught is what counts: an ignored one would disturb nothing. */
static void on_alarm(int number _unused_) {
}

static void set_timer(suseconds_t usec) {
        const struct itimerval every = {.it_interval.tv_usec = usec, .it_value.tv_usec = usec};

        (void)setitimer(ITIMER_REAL, &every, NULL);
}

/* Again and again: the first one may come before the close has begun to wait. */
void hurry_begin(void) {
        const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

        (void)sigaction(SIGALRM, &action, NULL);
        set_timer(EVERY_USEC);
}

void hurry_end(void) {
        set_timer(0);
}
