/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the bus tests have in common: a fake machine, the real broker and bus layer on it, and
 * clients at the other ends of socket pairs, all on one event loop and in one thread. There is no
 * bus daemon; a client is whoever its socket pair was made by (SO_PEERCRED). Each test runs in a
 * process of its own and must end with as many open files as it began with.
 */

#include <check.h>
#include <systemd/sd-bus.h>

#include "daemon/bus/bus.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/bus/fake-machine.h"

typedef sd_bus_message Message;

static inline _unused_ void message_unrefp(Message **m) {
        sd_bus_message_unref(*m);
}
#define _cleanup_message_ _unused_ _cleanup_(message_unrefp)

typedef struct Client {
        sd_bus *bus;
        char **signals; /* "MEMBER PATH CONTENTS", as render() writes the contents */
        bool closed;
} Client;

/* Checked fixture of every test case. */
void fixture_setup(void);
void fixture_teardown(void);

/* The test case of a file, with the fixture and a generous timeout; and main()'s last word. */
TCase *bus_tests_new(const char *name);
int bus_tests_run(TCase *tests);

/* Of the running broker, for limits and deadlines. */
Config *fixture_config(void);
Bus *fixture_bus(void);
Broker *fixture_broker(void);
/* vfiod ends; its clients are disconnected. Another one begins with what is handed to it. */
void fixture_stop(void);
void fixture_start(int directory, char *const *names, int first_fd);
sd_event *fixture_event(void);

Client *client_new(void);
/* Of another uid, or one that takes no fds. */
Client *client_new_as(uid_t uid);
Client *client_new_without_fds(void);
/* Of a process that made the connection, passed it on and is no more. */
Client *client_new_of_ended_process(uid_t uid);
/* Both ends of a bare connection that `uid` has made; the first is for bus_add_peer(). */
void make_pair(uid_t uid, int ends[2]);
/* Leaves; the fixture frees it. */
void client_close(Client *client);

/* One turn of the loop. Ends the test when it has gone on for far too long. */
void turn(void);
/* Turns until there is nothing more to do for now. */
void settle(void);
#define wait_until(condition)                                                                      \
        do {                                                                                       \
                while (!(condition))                                                               \
                        turn();                                                                    \
        } while (0)

/* For so long, whatever happens. */
void turn_for(uint64_t usec);

/* Calls and waits for the reply, whatever it is. The caller owns it. */
Message *ask(Client *client, const char *path, const char *interface, const char *member,
             const char *types, ...);
/* The same of org.vfiod1.Manager. */
Message *manager(Client *client, const char *member, const char *types, ...);
/* Of org.vfiod1.Lease, at the path. */
Message *lease(Client *client, const char *path, const char *member, const char *types, ...);
/* Calls the manager and does not wait; *reply is set when the reply comes, and the caller's. */
void begin(Client *client, Message **reply, const char *member, const char *types, ...);
/* The same of any object. */
void begin_at_object(Client *client, Message **reply, const char *path, const char *interface,
                     const char *member, const char *types, ...);
/* One property, rendered without the variant. Allocated. */
char *property(Client *client, const char *path, const char *interface, const char *name);
char *device_property(Client *client, const char *device, const char *name);
char *group_property(Client *client, uint32_t group, const char *name);

/* All that is left of a message as text: "x" 1 true [..] (..) {..: ..} <..> fd. Allocated. */
char *render(Message *m);

/* Judgements of replies. A subject must be in the sentence. */
void expect_done(Message *reply);
void expect_error(Message *reply, const char *name, const char *subject);
/* The short name of an org.vfiod1.Error. */
void expect_refusal(Message *reply, const char *name, const char *subject);
/* The rendered reply, or the text, has the part. */
void expect_text(Message *reply, const char *part);
void expect_part(const char *text, const char *part);
/* A property of a lease. */
void expect_lease(Client *client, const char *path, const char *name, const char *value);
/* Of a device of the fake machine; "" for none. */
void expect_driver(const char *device, const char *driver);
/* How often the client got such a signal: every part occurs in it; NULL parts count as there. */
size_t count_signals(const Client *client, const char *member, const char *path, const char *part);

/* What Acquire, Add and GetFds hand over. Owns the fds. */
typedef struct Grant {
        char *path;
        int lease_fd;
        struct {
                char *kind;
                char *name;
                int fd;
        } files[300];
        size_t n_files;
        uint32_t total; /* GetFds */
} Grant;

/* Acquire's reply taken apart; the message is freed. */
Grant grant_of(Message *reply);
Grant grant_of_files(Message *reply);
/* "container:,group:2,device:0000:01:00.0". Allocated. */
char *grant_text(const Grant *grant);
void expect_files(const Grant *grant, const char *files);
int grant_file(const Grant *grant, const char *kind, const char *name);
void grant_done(Grant *grant);
#define _cleanup_grant_ _unused_ _cleanup_(grant_done)

size_t count_open_fds(void);
/* So many, once the processes that vfiod works with have ended; within some seconds. */
void expect_open_fds(size_t n);
/* Whether both are the same open file (kcmp). */
bool same_file(int a, int b);
char *device_object(const char *name);
