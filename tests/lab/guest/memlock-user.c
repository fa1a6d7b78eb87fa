/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A program that leases a device by itself and asks for locked memory with it:
 *
 *       memlock-user BYTES DEVICE
 *
 * It prints its limits before and after, and what a program that it starts has; then it keeps the
 * device until it is ended. The status is 1 when the device was refused.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define NAME "org.vfiod1"

static void check(int r, const char *what) {
        if (r >= 0)
                return;
        fprintf(stderr, "memlock-user: %s: %s\n", what, strerror(-r));
        exit(2);
}

static void print_limits(const char *when) {
        struct rlimit limit;

        check(getrlimit(RLIMIT_MEMLOCK, &limit), "getrlimit");
        printf("%s: %ju %ju\n", when, (uintmax_t)limit.rlim_cur, (uintmax_t)limit.rlim_max);
}

int main(int argc, char **argv) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        sd_bus *bus;
        int r;

        if (argc != 3)
                return 2;
        setvbuf(stdout, NULL, _IOLBF, 0);
        check(sd_bus_open_system(&bus), "the system bus");
        print_limits("before");
        r = sd_bus_call_method(bus, NAME, "/org/vfiod1", NAME ".Manager", "Acquire", &error, &reply,
                               "asa{sv}", 1, argv[2], 2, "bind", "b", 1, "memlock", "t",
                               (uint64_t)strtoull(argv[1], NULL, 10));
        print_limits("after");
        if (r < 0) {
                fprintf(stderr, "memlock-user: %s [%s]\n", error.message, error.name);
                return 1;
        }
        check(system("printf 'started: %s\\n' \"$(ulimit -Hl)\""), "system");
        puts("holding");
        for (;;)
                pause();
}
