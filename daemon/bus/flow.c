/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is sent counts until it is known to be read. A peer has read everything when nothing is left
 * in the socket (SIOCOUTQ) and in our queue. Of a receiver on the bus, dbus-daemon tells how many
 * files it keeps for it (org.freedesktop.DBus.Debug.Stats, for root); it is asked only when what
 * was sent since it was asked last would be too much. Several calls may be asking at a time: what
 * was sent after a question is not in its answer. A bus that does not tell, such as
 * dbus-broker, is taken to do the limiting itself: that one does not stop reading.
 */

#include "daemon/bus/flow.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "daemon/bus/unread-files.h"
#include "daemon/util/string.h"

/* A connection on the bus that was sent files. */
typedef struct Receiver {
        char name[sizeof((Caller){0}.name)];
        uid_t uid;
        UnreadFiles files;
        List link; /* Bus.receivers */
} Receiver;

/* How many files of replies are unread, if this one is sent too. */
typedef struct Unread {
        uint64_t of_uid;
        uint64_t in_all;
} Unread;

typedef struct Question {
        Call *call;
        char name[sizeof((Caller){0}.name)]; /* of the receiver */
        uint64_t mark;
} Question;

static RefusalKind check(const Call *call, const Unread *unread, uint64_t most_of_uid,
                         uint64_t most, const char *prefix, Refusal *refusal) {
        uid_t uid = call->request.caller.uid;

        if (uid != 0 && unread->of_uid > most_of_uid)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "uid %u would have %" PRIu64 " files that it has not read, the limit "
                              "is %" PRIu64
                              " (limits.%sfds_in_flight_per_uid); read what was sent, "
                              "or fetch fewer at once",
                              uid, unread->of_uid, most_of_uid, prefix);
        if (unread->in_all > most)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "%" PRIu64 " files would be on their way to clients, the limit is "
                              "%" PRIu64 " (limits.%sfds_in_flight); try again",
                              unread->in_all, most, prefix);
        return REFUSAL_NONE;
}

/* The last word, whether it can be sent or not. The kernel counts too (unix(7), ETOOMANYREFS). */
static void deliver(Call *call, sd_bus_message *reply) {
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
        Unread unread = {.of_uid = call->n_files, .in_all = call->n_files};
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        list_for_each(link, &call->bus->connections) {
                Connection *connection = container_of(link, Connection, link);

                refresh_peer(connection);
                unread.in_all += connection->files_unread;
                if (connection->peer.caller.uid == call->request.caller.uid)
                        unread.of_uid += connection->files_unread;
        }
        if (check(call, &unread, config->limit_fds_in_flight_per_uid, config->limit_fds_in_flight,
                  "", &refusal)) {
                call_reply_refusal(call, &refusal);
                return;
        }
        call->connection->files_unread += call->n_files;
        deliver(call, reply);
}

static Receiver *find_receiver(const Bus *bus, const char *name) {
        list_for_each(link, &bus->receivers) {
                Receiver *receiver = container_of(link, Receiver, link);

                if (strcmp(receiver->name, name) == 0)
                        return receiver;
        }
        return NULL;
}

static void forget(Bus *bus, Receiver *receiver) {
        unread_files_forget(&receiver->files, &bus->files_seen);
        list_remove(&receiver->link);
        free(receiver);
}

void flow_forget_all(Bus *bus) {
        list_for_each_safe(link, &bus->receivers)
                forget(bus, container_of(link, Receiver, link));
}

static int count_sent(const Call *call) {
        const Caller *caller = &call->request.caller;
        Receiver *receiver = find_receiver(call->bus, caller->name);

        if (!receiver) {
                receiver = calloc(1, sizeof(Receiver));
                if (!receiver)
                        return -ENOMEM;
                (void)snprintf(receiver->name, sizeof(receiver->name), "%s", caller->name);
                receiver->uid = caller->uid;
                receiver->files = unread_files_new(call->bus->files_seen);
                list_insert(&call->bus->receivers, &receiver->link);
        }
        unread_files_sent(&receiver->files, call->n_files);
        return 0;
}

