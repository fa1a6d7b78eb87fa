/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Of a receiver on the bus, dbus-daemon tells how many files it keeps for it
 * (org.freedesktop.DBus.Debug.Stats, for root). It is asked only when what was sent since it was
 * asked last would be too much: about one receiver after the other, again and again while replies
 * wait for room. They wait a few seconds, since many who ask at once, as after a restart, read what
 * they get; and those of one who does not read are refused then. A bus that does not tell, such as
 * dbus-broker, is taken to do the limiting itself: that one does not stop reading.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/bus/bus-grant.h"
#include "daemon/bus/bus-stats.h"
#include "daemon/bus/flow-patience.h"
#include "daemon/bus/flow-private.h"
#include "daemon/bus/flow.h"
#include "daemon/bus/unread-files.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

/* Between the end of one round of questions and the next. */
#define PAUSE_USEC (20 * 1000ULL)

/* A connection on the bus that was sent files. */
typedef struct Receiver {
        Bus *bus;
        char name[sizeof((Caller){0}.name)];
        uid_t uid;
        UnreadFiles files;
        uint64_t mark; /* of the question about it */
        List link;     /* Delivery.receivers */
} Receiver;

static void ask_from(Bus *bus, const List *link);

void flow_init(Bus *bus) {
        list_init(&bus->delivery.receivers);
        list_init(&bus->delivery.waiting);
}

static void forget(Receiver *receiver) {
        list_remove(&receiver->link);
        free(receiver);
}

static void forget_receivers(Bus *bus) {
        list_for_each_safe(link, &bus->delivery.receivers)
                forget(container_of(link, Receiver, link));
}

void flow_forget_bus(Bus *bus) {
        Delivery *delivery = &bus->delivery;

        delivery->question = sd_bus_slot_unref(delivery->question);
        delivery->pause = sd_event_source_disable_unref(delivery->pause);
        forget_receivers(bus);
}

static Receiver *find_receiver(const Bus *bus, const char *name) {
        list_for_each(link, &bus->delivery.receivers) {
                Receiver *receiver = container_of(link, Receiver, link);

                if (strcmp(receiver->name, name) == 0)
                        return receiver;
        }
        return NULL;
}

static int count_sent(const Call *call) {
        const Caller *caller = &call->request.caller;
        Receiver *receiver = find_receiver(call->bus, caller->name);

        if (!receiver) {
                receiver = calloc(1, sizeof(Receiver));
                if (!receiver)
                        return -ENOMEM;
                (void)snprintf(receiver->name, sizeof(receiver->name), "%s", caller->name);
                receiver->bus = call->bus;
                receiver->uid = caller->uid;
                list_insert(&call->bus->delivery.receivers, &receiver->link);
        }
        unread_files_sent(&receiver->files, call->n_files);
        return 0;
}

static Unread count_unread(const Call *call) {
        Unread unread = {.of_uid = call->n_files, .in_all = call->n_files};

        list_for_each(link, &call->bus->delivery.receivers) {
                const Receiver *receiver = container_of(link, Receiver, link);

                unread.in_all += receiver->files.at_most;
                if (receiver->uid == call->request.caller.uid)
                        unread.of_uid += receiver->files.at_most;
        }
        return unread;
}

static Unread most_unread(const Bus *bus) {
        const Config *config = &broker_world(bus->broker)->config;

        return (Unread){.of_uid = config->limit_bus_fds_in_flight_per_uid,
                        .in_all = config->limit_bus_fds_in_flight};
}

static void deliver(Call *call) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        int r;

        list_remove(&call->delivery);
        if (grant_check(call, call->files_of, &refusal)) {
                call_reply_refusal(call, &refusal);
                return;
        }
        r = call->bus->delivery.is_untold ? 0 : count_sent(call);
        if (r < 0)
                call_reply_errno(call, r);
        else
                flow_deliver(call, call->reply);
}

void flow_recheck(Bus *bus) {
        list_for_each_safe(link, &bus->delivery.waiting) {
                Call *call = container_of(link, Call, delivery);
                _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

                if (grant_check(call, call->files_of, &refusal))
                        call_reply_refusal(call, &refusal);
        }
}

/* Another answer to the same uid has waited longer; root has no limit of his own to wait for. */
static bool is_behind_own(const Call *call) {
        uid_t uid = call->request.caller.uid;

        list_for_each(link, &call->bus->delivery.waiting) {
                const Call *other = container_of(link, Call, delivery);

                if (other == call)
                        return false;
                if (uid != 0 && other->request.caller.uid == uid)
                        return true;
        }
        return false;
}

