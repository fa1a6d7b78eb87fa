/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is no proper message: half of one, too much of one, one with a byte changed anywhere, and
 * ones that say of themselves what is not so. Whoever receives that may hang up; then the next
 * connection follows.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hostile.h"
#include "vfio-files.h"

#define HALVES_MAX 64
#define FDS_A_BYTE 250
/* Less than what sd-bus takes at most (BUS_MESSAGE_SIZE_MAX is 128 MiB), and dbus-daemon. */
#define HUGE_MIB_AT_SOCKET 127
#define HUGE_MIB_ON_BUS 31

/* A call that a body of `size` bytes follows, only said. */
static void huge_call(Packet *p, uint32_t size, uint32_t n_fds) {
        Header header = {
                .type = CALL,
                .serial = 2,
                .path = MANAGER_PATH,
                .interface = MANAGER,
                .member = "Explain",
                .destination = NAME,
                .signature = "as",
                .n_fds = n_fds,
        };

        packet_message(p, &header, NULL);
        memcpy(p->data + 4, &size, sizeof(size));
}

/* A byte of the message at a time, each with as many files as fit. */
static unsigned long feed_half(int fd, const Packet *p) {
        unsigned long fds = 0;

        for (size_t at = 0; at + 1 < p->size && !stop; at++) {
                ssize_t n = wire_send_fds(fd, p->data + at, 1, FDS_A_BYTE);

                if (n == 1) {
                        fds += FDS_A_BYTE;
                        continue;
                }
                /* Files may be refused where bytes are not. */
                if (n < 0 && (errno == EPERM || errno == ETOOMANYREFS))
                        n = wire_send_fds(fd, p->data + at, 1, 0);
                if (n != 1)
                        break;
        }
        return fds;
}

/* halves: connections that each stop in the middle of a message with very many files. */
void harm_halves(char **arguments) {
        unsigned long fds = 0, connections = 0;
        int open[HALVES_MAX];
        Packet p = PACKET_NULL;

        (void)arguments;
        for (size_t i = 0; i < HALVES_MAX; i++)
                open[i] = -1;
        huge_call(&p, 1 << 20, 16);
        for (size_t i = 0; !stop; i = (i + 1) % HALVES_MAX) {
                if (open[i] >= 0)
                        close(open[i]);
                open[i] = wire_open_at_last();
                if (open[i] < 0)
                        break;
                connections++;
                fds += feed_half(open[i], &p);
                if (i + 1 == HALVES_MAX)
                        at_it();
        }
        packet_done(&p);
        printf("%lu files sent in %lu halves of messages\n", fds, connections);
}

/* huge: messages that are as long as can be, sent as long as somebody takes them. */
void harm_huge(char **arguments) {
        uint32_t size = over_bus ? HUGE_MIB_ON_BUS : HUGE_MIB_AT_SOCKET;
        unsigned long mib = 0, connections = 0;
        Packet start = PACKET_NULL, more = PACKET_NULL;
        static const uint8_t zeros[65536];
        int fd;

        (void)arguments;
        huge_call(&start, size << 20, 0);
        for (size_t i = 0; i < MIB / sizeof(zeros); i++)
                packet_append(&more, zeros, sizeof(zeros));
        while ((fd = wire_open_at_last()) >= 0) {
                connections++;
                if (wire_send(fd, &start))
                        /* One short: then it is never whole. */
                        for (unsigned i = 0; i < size - 1 && wire_send(fd, &more); i++)
                                mib++;
                close(fd);
                at_it();
        }
        packet_done(&start);
        packet_done(&more);
        printf("%lu MiB sent on %lu connections\n", mib, connections);
}

/* One to four bytes become others; sometimes the end is missing, and the next one follows at once.
 */
static void mutate(Packet *p, unsigned *seed) {
        for (int n = rand_r(seed) % 4; n >= 0; n--)
                p->data[(size_t)rand_r(seed) % p->size] = (uint8_t)rand_r(seed);
        if (rand_r(seed) % 8 == 0)
                p->size -= (size_t)rand_r(seed) % p->size;
}

/* Planning changes nothing, whatever comes of its arguments. */
static void make_mutant(Packet *p, unsigned long turn) {
        static unsigned seed = 1;
        Packet body = PACKET_NULL;

        packet_string(&body, "acquire");
        packet_strings(&body, "0000:01:00.0");
        packet_no_options(&body);
        packet_call(p, 0, (uint32_t)turn % 0x7fffffff + 2, "Plan", "sasa{sv}", &body);
        mutate(p, &seed);
        packet_done(&body);
}

/* mutants: calls with bytes changed. */
void harm_mutants(char **arguments) {
        (void)arguments;
        pester(make_mutant, 500, "mutants");
}

/* What vfiod would believe if it believed messages. */
static const Header forgeries[] = {
        /* The sender is somebody else, by a name that may be anybody's. */
        {.type = CALL,
         .path = MANAGER_PATH,
         .interface = MANAGER,
         .member = "ListLeases",
         .sender = ":1.0"},
        {.type = CALL,
         .path = MANAGER_PATH,
         .interface = MANAGER,
         .member = "ListLeases",
         .sender = "org.freedesktop.PolicyKit1"},
        /* An answer to a question of vfiod's: polkit's "yes", or the bus's about a caller. */
        {.type = RETURN, .sender = "org.freedesktop.PolicyKit1", .signature = "(bba{ss})"},
        {.type = ERROR, .sender = "org.freedesktop.DBus"},
        /* Somebody has left the bus; the connection is over. */
        {.type = SIGNAL,
         .path = "/org/freedesktop/DBus",
         .interface = "org.freedesktop.DBus",
         .member = "NameOwnerChanged",
         .sender = "org.freedesktop.DBus",
         .signature = "sss"},
        {.type = SIGNAL,
         .path = "/org/freedesktop/DBus/Local",
         .interface = "org.freedesktop.DBus.Local",
         .member = "Disconnected"},
        /* A call of nothing. */
        {.type = CALL, .path = "/", .member = "Release"},
};

static void append_forged_body(Packet *body, const Header *h, unsigned long turn) {
        char name[16];

        if (h->type == RETURN) {
                packet_u32(body, 1);
                packet_u32(body, 0);
                packet_no_options(body);
        } else if (h->type == SIGNAL && h->signature) {
                /* Names are counted up: one of them is the bystander's. */
                snprintf(name, sizeof(name), ":1.%lu", turn % 64);
                packet_string(body, name);
                packet_string(body, name);
                packet_string(body, "");
        }
}

static void make_forgery(Packet *p, unsigned long turn) {
        Header h = forgeries[turn % (sizeof(forgeries) / sizeof(forgeries[0]))];
        Packet body = PACKET_NULL;

        h.destination = NAME;
        h.serial = (uint32_t)turn % 0x7fffffff + 2;
        /* Serials are counted up from 1: each is guessed sometime. */
        if (h.type == RETURN || h.type == ERROR)
                h.reply_serial = (uint32_t)turn % 4096 + 1;
        append_forged_body(&body, &h, turn);
        packet_message(p, &h, &body);
        packet_done(&body);
}

/* forged: headers that say what is not so. */
void harm_forged(char **arguments) {
        (void)arguments;
        pester(make_forgery, 500, "forgeries");
}
