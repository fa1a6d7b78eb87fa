/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The service manager, as far as its store of files goes (sd_pid_notify_with_fds(3)): it listens at
 * NOTIFY_SOCKET, keeps what it is sent, and gives copies of it to the next vfiod.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

void manager_start(sd_event *event);
void manager_stop(void);

/* The names in the store, ordered, blanks between them. Allocated. */
char *manager_names(void);
/* Forgets a file, as a manager without room does. */
void manager_lose(const char *name);
/* Has a file of its own under this name; a copy is made. */
void manager_have(const char *name, int fd);
/* Does not answer barriers until told to again. */
void manager_hold_barriers(bool hold);

/* Copies of all files, one after the other from the fd returned on, as sd_listen_fds(3) has them;
 * *ret_names is the caller's. */
int manager_hand_over(char ***ret_names);