static bool waits_for_own(const Call *call, const Unread *unread, const Unread *most) {
        return (call->request.caller.uid != 0 && unread->of_uid > most->of_uid) ||
               is_behind_own(call);
}

/* One after the other: who asks for much is not passed over for ever by those who ask for little.
 * But for his own files a uid waits alone. Tells whether the last in line waits on. */
static bool deliver_what_fits(Bus *bus) {
        const Unread most = most_unread(bus);
        bool waits = false;

        list_for_each_safe(link, &bus->delivery.waiting) {
                Call *call = container_of(link, Call, delivery);
                Unread unread = count_unread(call);
                bool limited = !bus->delivery.is_untold;

                waits = limited && waits_for_own(call, &unread, &most);
                if (waits)
                        continue;
                if (limited && !flow_is_within(call, &unread, &most))
                        return true;
                deliver(call);
        }
        return waits;
}

static void refuse_who_waited_long(Bus *bus) {
        const Unread most = most_unread(bus);
        uint64_t now = clock_now(CLOCK_MONOTONIC);

        list_for_each_safe(link, &bus->delivery.waiting) {
                Call *call = container_of(link, Call, delivery);
                Unread unread = count_unread(call);

                if (call->deliver_until > now)
                        break;
                if (flow_is_within(call, &unread, &most))
                        deliver(call);
                else
                        flow_refuse(call, &unread, &most, "bus_");
        }
}

static void go_on(Bus *bus, const List *next) {
        refuse_who_waited_long(bus);
        (void)deliver_what_fits(bus);
        ask_from(bus, next);
}

static int on_pause_over(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Bus *bus = userdata;

        bus->delivery.pause = sd_event_source_disable_unref(bus->delivery.pause);
        go_on(bus, bus->delivery.receivers.next);
        return 0;
}

static void note(sd_bus_message *reply, Receiver *receiver) {
        uint32_t kept;
        BusStats told = bus_stats_read(reply, "OutgoingFDs", &kept);

        if (told == BUS_STATS_NEVER_TOLD)
                receiver->bus->delivery.is_untold = true;
        else if (told != BUS_STATS_LATE)
                unread_files_told(&receiver->files, receiver->mark, kept);
}

static int on_told(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        Receiver *receiver = userdata;
        Bus *bus = receiver->bus;
        const List *next = receiver->link.next;

        bus->delivery.question = sd_bus_slot_unref(bus->delivery.question);
        note(reply, receiver);
        if (bus->delivery.is_untold) {
                forget_receivers(bus);
                next = &bus->delivery.receivers;
        } else if (receiver->files.at_most == 0)
                forget(receiver);
        go_on(bus, next);
        return 0;
}

static int ask_about(Receiver *receiver) {
        Delivery *delivery = &receiver->bus->delivery;
        const Call *call = container_of(delivery->waiting.next, Call, delivery);

        receiver->mark = unread_files_mark(&receiver->files);
        return bus_stats_ask(call->connection->sd, receiver->name, &delivery->question, on_told,
                             receiver);
}

static int begin_pause(Bus *bus) {
        Delivery *delivery = &bus->delivery;

        return sd_event_add_time_relative(bus->event, &delivery->pause, CLOCK_MONOTONIC, PAUSE_USEC,
                                          1, on_pause_over, bus);
}

/* Goes on with the round at the receiver with this link, or ends it. */
static void ask_from(Bus *bus, const List *link) {
        Delivery *delivery = &bus->delivery;

        if (list_is_empty(&delivery->waiting) ||
            (link != &delivery->receivers && ask_about(container_of(link, Receiver, link)) >= 0))
                return;
        if (begin_pause(bus) < 0)
                list_for_each_safe(waiting, &delivery->waiting)
                        call_reply_errno(container_of(waiting, Call, delivery), -ENOMEM);
}

void flow_send_over_bus(Call *call, sd_bus_message *reply) {
        Bus *bus = call->bus;
        Delivery *delivery = &bus->delivery;

        call->reply = sd_bus_message_ref(reply);
        call->running =
                false; /* it ends with its connection, now that the broker is done with it */
        call->deliver_until = clock_now(CLOCK_MONOTONIC) + flow_patience_usec();
        list_insert(&delivery->waiting, &call->delivery);
        /* What does not wait has been answered, and freed. */
        if (deliver_what_fits(bus))
                (void)call_watch_sender_surely(call, call_free);
        if (!delivery->question && !delivery->pause)
                ask_from(bus, delivery->receivers.next);
}
