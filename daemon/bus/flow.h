/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Files on their way to receivers that may not read them. They are the kernel's to keep until then,
 * on the daemon's account; and dbus-daemon stops reading from whoever has sent too many, which
 * would be the end of vfiod for everybody else.
 */

#include "daemon/bus/call.h"

/* Answers with a reply of call->n_files files, at once or when there is room, or refuses, and frees
 * the call. */
void flow_send(Call *call, sd_bus_message *reply);

void flow_init(Bus *bus);

/* A lease or a group is not what it was: what waits is for some of them not to be had any more. */
void flow_recheck(Bus *bus);

/* The bus has gone, and all that it keeps. No call is waiting. */
void flow_forget_bus(Bus *bus);
