/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What dbus-daemon tells of a connection (org.freedesktop.DBus.Debug.Stats, for root): how much it
 * keeps for it or from it that has not been read.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* Asks about the connection with that name; an answer that is late is an error. */
int bus_stats_ask(sd_bus *sd, const char *name, sd_bus_slot **slot,
                  sd_bus_message_handler_t callback, void *userdata);

/* A number of the answer; -ENODATA where that does not say, or is an error. */
int bus_stats_read(sd_bus_message *reply, const char *key, uint32_t *ret);

/* The bus does not know how, or may not. */
bool bus_stats_is_never_told(sd_bus_message *reply);

/* The connection has left. */
bool bus_stats_is_of_nobody(sd_bus_message *reply);
