/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What drives a peer's connection on the event loop, instead of sd_bus_attach_event(), which leaves
 * a message in its buffer that came together with the end of authentication, and reads whatever it
 * is sent. pump.c says how.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

typedef struct Connection Connection;

typedef struct Pump {
        int fd; /* of the socket, beside sd-bus's; negative for none */
        sd_event_source *io;
        sd_event_source *timer;
        bool soon;                   /* the timer is for the next turn, not for the deadline */
        uint64_t authenticate_until; /* microseconds, CLOCK_MONOTONIC */
        uint64_t received;           /* bytes that came since the last whole message */
} Pump;

#define PUMP_NULL {.fd = -EBADF}

/* The connection's socket is watched from now on. */
int pump_start(Connection *connection);
void pump_stop(Pump *pump);

/* A whole message has come. */
void pump_message(Pump *pump);

/* Runs the connection once more soon, with nothing received. */
void pump_soon(Pump *pump);
