/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A turn of a peer's connection:
 *   1. What has come is looked at before sd-bus reads it. Files end the connection: no method takes
 *      any, and sd-bus gathers those of an unfinished message without limit. So does a message
 *      above limits.message_bytes.
 *   2. sd-bus does one step: reads, dispatches, or writes what is queued.
 *   3. Again in the next turn, until there is nothing to do: what is in sd-bus's buffer wakes
 *      nobody. After each step the others have their turn, so that who sends much waits for
 *      itself: the system bus, with polkit's answers for everybody, has no more than one either.
 * Nothing is read from a client that is behind (is_behind()). A connection that is doomed goes at
 * the end of its turn, when sd-bus has left it.
 */

#include "daemon/bus/pump.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "daemon/bus/bus-private.h"
#include "daemon/bus/hurry.h"
#include "daemon/bus/socket-options.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define LOOK_SIZE 16384
#define SEND_BUFFER (256 * 1024)

/*
 * Looks at what has come since the last look (SO_PEEK_OFF): how much it is, and whether there are
 * files with it, which a receiver that has no room for control messages is told by MSG_CTRUNC. One
 * look ends in front of the next files.
 */
static int look(int fd, uint64_t *received) {
        char buffer[LOOK_SIZE];
        struct iovec vector = {.iov_base = buffer, .iov_len = sizeof(buffer)};
        ssize_t n;

        do {
                struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};

                n = recvmsg(fd, &header, MSG_PEEK | MSG_DONTWAIT);
                if (n >= 0 && header.msg_flags & MSG_CTRUNC)
                        return -EPERM;
                if (n > 0)
                        *received += (uint64_t)n;
        } while (n == sizeof(buffer));
        return 0;
}

static bool is_acceptable(Connection *connection) {
        Pump *pump = &connection->pump;
        const Config *config = &broker_world(connection->bus->broker)->config;

        if (look(pump->fd, &pump->received) < 0)
                return false;
        return pump->received <= config->limit_message_bytes;
}

/*
 * Nothing is read from a client that does not read, nor from one that has as many calls waiting as
 * its uid may have: it could only be refused, and would ask again. Nothing is queued for a client
 * that authenticates: it has asked for nothing, and signals are not for it yet (bus-event.c).
 */
static bool is_behind(const Connection *connection) {
        const Config *config = &broker_world(connection->bus->broker)->config;
        uint64_t queued;

        return connection->n_calls >= config->limit_requests_per_uid ||
               (sd_bus_get_n_queued_write(connection->sd, &queued) >= 0 && queued > 0);
}

/* Files that come after the look, sd-bus closes. The hurry is over when a message is whole, so that
 * no method's handler is disturbed. */
static int step(Connection *connection) {
        int r;

        if (!is_acceptable(connection))
                return -EPERM;
        hurry_begin();
        r = sd_bus_process(connection->sd, NULL);
        hurry_end();
        return r;
}

static void run(Connection *connection, bool writable) {
        int r = 0;

        if (!connection->doomed && (writable || !is_behind(connection)))
                r = step(connection);
        if (r < 0)
                connection->doomed = true;
        if (connection->doomed)
                (void)connection_free(connection);
        else if (r > 0)
                pump_soon(&connection->pump);
}

static int on_io(sd_event_source *source _unused_, int fd _unused_, uint32_t events,
                 void *userdata) {
        run(userdata, events & (EPOLLOUT | EPOLLHUP | EPOLLERR));
        return 0;
}

static bool has_not_authenticated(const Connection *connection) {
        return sd_bus_is_ready(connection->sd) <= 0 &&
               clock_now(CLOCK_MONOTONIC) >= connection->pump.authenticate_until;
}

static int on_timer(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Connection *connection = userdata;

        connection->pump.soon = false;
        if (has_not_authenticated(connection))
                connection->doomed = true;
        run(connection, false);
        return 0;
}

static void set_timer(Pump *pump, uint64_t usec) {
        (void)sd_event_source_set_time(pump->timer, usec);
        (void)sd_event_source_set_enabled(pump->timer, SD_EVENT_ONESHOT);
}

void pump_soon(Pump *pump) {
        pump->soon = true;
        set_timer(pump, 0);
}

/* An authenticated connection that has nothing to do wakes nobody. */
static void prepare_timer(const Connection *connection, Pump *pump) {
        if (pump->soon)
                return;
        if (sd_bus_is_ready(connection->sd) > 0)
                (void)sd_event_source_set_enabled(pump->timer, SD_EVENT_OFF);
        else
                set_timer(pump, pump->authenticate_until);
}

static int on_prepare(sd_event_source *source, void *userdata) {
        Connection *connection = userdata;
        int events = sd_bus_get_events(connection->sd);
        bool behind = is_behind(connection);

        /* It is closing, or has a message at hand, which may have to wait. */
        if (events < 0 || (events == 0 && !behind) || connection->doomed) {
                pump_soon(&connection->pump);
                events = 0;
        }
        if (behind)
                events &= ~EPOLLIN;
        prepare_timer(connection, &connection->pump);
        return sd_event_source_set_io_events(source, (uint32_t)events);
}

void pump_message(Pump *pump) {
        hurry_end();
        pump->received = 0;
}

void pump_stop(Pump *pump) {
        pump->io = sd_event_source_disable_unref(pump->io);
        pump->timer = sd_event_source_disable_unref(pump->timer);
        hurry_begin();
        pump->fd = fd_close(pump->fd);
        hurry_end();
}

/*
 * The file that is watched is a duplicate: sd-bus closes its own before anybody else knows that it
 * is closing, and what a worker has inherited at that moment would keep the event loop watching it.
 * It is not the source's own: one that is at work would close it later, and in no hurry.
 */
static int watch(Connection *connection, int fd) {
        Pump *pump = &connection->pump;
        int r;

        pump->fd = fd_duplicate(fd);
        if (pump->fd < 0)
                return pump->fd;
        r = sd_event_add_io(connection->bus->event, &pump->io, pump->fd, EPOLLIN, on_io,
                            connection);
        return r < 0 ? r : sd_event_source_set_prepare(pump->io, on_prepare);
}

/*
 * Where the kernel can, it keeps files out; else the look finds them. The look must not take
 * credentials for files, and what a client does not read is bounded by the buffer, which sd-bus has
 * made a big one.
 */
static void guard(int fd) {
        static const struct {
                int option, value;
        } options[] = {
                {SO_PASSRIGHTS, 0}, {SO_PASSPIDFD, 0},        {SO_PASSCRED, 0},
                {SO_PEEK_OFF, 0},   {SO_SNDBUF, SEND_BUFFER},
        };

        for (size_t i = 0; i < ELEMENTS(options); i++)
                (void)setsockopt(fd, SOL_SOCKET, options[i].option, &options[i].value,
                                 sizeof(options[i].value));
}

int pump_start(Connection *connection) {
        const Config *config = &broker_world(connection->bus->broker)->config;
        Pump *pump = &connection->pump;
        int r, fd = sd_bus_get_fd(connection->sd);

        if (fd < 0)
                return fd;
        guard(fd);
        pump->authenticate_until =
                clock_now(CLOCK_MONOTONIC) + config->limit_authentication_ms * 1000;
        r = sd_event_add_time(connection->bus->event, &pump->timer, CLOCK_MONOTONIC,
                              pump->authenticate_until, 0, on_timer, connection);
        return r < 0 ? r : watch(connection, fd);
}
