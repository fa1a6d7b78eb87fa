/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests that are right, and too many: sent without waiting for answers, or with answers that
 * nobody reads. A connection that is hung up is opened again.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hostile.h"
#include "vfio-files.h"

typedef struct Flood {
        const char *member;
        const char *signature;
        uint8_t flags;
        Packet body;
        unsigned long window; /* how many are in flight */
        unsigned long sent, answered, refused, connections;
} Flood;

/* Sends until the window is full, or the other end takes no more for now. */
static bool send_more(Flood *f, int fd, Packet *packet, size_t *at, unsigned long in_flight) {
        for (; in_flight < f->window && !stop; in_flight++) {
                if (*at == packet->size) {
                        packet_call(packet, f->flags, (uint32_t)(f->sent % 0x7fffffff) + 2,
                                    f->member, f->signature, &f->body);
                        *at = 0;
                }
                if (wire_send_some(fd, packet, at) < 0)
                        return false;
                /* More than it takes cannot be in flight. */
                if (*at < packet->size)
                        break;
                f->sent++;
        }
        at_it();
        return true;
}

/* All that is there. */
static bool receive(Flood *f, int fd, Inbox *inbox) {
        Received received;
        int r;

        while ((r = inbox_next(fd, inbox, 0, &received)) == 1) {
                f->answered += received.type == RETURN;
                f->refused += received.type == ERROR;
        }
        return r == 0;
}

static bool keep_full(Flood *f, int fd, Packet *packet, Inbox *inbox) {
        unsigned long before = f->sent - f->answered - f->refused;
        size_t at = packet->size;

        while (!stop) {
                unsigned long in_flight = f->sent - f->answered - f->refused - before;
                struct pollfd ready = {.fd = fd, .events = POLLIN};

                if (!send_more(f, fd, packet, &at, in_flight))
                        return false;
                if (at < packet->size)
                        ready.events |= POLLOUT;
                (void)poll(&ready, 1, 1000);
                if (!receive(f, fd, inbox))
                        return false;
        }
        return true;
}

static void flood_once(Flood *f) {
        Packet packet = PACKET_NULL;
        Inbox inbox = {0};
        int fd = wire_open_at_last();

        if (fd < 0)
                return;
        f->connections++;
        (void)keep_full(f, fd, &packet, &inbox);
        close(fd);
        packet_done(&packet);
        packet_done(&inbox.data);
}

/* flood METHOD WINDOW [TARGET]: Overview, Explain, Acquire with a person to be asked, ... */
void harm_flood(char **arguments) {
        Flood f = {.member = next_argument(&arguments, "the method")};
        const char *target;

        f.window = parse_number(next_argument(&arguments, "how many in flight"));
        target = *arguments;
        if (strcmp(f.member, "Acquire") == 0) {
                f.signature = "asa{sv}";
                f.flags = ALLOW_INTERACTIVE;
                packet_strings(&f.body, target);
                packet_no_options(&f.body);
        } else if (target) {
                f.signature = "as";
                packet_strings(&f.body, target);
        }
        while (!stop)
                flood_once(&f);
        printf("%lu requests sent, %lu answered, %lu refused, on %lu connections\n", f.sent,
               f.answered, f.refused, f.connections);
        packet_done(&f.body);
}

static void get_fds(Packet *p, uint32_t serial, const char *path) {
        Header header = {
                .type = CALL,
                .serial = serial,
                .path = path,
                .interface = "org.vfiod1.Lease",
                .member = "GetFds",
                .destination = NAME,
                .signature = "uu",
        };
        Packet body = PACKET_NULL;

        packet_u32(&body, 0);
        packet_u32(&body, 0);
        packet_message(p, &header, &body);
        packet_done(&body);
}

/* Asks, until it is hung up or the harm ends, and reads nothing. */
static unsigned long ask_for_files(int fd, const char *path, unsigned long wanted) {
        unsigned long sent = 0;
        Packet call = PACKET_NULL;
        size_t at = 0;

        while (!stop) {
                struct pollfd writable = {.fd = fd, .events = POLLOUT};

                if (at == call.size && sent < wanted) {
                        get_fds(&call, (uint32_t)++sent + 2, path);
                        at = 0;
                }
                if (at < call.size && wire_send_some(fd, &call, &at) < 0)
                        break;
                if (sent == wanted || at < call.size) {
                        at_it();
                        /* Nobody takes more: then there is only to wait, unread. */
                        (void)poll(&writable, 1, 100);
                        if (writable.revents & (POLLERR | POLLHUP))
                                break;
                }
        }
        packet_done(&call);
        return sent;
}

/*
 * unread LEASE N: asks N times for the files of a lease of this user's, by its path, on a
 * connection that is never read from, and again on the next one when that is hung up.
 */
void harm_unread(char **arguments) {
        const char *path = next_argument(&arguments, "the lease");
        unsigned long wanted = parse_number(next_argument(&arguments, "how often")), sent = 0;
        unsigned long connections = 0;
        int fd;

        while ((fd = wire_open_at_last()) >= 0) {
                connections++;
                sent += ask_for_files(fd, path, wanted);
                close(fd);
        }
        printf("files asked for %lu times on %lu connections, and not read\n", sent, connections);
}
