/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The parts of the holder zoo: holder.c (who there is, and what each does when it is asked),
 * holder-places.c (where files can be kept), holder-successor.c (processes that take the pid of one
 * that has ended), holder-bus.c (D-Bus).
 */

#include <stdbool.h>
#include <sys/types.h>

/* --- holder.c */

/* Says how it was asked to give back, and does what its kind does then. */
void be_asked(const char *how);
/* Whatever this process, and nobody else, has of the files. */
void close_devices(void);
void close_files(void);

/* --- holder-places.c: each sees to it that the files are where its name says. */

void hand_to_child(char ***arguments);
void hand_to_many_children(char ***arguments);
void hand_to_thread(char ***arguments);
void hand_to_mapping(char ***arguments);
void send_away(char ***arguments);
void receive(char ***arguments);
void leave_in_flight(char ***arguments);
void take_out_of_flight(void);
/* The devices from where leave_in_flight() has left them, if it has. */
void take_in(void);

/* --- holder-successor.c */

void hold_in_two_children(char ***arguments);
void hold_in_vanishing_children(char ***arguments);
/* Looks after children that have ended. */
void reap_children(void);

/* --- holder-bus.c */

/* Listens for ReleaseRequested of the lease in $VFIOD_LEASE, as the connection that has its files.
 */
void bus_listen(void);
/* -1 without bus_listen(). */
int bus_fd(void);
void bus_dispatch(void);

/* Asks vfiod for a sign of life every 100 ms until SIGTERM, and says how long the longest took. */
int ping_until_told(void);
