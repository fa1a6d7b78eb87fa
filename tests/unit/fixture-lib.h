/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A connection of libvfiod to the scripted daemon. */

#include "client/lib/lib-private.h"
#include "tests/unit/fixture-daemon.h"

typedef struct Client {
        vfiod_connection *c;
        pid_t daemon;
        int log;
        char *address;
        char *heard; /* by the daemon, once the client has left */
} Client;

#define TARGETS(...) ((const char *const[]){__VA_ARGS__, NULL})

Client client_start(const Script *script);

/* Hangs up, and waits for the daemon; then `heard` is complete. */
const char *client_leave(Client *client);
void client_done(Client *client);

/* Processes until *done, or fails after a while. */
void client_process_until(const Client *client, const bool *done);

#define _cleanup_client_ _cleanup_(client_done)

/* What failed, by errno and name. */
#define assert_failed(client, r, expected, name)                                                   \
        do {                                                                                       \
                ck_assert_int_eq((r), -(expected));                                                \
                ck_assert_str_eq(vfiod_error_name((client)->c), (name));                           \
                ck_assert_ptr_nonnull(vfiod_error_message((client)->c));                           \
        } while (0)
