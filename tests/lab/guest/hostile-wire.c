/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections for hostile.c: the sockets, authentication, and what comes back. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hostile.h"
#include "vfio-files.h"

#define BUS_ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define SOCKET_PATH "/run/vfiod/socket"
#define ANSWER_TIMEOUT_MS 60000
/* Whoever does not take another client says so, or says nothing. */
#define LINE_TIMEOUT_MS 5000
#define FDS_MAX 253
#define PER_CONNECTION 100
/* The fixed part of a message's header. */
#define START_SIZE 16

/* Where libvfiod would look for it. */
static const char *path_of_vfiod(void) {
        const char *address = getenv("DBUS_SYSTEM_BUS_ADDRESS"), *path = getenv("VFIOD_SOCKET");

        if (over_bus)
                return strchr(address ? address : BUS_ADDRESS, '/');
        return path ? path : SOCKET_PATH;
}

int wire_connect(void) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                die("socket: %m");
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path_of_vfiod());
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
                close(fd);
                return -1;
        }
        return fd;
}

static bool send_text(int fd, const char *text, size_t size) {
        return send(fd, text, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* One line of an answer, to its "\r\n"; what follows it is left for others. */
static bool receive_line(int fd, const char *expected) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        char line[256], *end;

        do {
                ssize_t n;

                if (poll(&readable, 1, LINE_TIMEOUT_MS) != 1)
                        return false;
                n = recv(fd, line, sizeof(line) - 1, MSG_PEEK);
                if (n <= 0)
                        return false;
                line[n] = '\0';
                end = strstr(line, "\r\n");
        } while (!end);
        return recv(fd, line, (size_t)(end + 2 - line), 0) > 0 &&
               strncmp(line, expected, strlen(expected)) == 0;
}

static bool authenticate(int fd) {
        char uid[16], line[64];
        int n;

        n = snprintf(uid, sizeof(uid), "%u", (unsigned)getuid());
        /* The first byte of a connection is a NUL. */
        line[0] = '\0';
        strcpy(line + 1, "AUTH EXTERNAL ");
        for (int i = 0; i < n; i++)
                sprintf(line + 15 + 2 * i, "%02x", (unsigned char)uid[i]);
        strcat(line + 1, "\r\n");
        return send_text(fd, line, 1 + strlen(line + 1)) && receive_line(fd, "OK ") &&
               send_text(fd, "NEGOTIATE_UNIX_FD\r\n", 19) && receive_line(fd, "AGREE_UNIX_FD") &&
               send_text(fd, "BEGIN\r\n", 7);
}

static bool say_hello(int fd) {
        Header hello = {
                .type = CALL,
                .serial = 1,
                .path = "/org/freedesktop/DBus",
                .interface = "org.freedesktop.DBus",
                .member = "Hello",
                .destination = "org.freedesktop.DBus",
        };
        Packet call = PACKET_NULL, reply = PACKET_NULL;
        bool ok;

        packet_message(&call, &hello, NULL);
        ok = wire_call(fd, &call, 1, &reply) == 0;
        packet_done(&call);
        packet_done(&reply);
        return ok;
}

int wire_open(void) {
        int fd = wire_connect();

        if (fd < 0)
                return -1;
        if (authenticate(fd) && (!over_bus || say_hello(fd)))
                return fd;
        close(fd);
        return -1;
}

int wire_open_at_last(void) {
        int fd = -1;

        while (!stop && (fd = wire_open()) < 0)
                usleep(1000);
        return fd;
}

int wire_send_some(int fd, const Packet *p, size_t *at) {
        ssize_t n = send(fd, p->data + *at, p->size - *at, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -1;
        *at += (size_t)n;
        return 0;
}

bool wire_send(int fd, const Packet *p) {
        size_t at = 0;

        while (at < p->size && !stop) {
                struct pollfd writable = {.fd = fd, .events = POLLOUT};

                if (wire_send_some(fd, p, &at) < 0)
                        return false;
                if (at < p->size)
                        (void)poll(&writable, 1, -1);
        }
        return !stop;
}

ssize_t wire_send_fds(int fd, const void *data, size_t size, unsigned n) {
        union {
                struct cmsghdr align;
                char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
        } control = {0};
        struct iovec vector = {.iov_base = (void *)data, .iov_len = size};
        struct msghdr m = {.msg_iov = &vector, .msg_iovlen = 1};
        int fds[FDS_MAX] = {0};

        if (n > 0) {
                struct cmsghdr *c = (struct cmsghdr *)control.space;

                m.msg_control = control.space;
                m.msg_controllen = CMSG_SPACE(n * sizeof(int));
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(n * sizeof(int));
                memcpy(CMSG_DATA(c), fds, n * sizeof(int));
        }
        return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void close_received(struct msghdr *m) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
                for (size_t at = 0; CMSG_LEN(at) < c->cmsg_len; at += sizeof(int)) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
                        close(fd);
                }
}

/* 1 for something, 0 for nothing now, -1 for the end. */
static int fill(int fd, Inbox *inbox) {
        static char buffer[65536];
        union {
                struct cmsghdr align;
                char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
        } control;
        struct iovec vector = {.iov_base = buffer, .iov_len = sizeof(buffer)};
        struct msghdr m = {
                .msg_iov = &vector,
                .msg_iovlen = 1,
                .msg_control = control.space,
                .msg_controllen = sizeof(control),
        };
        ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -1;
        close_received(&m);
        packet_append(&inbox->data, buffer, (size_t)n);
        return n == 0 ? -1 : 1;
}

static uint32_t read_u32(const uint8_t *at) {
        uint32_t value;

        memcpy(&value, at, sizeof(value));
        return value;
}

/* The field REPLY_SERIAL, where it is: of the fields of a reply all others are texts. */
static uint32_t reply_serial_of(const uint8_t *message, size_t fields_end) {
        for (size_t at = START_SIZE; at + 8 <= fields_end;) {
                const uint8_t *field = message + at;

                if (field[0] == 5)
                        return read_u32(field + 4);
                if (field[2] == 'u')
                        at += 8;
                else if (field[2] == 'g')
                        at += 6 + (size_t)field[4];
                else
                        at += 9 + read_u32(field + 4);
                at = (at + 7) / 8 * 8;
        }
        return 0;
}

/* SIZE_MAX while even that is not known. */
static size_t message_size(const uint8_t *message, size_t available, size_t *ret_body_at) {
        if (available < START_SIZE)
                return SIZE_MAX;
        *ret_body_at = (START_SIZE + (size_t)read_u32(message + 12) + 7) / 8 * 8;
        return *ret_body_at + read_u32(message + 4);
}

static bool take(Inbox *inbox, Received *ret) {
        const uint8_t *message = inbox->data.data + inbox->at;
        size_t available = inbox->data.size - inbox->at, body_at = 0;
        size_t size = message_size(message, available, &body_at);

        if (size > available)
                return false;
        *ret = (Received){
                .type = message[1],
                .reply_serial = reply_serial_of(message, START_SIZE + read_u32(message + 12)),
                .body = message + body_at,
                .size = size - body_at,
        };
        inbox->at += size;
        return true;
}

static void forget_taken(Inbox *inbox) {
        inbox->data.size -= inbox->at;
        memmove(inbox->data.data, inbox->data.data + inbox->at, inbox->data.size);
        inbox->at = 0;
}

int inbox_next(int fd, Inbox *inbox, int timeout_ms, Received *ret) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};

        while (!take(inbox, ret)) {
                int r;

                if (inbox->at > 0)
                        forget_taken(inbox);
                r = fill(fd, inbox);
                if (r < 0)
                        return -1;
                if (r == 0 && poll(&readable, 1, timeout_ms) != 1)
                        return 0;
        }
        return 1;
}

