/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where vfiod is: on the system bus, on a bus at an address, or behind its private socket, where
 * the same objects are spoken with directly. The socket is taken unasked only where there is no
 * system bus, which means that nothing listens where it should be. Any other failure of the bus is
 * one to be told: the socket has another way to say who may use it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "client/lib/lib-private.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

#define SYSTEM_BUS_ADDRESS "unix:path=/run/dbus/system_bus_socket"

static int open_bus(vfiod_connection *c, const char *address) {
        sd_bus *bus;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, 1);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        return connection_start(c, bus);
}

/*
 * sd-bus would not wait for a place in the listener's queue, which may be full for a moment. Not
 * for ever either, where nobody takes connections out of it.
 */
static int wait_no_longer_than(int fd, uint64_t timeout_ms) {
        struct timeval timeout = {
                .tv_sec = (time_t)(timeout_ms / 1000),
                .tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000),
        };

        return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ? -errno : 0;
}

static int connect_to(const char *path, uint64_t timeout_ms) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        r = wait_no_longer_than(fd, timeout_ms);
        while (r >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                if (errno != EINTR)
                        r = -errno;
        return r < 0 ? r : TAKE_FD(fd);
}

/* No bus client: neither Hello nor match rules are for the other end. */
static int open_peer(vfiod_connection *c, const char *path) {
        _cleanup_close_ int fd = connect_to(path, c->timeout_ms);
        sd_bus *bus;
        int r;

        if (fd < 0)
                return fd;
        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_fd(bus, fd, fd);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        (void)TAKE_FD(fd);
        return connection_start(c, bus);
}

static void explain_bus(vfiod_connection *c, const char *name, int r) {
        sd_bus_error_setf(&c->error, SD_BUS_ERROR_NO_SERVER, "%s cannot be reached: %s", name,
                          strerror(-r));
}

static void explain_socket(vfiod_connection *c, const char *path, int r) {
        switch (r) {
        case -EACCES:
                sd_bus_error_setf(&c->error, SD_BUS_ERROR_ACCESS_DENIED,
                                  "%s is for root and members of the group " VFIOD_SOCKET_GROUP,
                                  path);
                return;
        case -ENOENT:
        case -ECONNREFUSED:
                sd_bus_error_setf(&c->error, SD_BUS_ERROR_NO_SERVER,
                                  "nobody listens at %s: is vfiod.socket started?", path);
                return;
        case -EAGAIN:
                sd_bus_error_setf(&c->error, SD_BUS_ERROR_TIMEOUT,
                                  "vfiod takes no connection at %s: too many are waiting", path);
                return;
        default:
                sd_bus_error_setf(&c->error, SD_BUS_ERROR_NO_SERVER, "%s cannot be reached: %s",
                                  path, strerror(-r));
        }
}

static const char *default_socket(void) {
        const char *path = secure_getenv(VFIOD_SOCKET_VARIABLE);

        return string_is_empty(path) ? VFIOD_SOCKET_PATH : path;
}

static int open_socket(vfiod_connection *c, const char *path) {
        int r = open_peer(c, path);

        /* It may be gone before the first word. */
        if (r == -EPIPE || r == -ECONNRESET)
                return connection_explain_end(c);
        if (r < 0)
                explain_socket(c, path, r);
        return r;
}

/* What the socket's sentence says is about the second choice. */
static void explain_both(vfiod_connection *c, const char *bus_sentence) {
        sd_bus_error both = SD_BUS_ERROR_NULL;

        sd_bus_error_setf(&both, c->error.name, "%s; %s", bus_sentence, c->error.message);
        sd_bus_error_free(&c->error);
        c->error = both;
}

/* sd-bus says ECONNREFUSED of addresses that it does not understand as well. */
static bool there_is_no_bus(const char *address, int r) {
        return (r == -ENOENT || r == -ECONNREFUSED) && string_after(address, "unix:");
}

static int open_default(vfiod_connection *c) {
        const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
        _cleanup_free_ char *bus_sentence = NULL;
        int r;

        if (!address)
                address = SYSTEM_BUS_ADDRESS;
        r = open_bus(c, address);
        if (r >= 0)
                return r;
        explain_bus(c, "The system bus", r);
        if (!there_is_no_bus(address, r))
                return r;
        bus_sentence = strdup(string_or_empty(c->error.message));
        if (!bus_sentence)
                return -ENOMEM;
        sd_bus_error_free(&c->error);
        r = open_socket(c, default_socket());
        if (r < 0)
                explain_both(c, bus_sentence);
        return r;
}

int vfiod_connection_open(vfiod_connection *c, const char *address) {
        int r;

        connection_begin(c);
        if (c->bus)
                return connection_end(c, -EISCONN);
        if (!address)
                return connection_end(c, open_default(c));
        r = open_bus(c, address);
        if (r < 0)
                explain_bus(c, address, r);
        return connection_end(c, r);
}

int vfiod_connection_open_socket(vfiod_connection *c, const char *path) {
        connection_begin(c);
        if (c->bus)
                return connection_end(c, -EISCONN);
        return connection_end(c, open_socket(c, path ? path : default_socket()));
}
