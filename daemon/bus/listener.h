/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket at which clients without a bus arrive, and how many of them may stay. */

#include "daemon/bus/bus-private.h"

/* Takes over the socket, which listens, also when it fails. */
int listener_add(Bus *bus, int fd);

/* Makes one there; -EADDRINUSE: somebody listens there already. It is gone with the listener. */
int listener_add_path(Bus *bus, const char *path);

/* The connections of peers go on. Accepts NULL; returns NULL. */
Listener *listener_free(Listener *listener);

DEFINE_TRIVIAL_CLEANUP(Listener *, listener_free, NULL);
