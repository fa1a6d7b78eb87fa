/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/limit.h"

#include <inttypes.h>

#include "daemon/util/string.h"

/*
 * Nobody is shut out by others: who has none of what a total limits is let through above it, until
 * there is twice as much, since one user may have thousands of uids (subuid(5)). Root always is.
 */
static bool is_full(uid_t uid, uint64_t own, uint64_t all, uint64_t total) {
        return uid != 0 && all >= (own > 0 ? total : 2 * total);
}

static bool is_counted(const Connection *connection, const Connection *itself) {
        return connection != itself && connection->is_peer && !connection->surplus;
}

static uint64_t count_peers(const Bus *bus, const Connection *itself) {
        uint64_t n = 0;

        list_for_each(link, &bus->connections)
                n += is_counted(container_of(link, Connection, link), itself);
        return n;
}

static uint64_t count_peers_of(const Bus *bus, uid_t uid, const Connection *itself) {
        uint64_t n = 0;

        list_for_each(link, &bus->connections) {
                const Connection *connection = container_of(link, Connection, link);

                n += is_counted(connection, itself) && connection->peer.caller.uid == uid;
        }
        return n;
}

RefusalKind limit_connection(const Bus *bus, uid_t uid, const Connection *itself,
                             Refusal *refusal) {
        const Config *config = &broker_world(bus->broker)->config;
        uint64_t own = count_peers_of(bus, uid, itself);

        if (uid != 0 && own >= config->limit_connections_per_uid)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "uid %u has %" PRIu64 " connections to the socket, the limit "
                              "(limits.connections_per_uid); close one",
                              uid, config->limit_connections_per_uid);
        if (is_full(uid, own, count_peers(bus, itself), config->limit_connections))
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "%" PRIu64 " connections are at the socket, the limit "
                              "(limits.connections); try again, or use the system bus",
                              config->limit_connections);
        return REFUSAL_NONE;
}

/* Before the bus has said who sends, it may be root: more than a program sends at once, and little.
 * Those who are known already are in nobody's way for them. */
#define UNKNOWN_MAX 128U

typedef bool (*CallCounts)(const Call *call, const Call *other);

/* Calls other than this one. */
static uint64_t count_calls(const Call *call, CallCounts counts) {
        uint64_t n = 0;

        list_for_each(link, &call->bus->calls) {
                const Call *other = container_of(link, Call, link);

                n += other != call && counts(call, other);
        }
        return n;
}

static bool is_unknown(const Call *call _unused_, const Call *other) {
        return other->request.caller.uid == (uid_t)-1;
}

static bool is_known(const Call *call, const Call *other) {
        return !is_unknown(call, other);
}

static bool is_of_uid(const Call *call, const Call *other) {
        return other->request.caller.uid == call->request.caller.uid;
}

static bool is_unknown_of_sender(const Call *call, const Call *other) {
        return is_unknown(call, other) && other->message &&
               string_equal(sd_bus_message_get_sender(other->message),
                            sd_bus_message_get_sender(call->message));
}

RefusalKind limit_unknown(const Call *call, Refusal *refusal) {
        const Config *config = &broker_world(call->bus->broker)->config;
        uint64_t own = count_calls(call, is_unknown_of_sender);

        if (own >= UNKNOWN_MAX)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "%u calls of this connection came before the bus had said whose it "
                              "is; try again",
                              UNKNOWN_MAX);
        if (is_full((uid_t)-1, own, count_calls(call, is_unknown), config->limit_requests))
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "too many calls wait for the bus to say whose they are "
                              "(limits.requests); try again");
        return REFUSAL_NONE;
}

RefusalKind limit_request(const Call *call, Refusal *refusal) {
        const Config *config = &broker_world(call->bus->broker)->config;
        uid_t uid = call->request.caller.uid;
        uint64_t own = count_calls(call, is_of_uid);

        if (uid != 0 && own >= config->limit_requests_per_uid)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "uid %u has %" PRIu64 " calls waiting, the limit "
                              "(limits.requests_per_uid); try again",
                              uid, config->limit_requests_per_uid);
        if (is_full(uid, own, count_calls(call, is_known), config->limit_requests))
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "%" PRIu64 " calls are waiting, the limit (limits.requests); try "
                              "again",
                              config->limit_requests);
        return REFUSAL_NONE;
}

RefusalKind limit_question(const Call *call, Refusal *refusal) {
        const Config *config = &broker_world(call->bus->broker)->config;
        const PolkitLine *line = &call->bus->line;
        uid_t uid = call->request.caller.uid;
        uint64_t own = polkit_line_count(line, uid);

        if (own >= config->limit_questions_per_uid)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "uid %u has %" PRIu64 " questions waiting for polkit, the limit "
                              "(limits.questions_per_uid); try again",
                              uid, config->limit_questions_per_uid);
        if (is_full(uid, own, polkit_line_count_all(line), config->limit_questions))
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "%" PRIu64 " questions wait for polkit, the limit "
                              "(limits.questions); try again",
                              config->limit_questions);
        return REFUSAL_NONE;
}