static RefusalKind check_bus(const Call *call, Refusal *refusal) {
        const Config *config = &broker_world(call->bus->broker)->config;
        Unread unread = {.of_uid = call->n_files, .in_all = call->n_files};

        if (call->bus->bus_does_not_tell)
                return REFUSAL_NONE;
        list_for_each(link, &call->bus->receivers) {
                const Receiver *receiver = container_of(link, Receiver, link);

                unread.in_all += receiver->files.at_most;
                if (receiver->uid == call->request.caller.uid)
                        unread.of_uid += receiver->files.at_most;
        }
        return check(call, &unread, config->limit_bus_fds_in_flight_per_uid,
                     config->limit_bus_fds_in_flight, "bus_", refusal);
}

static void send_over_bus(Call *call) {
        int r = count_sent(call);

        if (r < 0)
                call_reply_errno(call, r);
        else
                deliver(call, call->reply);
}

static int on_told(sd_bus_message *reply, void *userdata, sd_bus_error *error);

/* One after the other, in the order in which they were sent files. */
static int ask_about(Call *call, const Receiver *receiver) {
        Question *question = calloc(1, sizeof(Question));
        int r;

        if (!question)
                return -ENOMEM;
        question->call = call;
        question->mark = unread_files_mark(&receiver->files);
        (void)memcpy(question->name, receiver->name, sizeof(question->name));
        r = sd_bus_call_method_async(call->connection->sd, &call->question, "org.freedesktop.DBus",
                                     "/org/freedesktop/DBus", "org.freedesktop.DBus.Debug.Stats",
                                     "GetConnectionStats", on_told, question, "s", receiver->name);
        if (r < 0)
                free(question);
        else
                (void)sd_bus_slot_set_destroy_callback(call->question, free);
        return r;
}

static void ask_or_refuse(Call *call, const List *link, const Refusal *refusal) {
        if (link == &call->bus->receivers ||
            ask_about(call, container_of(link, Receiver, link)) < 0)
                call_reply_refusal(call, refusal);
}

/* a{sv}: the number of files that the bus keeps for a connection; -ENODATA where it does not say.
 */
static int read_files(sd_bus_message *reply, uint32_t *ret) {
        const char *key;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read(reply, "s", &key);
                if (r >= 0 && strcmp(key, "OutgoingFDs") == 0)
                        return sd_bus_message_read(reply, "v", "u", ret);
                if (r >= 0)
                        r = sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r < 0 ? r : -ENODATA;
}

static void note(Bus *bus, sd_bus_message *reply, const Question *question, Receiver *receiver) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        uint32_t kept = 0;

        if (error ? !sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER)
                  : read_files(reply, &kept) < 0)
                bus->bus_does_not_tell = true;
        else
                unread_files_told(&receiver->files, question->mark, kept);
}

static int on_told(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const Question *question = userdata;
        Call *call = question->call;
        Receiver *receiver = find_receiver(call->bus, question->name);
        const List *next = receiver ? receiver->link.next : call->bus->receivers.next;
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (receiver)
                note(call->bus, reply, question, receiver);
        if (receiver && receiver->files.at_most == 0)
                forget(call->bus, receiver);
        call->question = sd_bus_slot_unref(call->question);
        if (!call->connection)
                call_free(call);
        else if (check_bus(call, &refusal))
                ask_or_refuse(call, next, &refusal);
        else
                send_over_bus(call);
        return 0;
}

void flow_send(Call *call, sd_bus_message *reply) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (call->connection->is_peer) {
                send_to_peer(call, reply);
                return;
        }
        call->reply = sd_bus_message_ref(reply);
        if (check_bus(call, &refusal))
                ask_or_refuse(call, call->bus->receivers.next, &refusal);
        else
                send_over_bus(call);
}
