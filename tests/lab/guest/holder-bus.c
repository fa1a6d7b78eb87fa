/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a holder has to do with D-Bus: being asked for its lease, and asking whether vfiod is there.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "holder.h"
#include "vfio-files.h"

#define NAME "org.vfiod1"
#define PING_EVERY_MS 100
#define PING_TIMEOUT_USEC (UINT64_C(60) * 1000000)

static sd_bus *bus;

static void check_bus(int r, const char *what) {
        if (r < 0)
                die("%s: %s", what, strerror(-r));
}

static int on_release_requested(sd_bus_message *message, void *userdata, sd_bus_error *reterr) {
        uint64_t deadline;
        const char *reason;

        (void)userdata;
        (void)reterr;
        check_bus(sd_bus_message_read(message, "ts", &deadline, &reason), "ReleaseRequested");
        printf("ReleaseRequested: deadline %" PRIu64 ", reason: %s\n", deadline, reason);
        be_asked("ReleaseRequested");
        return 0;
}

void bus_listen(void) {
        const char *lease = getenv("VFIOD_LEASE");
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!lease)
                die("VFIOD_LEASE is not set");
        check_bus(sd_bus_open_system(&bus), "the system bus");
        check_bus(sd_bus_match_signal(bus, NULL, NAME, lease, NAME ".Lease", "ReleaseRequested",
                                      on_release_requested, NULL),
                  "a match for ReleaseRequested");
        /* `vfioctl exec` got the files by a connection that is no more; who asks again is asked.
         * The reply's own copies are closed with it. */
        r = sd_bus_call_method(bus, NAME, lease, NAME ".Lease", "GetFds", &error, NULL, "uu", 0, 0);
        if (r < 0)
                die("GetFds: %s", error.message);
}

int bus_fd(void) {
        return bus ? sd_bus_get_fd(bus) : -1;
}

void bus_dispatch(void) {
        int r;

        while ((r = sd_bus_process(bus, NULL)) > 0)
                ;
        check_bus(r, "the system bus");
}

static uint64_t now_usec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* How long the answer took. */
static uint64_t ping(void) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        uint64_t begin = now_usec();

        if (sd_bus_call_method(bus, NAME, "/org/vfiod1", "org.freedesktop.DBus.Peer", "Ping",
                               &error, NULL, NULL) < 0)
                die("no answer: %s", error.message);
        return now_usec() - begin;
}

int ping_until_told(void) {
        uint64_t worst = 0, answers = 0;
        struct pollfd end = {.events = POLLIN};
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, NULL);
        end.fd = signalfd(-1, &set, SFD_CLOEXEC);
        if (end.fd < 0)
                die("signalfd: %m");
        check_bus(sd_bus_open_system(&bus), "the system bus");
        sd_bus_set_method_call_timeout(bus, PING_TIMEOUT_USEC);
        /* The first one may have to start vfiod. */
        ping();
        puts("vfiod answers");
        while (poll(&end, 1, PING_EVERY_MS) == 0) {
                uint64_t took = ping();

                worst = took > worst ? took : worst;
                answers++;
        }
        printf("%" PRIu64 " pings answered, the slowest after %" PRIu64 " ms\n", answers,
               (worst + 500) / 1000);
        return EXIT_SUCCESS;
}
