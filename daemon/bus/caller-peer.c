/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who is at the other end of a socket: whoever called connect(2), even if it has passed the
 * connection on (unix(7), SO_PEERCRED). Its uid is certain for as long as the connection lasts. Its
 * process is pinned by a pidfd: SO_PEERPIDFD (Linux 6.5) is of the very process; without it the
 * number may have gone to another process between connect(2) and here, which then is taken for the
 * caller, under the caller's uid.
 */

#include "daemon/bus/caller.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "daemon/bus/socket-options.h"
#include "daemon/kernel/process.h"
#include "daemon/util/fd.h"

static int open_peer(int socket, pid_t pid) {
        int fd = -EBADF;
        socklen_t size = sizeof(fd);

        if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) == 0)
                return fd;
        return errno == ENOPROTOOPT ? process_open(pid) : -errno;
}

bool peer_is_alive(const Peer *peer) {
        struct pollfd end = {.fd = peer->pidfd, .events = POLLIN};

        return peer->pidfd >= 0 && poll(&end, 1, 0) == 0;
}

static int read_credentials(int socket, struct ucred *ret) {
        socklen_t size = sizeof(*ret);

        return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, ret, &size) < 0 ? -errno : 0;
}

int peer_read_uid(int socket, uid_t *ret) {
        struct ucred credentials;
        int r = read_credentials(socket, &credentials);

        if (r >= 0)
                *ret = credentials.uid;
        return r;
}

int peer_identify(const Bus *bus, int socket, uint64_t number, Peer *ret) {
        struct ucred credentials;
        Peer peer = PEER_NULL;
        int r = read_credentials(socket, &credentials);

        if (r < 0)
                return r;
        peer.caller.uid = credentials.uid;
        peer.caller.pid = credentials.pid;
        (void)snprintf(peer.caller.name, sizeof(peer.caller.name), "peer-%lu",
                       (unsigned long)number);
        /* A process of a namespace that we do not see has no number here. */
        if (peer.caller.pid > 0)
                peer.pidfd = open_peer(socket, peer.caller.pid);
        if (peer.pidfd >= 0)
                broker_identify(bus->broker, &peer.caller);
        /* While it lives, the number is its own, and so is what was read by it. */
        if (!peer_is_alive(&peer)) {
                peer_done(&peer);
                peer.caller.start_time = 0;
        }
        *ret = peer;
        return 0;
}

void peer_done(Peer *peer) {
        peer->pidfd = fd_close(peer->pidfd);
}
