/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is sent counts until it is known to be read. A peer has read everything when nothing is left
 * in the socket (SIOCOUTQ) and in our queue. The bus is flow-bus.c's.
 */

#include "daemon/bus/flow.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "daemon/bus/flow-private.h"

bool flow_is_within(const Call *call, const Unread *unread, const Unread *most) {
        return (call->request.caller.uid == 0 || unread->of_uid <= most->of_uid) &&
               unread->in_all <= most->in_all;
}

void flow_refuse(Call *call, const Unread *unread, const Unread *most, const char *prefix) {
        uid_t uid = call->request.caller.uid;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (uid != 0 && unread->of_uid > most->of_uid)
                (void)refuse(&refusal, REFUSAL_LIMIT_EXCEEDED,
                             "uid %u would have %" PRIu64 " files that it has not read, the limit "
                             "is %" PRIu64 " (limits.%sfds_in_flight_per_uid); read what was sent, "
                             "or fetch fewer at once",
                             uid, unread->of_uid, most->of_uid, prefix);
        else
                (void)refuse(&refusal, REFUSAL_LIMIT_EXCEEDED,
                             "%" PRIu64 " files would be on their way to clients, the limit is "
                             "%" PRIu64 " (limits.%sfds_in_flight); try again",
                             unread->in_all, most->in_all, prefix);
        call_reply_refusal(call, &refusal);
}

/* The kernel counts too (unix(7), ETOOMANYREFS). */
void flow_deliver(Call *call, sd_bus_message *reply) {
        int r = sd_bus_send(call->connection->sd, reply, NULL);
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (r == -ETOOMANYREFS) {
                (void)refuse(&refusal, REFUSAL_LIMIT_EXCEEDED,
                             "the kernel keeps as many unread files for vfiod as it may (its "
                             "RLIMIT_NOFILE); try again");
                call_reply_refusal(call, &refusal);
        } else if (r < 0)
                call_reply_errno(call, r);
        else
                call_free(call);
}

static void refresh_peer(Connection *connection) {
        uint64_t queued;
        int unread;

        if (connection->files_unread == 0 ||
            sd_bus_get_n_queued_write(connection->sd, &queued) < 0 || queued > 0)
                return;
        if (ioctl(connection->pump.fd, SIOCOUTQ, &unread) == 0 && unread == 0)
                connection->files_unread = 0;
}

static void send_to_peer(Call *call, sd_bus_message *reply) {
        const Config *config = &broker_world(call->bus->broker)->config;
        const Unread most = {.of_uid = config->limit_fds_in_flight_per_uid,
                             .in_all = config->limit_fds_in_flight};
        Unread unread = {.of_uid = call->n_files, .in_all = call->n_files};

        list_for_each(link, &call->bus->connections) {
                Connection *connection = container_of(link, Connection, link);

                refresh_peer(connection);
                unread.in_all += connection->files_unread;
                if (connection->peer.caller.uid == call->request.caller.uid)
                        unread.of_uid += connection->files_unread;
        }
        if (!flow_is_within(call, &unread, &most)) {
                flow_refuse(call, &unread, &most, "");
                return;
        }
        call->connection->files_unread += call->n_files;
        flow_deliver(call, reply);
}

void flow_send(Call *call, sd_bus_message *reply) {
        if (call->connection->is_peer)
                send_to_peer(call, reply);
        else
                flow_send_over_bus(call, reply);
}
