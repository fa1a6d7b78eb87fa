/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Peer-to-peer D-Bus (sd_bus_set_server(3)): EXTERNAL authentication only, which proves nothing but
 * that the client can connect; who it is, is read from its socket. Whoever may not have another
 * connection is told so, by the error of its first call, as long as only a few are being told.
 */

#include "daemon/bus/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/bus/caller.h"
#include "daemon/bus/hurry.h"
#include "daemon/bus/socket-options.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

#define SOCKET_UMASK 0117
#define BACKLOG 64

/* Who is turned away costs little, and a turn of the event loop much more. */
#define TURNED_AWAY_AT_ONCE 16

/* Until somebody has closed something. */
#define PAUSE_USEC (1000 * 1000)

struct Listener {
        Bus *bus;
        char *path; /* ours, to be unlinked; NULL for none */
        sd_event_source *io;
        sd_event_source *pause;
};

/* With what may have been sent already. */
static void close_in_a_hurry(const int *fd) {
        if (*fd < 0)
                return;
        hurry_begin();
        (void)fd_close(*fd);
        hurry_end();
}

int bus_add_peer(Bus *bus, int fd) {
        _cleanup_(close_in_a_hurry) int owned = fd;
        sd_bus *sd = NULL;
        sd_id128_t id;
        uid_t uid;
        int r;

        r = peer_read_uid(owned, &uid);
        if (r >= 0 && bus_turns_away(bus, uid))
                r = -EUSERS;
        if (r >= 0)
                r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_new(&sd);
        if (r >= 0)
                r = sd_bus_set_fd(sd, owned, owned);
        if (r >= 0)
                (void)TAKE_FD(owned);
        if (r >= 0)
                r = sd_bus_set_server(sd, true, id);
        if (r >= 0)
                r = sd_bus_negotiate_fds(sd, true);
        if (r >= 0)
                r = sd_bus_set_sender(sd, VFIOD_BUS_NAME);
        if (r >= 0)
                r = sd_bus_start(sd);
        if (r >= 0)
                r = bus_add_connection(bus, sd, false);
        sd_bus_unref(sd);
        return r;
}

static int on_pause_over(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Listener *listener = userdata;

        return sd_event_source_set_enabled(listener->io, SD_EVENT_ON);
}

/* Without room for another file, the one who waits would be reported for ever. */
static void pause_listening(Listener *listener) {
        (void)sd_event_source_set_enabled(listener->io, SD_EVENT_OFF);
        (void)sd_event_source_set_time(listener->pause, clock_now(CLOCK_MONOTONIC) + PAUSE_USEC);
        (void)sd_event_source_set_enabled(listener->pause, SD_EVENT_ONESHOT);
}

static int accept_one(Bus *bus, int fd) {
        int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        return peer < 0 ? -errno : bus_add_peer(bus, peer);
}

static int on_arrival(sd_event_source *source _unused_, int fd, uint32_t events _unused_,
                      void *userdata) {
        Listener *listener = userdata;
        int r = -EUSERS;

        for (size_t i = 0; i < TURNED_AWAY_AT_ONCE && r == -EUSERS; i++)
                r = accept_one(listener->bus, fd);
        if (r == -EMFILE || r == -ENFILE || r == -ENOBUFS || r == -ENOMEM)
                pause_listening(listener);
        return 0;
}

/* Files are kept out from the first byte on, where the kernel can (Linux 6.16; inherited by what is
 * accepted). */
static void keep_files_out(int fd) {
        static const int no = 0;

        (void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
}

/* `fd` becomes the source's, on success. */
static int watch(Listener *listener, int fd) {
        sd_event *event = listener->bus->event;
        int r;

        r = sd_event_add_time(event, &listener->pause, CLOCK_MONOTONIC, 0, 0, on_pause_over,
                              listener);
        if (r >= 0)
                r = sd_event_source_set_enabled(listener->pause, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_io(event, &listener->io, fd, EPOLLIN, on_arrival, listener);
        return r < 0 ? r : sd_event_source_set_io_fd_own(listener->io, true);
}

int listener_add(Bus *bus, int fd) {
        _cleanup_close_ int owned = fd;
        _cleanup_(listener_freep) Listener *listener = NULL;
        int r;

        if (bus->listener)
                return -EBUSY;
        r = sd_is_socket_unix(owned, SOCK_STREAM, 1, NULL, 0);
        if (r <= 0)
                return r < 0 ? r : -ENOTSOCK;
        listener = calloc(1, sizeof(Listener));
        if (!listener)
                return -ENOMEM;
        listener->bus = bus;
        keep_files_out(owned);
        /* Systemd's need not be non-blocking; who has left again must not be waited for. */
        r = fcntl(owned, F_SETFL, O_NONBLOCK) < 0 ? -errno : watch(listener, owned);
        if (r < 0)
                return r;
        (void)TAKE_FD(owned);
        bus->listener = TAKE_PTR(listener);
        return 0;
}

static int set_address(const char *path, struct sockaddr_un *ret) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        (void)strcpy(address.sun_path, path);
        *ret = address;
        return 0;
}

/* What an earlier vfiod has left behind; never what another one listens at, or another file. */
static int remove_stale(const struct sockaddr_un *address) {
        _cleanup_close_ int fd = -EBADF;
        struct stat status;

        if (lstat(address->sun_path, &status) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(status.st_mode))
                return -EEXIST;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
            errno != ECONNREFUSED)
                return -EADDRINUSE;
        return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int listen_at(const struct sockaddr_un *address) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        mode_t before;
        int r;

        if (fd < 0)
                return -errno;
        before = umask(SOCKET_UMASK);
        r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
        (void)umask(before);
        if (r >= 0 && listen(fd, BACKLOG) < 0)
                r = -errno;
        return r < 0 ? r : TAKE_FD(fd);
}

int listener_add_path(Bus *bus, const char *path) {
        struct sockaddr_un address;
        int r;

        r = set_address(path, &address);
        if (r >= 0)
                r = remove_stale(&address);
        if (r >= 0)
                r = listen_at(&address);
        if (r >= 0)
                r = listener_add(bus, r);
        return r < 0 ? r : string_set(&bus->listener->path, path);
}

Listener *listener_free(Listener *listener) {
        if (!listener)
                return NULL;
        sd_event_source_disable_unref(listener->io);
        sd_event_source_disable_unref(listener->pause);
        if (listener->path)
                (void)unlink(listener->path);
        free(listener->path);
        free(listener);
        return NULL;
}
