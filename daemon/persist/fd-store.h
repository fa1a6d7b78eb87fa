/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The service manager's store of files (sd_pid_notify_with_fds(3), FDSTORE): what is in it outlives
 * us and is given to the next vfiod. The manager has a file of its own of each, so that a device in
 * it stays open: it is taken out before anything is closed. Where no manager listens everything
 * here does nothing, successfully.
 *
 * Names: at most 255 printable ASCII characters without ':'. A file that is in the store already,
 * under whatever name, is not stored again (same_fd(), systemd's src/core/service.c).
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

/* Whether somebody listens to us. */
bool fd_store_is_there(void);

/* How many files it takes: what systemd says ($FDSTORE, since 254), else what vfiod.service asks
 * for. */
size_t fd_store_max(void);

/* Both only send: whether the manager had room for it shows at the next start. */
int fd_store_put(const char *name, int fd);
int fd_store_remove(const char *name);

typedef struct FdStoreBarrier FdStoreBarrier;
typedef void (*FdStoreReached)(void *userdata);

/*
 * Calls `reached` from the event loop when the manager has done what was sent before, or after a
 * few seconds in which it has not. The barrier is freed by then.
 */
int fd_store_barrier(sd_event *event, FdStoreReached reached, void *userdata, FdStoreBarrier **ret);

/* Forgets it. Accepts NULL; returns NULL. */
FdStoreBarrier *fd_store_barrier_free(FdStoreBarrier *barrier);
