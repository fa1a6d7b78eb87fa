/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The real bus and broker on a fake machine (tests/bus/fake-machine.h), for targets that speak
 * D-Bus to them. Everything is in this one process and thread: plans run on the event loop
 * (inline-worker.c), and who holds something is what the input says (listed-holders.c).
 */

#include "daemon/bus/bus.h"
#include "daemon/util/hold.h"

typedef struct FuzzWorld {
        sd_event *event;
        Broker *broker;
        char *config_directory;
        Bus *bus;
        size_t fds_before;
} FuzzWorld;

/* The same machine each time: it is made anew when something was done to it. */
void fuzz_world_init(FuzzWorld *world);
/* Ends the program if a file is left open. */
void fuzz_world_done(FuzzWorld *world);

/* The machine is not what it was. */
void fuzz_world_spoil(void);

/* Until nothing is left to be done but waiting. */
void fuzz_world_settle(const FuzzWorld *world);

/* A socket pair made by this user, where that is in our power; non-blocking. */
void fuzz_socket_pair(uid_t uid, int *ends);

/* listed-holders.c: somebody holds that; forgotten with the world. */
void listed_holders_add(const Hold *hold);
void listed_holders_forget(void);
