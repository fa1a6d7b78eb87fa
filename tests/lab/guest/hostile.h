/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the ways of harm share (hostile.c): connections to vfiod that follow no library's rules, and
 * D-Bus messages made by hand, because no library makes the ones that are meant here. Whatever is
 * no part of the harm and fails ends the program.
 */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MANAGER "org.vfiod1.Manager"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define MANAGER_PATH "/org/vfiod1"
#define NAME "org.vfiod1"

/* Set by SIGTERM: the harm ends, and says what it has done. */
extern volatile sig_atomic_t stop;
/* Whether vfiod is reached over the system bus, or through its socket. */
extern bool over_bus;

/* Says once that the harm is being done. */
void at_it(void);

/* --- messages (hostile-message.c) */

typedef struct Packet {
        uint8_t *data;
        size_t size;
        size_t capacity;
} Packet;

#define PACKET_NULL {NULL, 0, 0}

enum { CALL = 1, RETURN = 2, ERROR = 3, SIGNAL = 4 };
#define ALLOW_INTERACTIVE 0x4

/* What is NULL or 0 is not in the header. */
typedef struct Header {
        uint8_t type;
        uint8_t flags;
        uint32_t serial;
        uint32_t reply_serial;
        uint32_t n_fds;
        const char *path;
        const char *interface;
        const char *member;
        const char *destination;
        const char *sender;
        const char *signature;
} Header;

void packet_done(Packet *p);
void packet_append(Packet *p, const void *data, size_t size);
void packet_align(Packet *p, size_t alignment);
void packet_u32(Packet *p, uint32_t value);
void packet_string(Packet *p, const char *text);
/* An array of one string, or of none for NULL; an a{sv} that is empty, or has one string. */
void packet_strings(Packet *p, const char *text);
void packet_no_options(Packet *p);
void packet_option(Packet *p, const char *key, const char *value);

/* A whole message; *p is emptied first. `body` may be NULL. */
void packet_message(Packet *p, const Header *header, const Packet *body);
/* A call of a method of the manager, or of GetManagedObjects. */
void packet_call(Packet *p, uint8_t flags, uint32_t serial, const char *member,
                 const char *signature, const Packet *body);

/* --- connections (hostile-wire.c) */

/* A socket that has connected, and has said nothing; -1 with errno when that is refused. */
int wire_connect(void);
/* Authenticated, and on the bus with a name; -1 when that is refused, or the other end hangs up. */
int wire_open(void);

/* The same, tried until it succeeds; -1 when the harm ends before. */
int wire_open_at_last(void);

/* Waits for a place; false when the other end has hung up. */
bool wire_send(int fd, const Packet *p);
/* As much as there is place for now; -1 when the other end has hung up. `at` moves on. */
int wire_send_some(int fd, const Packet *p, size_t *at);
/* `size` bytes with `n` copies of stdin; the sendmsg() of it. */
ssize_t wire_send_fds(int fd, const void *data, size_t size, unsigned n);

/* What has arrived and was not looked at. Zero it first. */
typedef struct Inbox {
        Packet data;
        size_t at; /* behind the message given out last */
} Inbox;

typedef struct Received {
        uint8_t type;
        uint32_t reply_serial;
        const uint8_t *body; /* valid until the next one is received */
        size_t size;
} Received;

/*
 * The next message: 1, or 0 for none now (or none at all, after waiting for `timeout_ms`), or -1
 * when the other end has hung up. Files that come with it are closed.
 */
int inbox_next(int fd, Inbox *inbox, int timeout_ms, Received *ret);

/*
 * Sends message after message, as `make` fills them in, on a connection that is opened again
 * whenever it is hung up. Says so when `enough` were sent and, in the end, how many.
 */
typedef void (*Make)(Packet *p, unsigned long turn);
void pester(Make make, unsigned long enough, const char *what);

/* Sends, and waits for the answer, which is copied: its body, or -1 for an error or hanging up. */
int wire_call(int fd, const Packet *call, uint32_t serial, Packet *ret_body);

/* --- the harms */

typedef void (*Harm)(char **arguments);

/* hostile-flood.c */
void harm_flood(char **arguments);
void harm_unread(char **arguments);
/* hostile-malformed.c */
void harm_halves(char **arguments);
void harm_huge(char **arguments);
void harm_mutants(char **arguments);
void harm_forged(char **arguments);
/* hostile-states.c */
void harm_connections(char **arguments);
void harm_deaths(char **arguments);
void harm_signals(char **arguments);
