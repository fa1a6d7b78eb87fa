/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/limit.h"

#include <inttypes.h>

static uint64_t count_peers(const Connection *except, bool of_uid) {
        uint64_t n = 0;

        list_for_each(link, &except->bus->connections) {
                const Connection *connection = container_of(link, Connection, link);

                n += connection != except && connection->is_peer && !connection->surplus &&
                     (!of_uid || connection->peer.caller.uid == except->peer.caller.uid);
        }
        return n;
}

RefusalKind limit_connection(const Connection *connection, Refusal *refusal) {
        const Config *config = &broker_world(connection->bus->broker)->config;
        uid_t uid = connection->peer.caller.uid;

        if (uid != 0 && count_peers(connection, true) >= config->limit_connections_per_uid)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "uid %u has %" PRIu64 " connections to the socket, the limit "
                              "(limits.connections_per_uid); close one",
                              uid, config->limit_connections_per_uid);
        if (count_peers(connection, false) >= config->limit_connections)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "%" PRIu64 " connections are at the socket, the limit "
                              "(limits.connections); try again, or use the system bus",
                              config->limit_connections);
        return REFUSAL_NONE;
}
