/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What dbus-daemon tells of a connection (org.freedesktop.DBus.Debug.Stats, for root): how much it
 * keeps for it or from it that has not been read.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

/* Asks about the connection with that name; an answer that is late is an error. */
int bus_stats_ask(sd_bus *sd, const char *name, sd_bus_slot **slot,
                  sd_bus_message_handler_t callback, void *userdata);

typedef enum BusStats {
        BUS_STATS_TOLD,
        BUS_STATS_OF_NOBODY, /* the connection has left */
        BUS_STATS_LATE,      /* the bus tells another time */
        BUS_STATS_NEVER_TOLD /* the bus does not know how, or may not */
} BusStats;

/* What an answer tells, and the number with this key where it is told; 0 otherwise. */
BusStats bus_stats_read(sd_bus_message *reply, const char *key, uint32_t *ret);
