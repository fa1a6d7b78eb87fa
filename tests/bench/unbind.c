/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * unbind: how long after the end of a device's last holder an Unbind that waits for it is answered,
 * over the floor: root's write to `unbind` of a device that nobody holds. The two are measured in
 * turn. The device must be on no driver, so that neither has to find it one afterwards. Closing a
 * device resets it, which is most of the time and is measured by itself.
 *
 *      unbind DEVICE ROUNDS
 *
 * Prints one JSON object with the medians in microseconds and the ratios.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/names.h"
#include "tests/bench/common.h"

#define ROUNDS_MAX 1000

/* Long enough for vfiod to have asked, and to be waiting. */
#define SETTLE_USEC 500000

static void bind_device(sd_bus *bus, const char *device) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        check_errno(sd_bus_call_method(bus, VFIOD_BUS_NAME, VFIOD_PATH, VFIOD_INTERFACE_MANAGER,
                                       "Bind", &error, NULL, "asa{sv}", 1, device, 0),
                    error.message ? error.message : "Bind");
}

static double write_unbind(const char *device) {
        int fd = check(open("/sys/bus/pci/drivers/vfio-pci/unbind", O_WRONLY | O_CLOEXEC),
                       "open unbind");
        double started = now_usec();

        check((int)write(fd, device, strlen(device)), "write unbind");
        started = now_usec() - started;
        close(fd);
        return started;
}

/* A process that has the files, and nobody else. */
static pid_t start_holder(sd_bus *bus, const char *device) {
        Leased leased;
        pid_t pid;

        lease_acquire(bus, device, "group", "attach", &leased);
        pid = check(fork(), "fork");
        if (pid == 0)
                for (;;)
                        pause();
        lease_close(&leased);
        return pid;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        (void)error;
        if (sd_bus_message_is_method_error(reply, NULL))
                die(sd_bus_message_get_error(reply)->message, EIO);
        *(double *)userdata = now_usec();
        return 0;
}

static void turn(sd_bus *bus) {
        if (check_errno(sd_bus_process(bus, NULL), "process the bus") == 0)
                check_errno(sd_bus_wait(bus, SETTLE_USEC), "wait for the bus");
}

static double wait_for_unbind(sd_bus *bus, const char *device) {
        double started, ended = 0, settled;
        pid_t holder = start_holder(bus, device);
        sd_bus_slot *slot;
        sd_bus_message *m;

        check_errno(sd_bus_message_new_method_call(bus, &m, VFIOD_BUS_NAME, VFIOD_PATH,
                                                   VFIOD_INTERFACE_MANAGER, "Unbind"),
                    "Unbind");
        check_errno(sd_bus_message_append(m, "asa{sv}", 1, device, 1, "policy", "s", "wait"),
                    "Unbind");
        check_errno(sd_bus_call_async(bus, &slot, m, on_reply, &ended, UINT64_MAX), "Unbind");
        sd_bus_message_unref(m);
        for (settled = now_usec() + SETTLE_USEC; now_usec() < settled;)
                turn(bus);
        started = now_usec();
        check(kill(holder, SIGKILL), "end the holder");
        while (ended == 0)
                turn(bus);
        waitpid(holder, NULL, 0);
        sd_bus_slot_unref(slot);
        return ended - started;
}

/* Closing the only file of a device. */
static double close_device(sd_bus *bus, const char *device) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        Leased leased;
        double started;

        lease_acquire(bus, device, "group", "attach", &leased);
        started = now_usec();
        while (leased.n_fds > 0)
                close(leased.fds[--leased.n_fds]);
        check_errno(sd_bus_call_method(bus, VFIOD_BUS_NAME, leased.path, VFIOD_INTERFACE_LEASE,
                                       "Release", &error, NULL, ""),
                    error.message ? error.message : "Release");
        started = now_usec() - started;
        lease_close(&leased);
        return started;
}

int main(int argc, char **argv) {
        static double floors[ROUNDS_MAX], closes[ROUNDS_MAX], ours[ROUNDS_MAX];
        double floor_usec, close_usec, our_usec;
        size_t rounds;
        sd_bus *bus;

        if (argc != 3)
                die("usage: unbind DEVICE ROUNDS", EINVAL);
        rounds = strtoul(argv[2], NULL, 10);
        if (rounds == 0 || rounds > ROUNDS_MAX)
                die("rounds", ERANGE);
        check_errno(sd_bus_open_system(&bus), "connect to the system bus");
        for (size_t i = 0; i < rounds; i++) {
                bind_device(bus, argv[1]);
                closes[i] = close_device(bus, argv[1]);
                floors[i] = write_unbind(argv[1]);
                bind_device(bus, argv[1]);
                ours[i] = wait_for_unbind(bus, argv[1]);
        }
        floor_usec = median(floors, rounds);
        close_usec = median(closes, rounds);
        our_usec = median(ours, rounds);
        printf("{\"unbind_usec\": %.0f, \"floor_usec\": %.0f, \"close_usec\": %.0f, "
               "\"ratio\": %.2f, \"ratio_with_close\": %.2f}\n",
               our_usec, floor_usec, close_usec, our_usec / floor_usec,
               our_usec / (floor_usec + close_usec));
        sd_bus_flush_close_unref(bus);
        return 0;
}
