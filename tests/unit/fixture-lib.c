/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/unit/fixture-lib.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

/* Sanitisers on a busy machine are slow. */
#define PATIENCE_MS 30000

Client client_start(const Script *script) {
        static const int none[2] = {-1, -1};
        Client client = {0};

        client.daemon = daemon_start(script, none, &client.address, &client.log);
        ck_assert_int_eq(vfiod_connection_new(&client.c), 0);
        ck_assert_int_eq(script->peer ? vfiod_connection_open_socket(client.c, client.address)
                                      : vfiod_connection_open(client.c, client.address),
                         0);
        return client;
}

const char *client_leave(Client *client) {
        char buffer[4096];
        ssize_t n;
        int status;

        client->c = vfiod_connection_free(client->c);
        ck_assert_int_eq(waitpid(client->daemon, &status, 0), client->daemon);
        client->daemon = 0;
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the scripted daemon failed");
        while ((n = read(client->log, buffer, sizeof(buffer) - 1)) > 0) {
                buffer[n] = '\0';
                ck_assert_int_ge(string_append(&client->heard, "%s", buffer), 0);
        }
        return string_or_empty(client->heard);
}

void client_done(Client *client) {
        if (client->daemon > 0)
                (void)client_leave(client);
        client->log = fd_close(client->log);
        free(client->address);
        free(client->heard);
}

void client_process_until(const Client *client, const bool *done) {
        while (!*done) {
                struct pollfd fd = {.fd = vfiod_connection_get_fd(client->c), .events = POLLIN};

                ck_assert_int_eq(poll(&fd, 1, PATIENCE_MS), 1);
                ck_assert_int_eq(vfiod_connection_process(client->c), 0);
        }
}