int wire_call(int fd, const Packet *call, uint32_t serial, Packet *ret_body) {
        Inbox inbox = {0};
        Received received;
        int r = wire_send(fd, call) ? 0 : -1;

        ret_body->size = 0;
        while (r == 0) {
                if (inbox_next(fd, &inbox, ANSWER_TIMEOUT_MS, &received) != 1)
                        r = -1;
                else if (received.type != SIGNAL && received.reply_serial == serial) {
                        r = received.type == RETURN ? 0 : -1;
                        packet_append(ret_body, received.body, received.size);
                        break;
                }
        }
        packet_done(&inbox.data);
        return r;
}

/* All that is there; a moment is left for the answer, or for being hung up. */
static bool read_all(int fd, Inbox *inbox) {
        Received received;
        int r;

        do
                r = inbox_next(fd, inbox, 1, &received);
        while (r == 1);
        return r == 0;
}

/* Few enough to be on many connections: what follows a message that promises more is taken for the
 * rest of it. */
static unsigned long pester_once(int fd, Make make, unsigned long turn) {
        Packet p = PACKET_NULL;
        Inbox inbox = {0};
        unsigned long sent = 0;

        do
                make(&p, turn + sent++);
        while (wire_send(fd, &p) && read_all(fd, &inbox) && sent < PER_CONNECTION);
        packet_done(&p);
        packet_done(&inbox.data);
        return sent;
}

void pester(Make make, unsigned long enough, const char *what) {
        unsigned long sent = 0, connections = 0;
        int fd;

        while ((fd = wire_open_at_last()) >= 0) {
                connections++;
                sent += pester_once(fd, make, sent);
                close(fd);
                if (sent >= enough)
                        at_it();
        }
        printf("%lu %s sent on %lu connections\n", sent, what, connections);
}
