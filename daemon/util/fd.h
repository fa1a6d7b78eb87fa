/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Ownership of file descriptors. An fd variable that holds none is -EBADF; every fd of ours is
 * close-on-exec from birth.
 */

#include <errno.h>
#include <stddef.h>

#include "daemon/util/cleanup.h"

/* Closes a valid fd, ignores a negative one; errno is kept. Returns -EBADF. */
int fd_close(int fd);

/* A close-on-exec duplicate above the standard streams, or -errno. */
int fd_duplicate(int fd);

/* One SOCK_SEQPACKET message of `size` bytes with at most one fd (-EBADF for none; borrowed). */
int fd_send(int socket, const void *data, size_t size, int fd);

/*
 * The counterpart. Returns the size received, 0 at end-of-file, or -errno; -EAGAIN when there is
 * nothing yet. *ret_fd is -EBADF when the message brought none; the caller owns it.
 */
int fd_receive(int socket, void *data, size_t size, int *ret_fd);

static inline void fd_closep(int *fd) {
        *fd = fd_close(*fd);
}

#define _cleanup_close_ _cleanup_(fd_closep)

#define TAKE_FD(fd)                                                                                \
        ({                                                                                         \
                int _taken = (fd);                                                                 \
                (fd) = -EBADF;                                                                     \
                _taken;                                                                            \
        })
