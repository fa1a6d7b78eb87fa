/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * 1. Each call counts as much as its answer may have, and each signal. When that is WEIGHT_ASK, the
 *    bus is asked how many bytes of vfiod's it keeps (org.freedesktop.DBus.Debug.Stats, for root).
 * 2. If that is much, and the calls alone have that weight, it is asked about each who has called
 *    since it was little, one after the other; for whom it keeps much, he is behind.
 * 3. Who is behind is told so, some times, and then nothing more. His calls count, too, so that
 *    it is asked again.
 * 4. Signals come unasked, so nobody is behind for them: if the bus keeps too much, no more are
 *    sent over it until it says less. Each that is left out asks it again.
 *
 * A bus that does not tell, such as dbus-broker, is taken to do the limiting itself. A bus that is
 * idle is asked nothing.
 */

#include "daemon/bus/readers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-stats.h"
#include "daemon/bus/journal.h"
#include "daemon/util/string.h"

/* Bytes of an answer, or a signal. */
#define WEIGHT_USUAL 2048
#define WEIGHT_REFUSAL 512

#define WEIGHT_ASK (2 * 1024 * 1024)
/* The bus is late with what was asked, so it has not got to what was sent before that. */
#define WEIGHT_MAX (16 * 1024 * 1024)
/* Of those who then have to wait; who asks for little goes on beside them. With as many connections
 * as a user has (max_connections_per_user, 256), each with so much, the bus still reads. */
#define WEIGHT_HEAVY (256 * 1024)

/* What the bus keeps of vfiod's, and for one receiver. With as many connections as a bus has
 * (max_completed_connections, 2048), each with so little, it still reads. */
#define KEPT_MUCH (16 * 1024 * 1024)
#define KEPT_FOR_ONE (32 * 1024)
/* No more signals then: beside them there is room for as much again of what many are each late
 * with. */
#define KEPT_TOO_MUCH (32 * 1024 * 1024)

/* Refusals that are sent to one who does not read. */
#define TOLD_MAX 1024

/* With more, it is found out which have left. */
#define READERS_MANY 1024

typedef struct Reader {
        Bus *bus;
        char name[sizeof((Caller){0}.name)];
        uint64_t weight; /* since it was known that he has read */
        bool behind;
        unsigned told;
        List link; /* Readers.readers */
} Reader;

void readers_init(Readers *readers) {
        list_init(&readers->readers);
}

static void forget(Reader *reader) {
        reader->bus->readers.n_readers--;
        list_remove(&reader->link);
        free(reader);
}

static void forget_all(Readers *readers) {
        list_for_each_safe(link, &readers->readers)
                forget(container_of(link, Reader, link));
}

void readers_forget(Readers *readers) {
        readers->question = sd_bus_slot_unref(readers->question);
        readers->weight = 0;
        readers->signals = 0;
        readers->is_muted = false;
        forget_all(readers);
}

static Reader *find(const Readers *readers, const char *name) {
        list_for_each(link, &readers->readers) {
                Reader *reader = container_of(link, Reader, link);

                if (strcmp(reader->name, name) == 0)
                        return reader;
        }
        return NULL;
}

/* A new one comes first, where no round of questions gets to any more. */
static Reader *find_or_add(Bus *bus, const char *name) {
        Reader *reader = find(&bus->readers, name);

        if (reader)
                return reader;
        reader = calloc(1, sizeof(Reader));
        if (!reader)
                return NULL;
        reader->bus = bus;
        (void)snprintf(reader->name, sizeof(reader->name), "%s", name);
        list_insert(bus->readers.readers.next, &reader->link);
        bus->readers.n_readers++;
        return reader;
}

static void ask_from(Bus *bus, const List *link);

static int on_told_of_reader(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        Reader *reader = userdata;
        Bus *bus = reader->bus;
        const List *next = reader->link.next;
        uint32_t kept;
        BusStats told = bus_stats_read(reply, "OutgoingBytes", &kept);

        bus->readers.question = sd_bus_slot_unref(bus->readers.question);
        if (told == BUS_STATS_OF_NOBODY) {
                forget(reader);
        } else if (told == BUS_STATS_TOLD) {
                reader->behind = kept > KEPT_FOR_ONE;
                reader->weight = kept;
                reader->told = reader->behind ? reader->told : 0;
        }
        ask_from(bus, next);
        return 0;
}

static bool is_worth_asking(const Reader *reader) {
        return reader->behind || reader->weight > KEPT_FOR_ONE ||
               reader->bus->readers.n_readers > READERS_MANY;
}

/* Goes on with the round at this link, or ends it. */
static void ask_from(Bus *bus, const List *link) {
        for (; link != &bus->readers.readers; link = link->next) {
                Reader *reader = container_of(link, Reader, link);

                if (is_worth_asking(reader) &&
                    bus_stats_ask(bus->authority, reader->name, &bus->readers.question,
                                  on_told_of_reader, reader) >= 0)
                        return;
        }
}

static void set_muted(Readers *readers, uint32_t kept) {
        bool muted = kept > KEPT_TOO_MUCH;

        if (muted && !readers->is_muted)
                journal_signals_muted(kept);
        if (!muted && readers->is_muted)
                journal_signals_sent();
        readers->is_muted = muted;
}

/*
 * A bus that is late has not told, and is asked again at the next call or signal. Who calls is not
 * asked about for signals alone: just then those who read them have not got to them, either.
 */
static int on_told(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        Bus *bus = userdata;
        Readers *readers = &bus->readers;
        uint32_t kept;
        BusStats told = bus_stats_read(reply, "IncomingBytes", &kept);

        readers->question = sd_bus_slot_unref(readers->question);
        readers->is_untold = told == BUS_STATS_NEVER_TOLD;
        if (told != BUS_STATS_LATE)
                set_muted(readers, kept);
        if (readers->is_untold)
                readers_forget(readers);
        if (told != BUS_STATS_TOLD)
                return 0;
        readers->signals -= readers->asked_signals;
        if (kept > KEPT_MUCH && readers->asked <= WEIGHT_ASK)
                return 0;
        readers->weight -= readers->asked;
        if (kept > KEPT_MUCH)
                ask_from(bus, readers->readers.next);
        else
                forget_all(readers);
        return 0;
}

/*
 * Unless a question is under way. The name is that which the bus knows us by, whether or not we
 * have got ours yet. Of what is sent after the question the answer says nothing.
 */
static void ask(Bus *bus) {
        const char *name;

        if (bus->readers.question)
                return;
        bus->readers.asked = bus->readers.weight;
        bus->readers.asked_signals = bus->readers.signals;
        if (sd_bus_get_unique_name(bus->authority, &name) >= 0)
                (void)bus_stats_ask(bus->authority, name, &bus->readers.question, on_told, bus);
}

static bool is_due(const Readers *readers) {
        return readers->weight + readers->signals > WEIGHT_ASK;
}

/* He is to read first. */
static bool is_refused(const Readers *readers, const Reader *reader) {
        return reader->behind || (readers->weight > WEIGHT_MAX && reader->weight > WEIGHT_HEAVY);
}

/* Those that have more than others, at least, and for each object. */
static const struct {
        const char *member;
        uint64_t least, object;
} weights[] = {
        {"CheckAuthorization", 64 * 1024, 0},
        {"Explain", 16 * 1024, 0},
        {"GetManagedObjects", 4096, 1024},
        {"Introspect", 8192, 64},
        {"ListDevices", 4096, 1024},
        {"ListGroups", 4096, 256},
        {"ListHolders", 64 * 1024, 0},
        {"ListLeases", 64 * 1024, 0},
        {"Overview", 4096, 256},
};

static uint64_t weight_of_answer(const Bus *bus, sd_bus_message *call) {
        const Topology *topology = &broker_world(bus->broker)->topology;
        uint64_t objects = topology->n_devices + topology->n_groups;

        for (size_t i = 0; i < ELEMENTS(weights); i++)
                if (string_equal(sd_bus_message_get_member(call), weights[i].member))
                        return weights[i].least + objects * weights[i].object;
        return WEIGHT_USUAL;
}

static int refuse_reader(Reader *reader, sd_bus_error *error) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        if (reader->told++ >= TOLD_MAX)
                return 1;
        (void)refuse(&refusal, REFUSAL_LIMIT_EXCEEDED,
                     "too many answers to this connection have not been read; read them and try "
                     "again");
        return bus_error_set_refusal(error, &refusal);
}

int readers_note_call(Connection *connection, sd_bus_message *m, sd_bus_error *error) {
        Bus *bus = connection->bus;
        Readers *readers = &bus->readers;
        Reader *reader;
        uint64_t weight;
        bool refused;

        if (readers->is_untold || connection->sd != bus->authority)
                return 0;
        reader = find_or_add(bus, string_or_empty(sd_bus_message_get_sender(m)));
        if (!reader)
                return -ENOMEM;
        refused = is_refused(readers, reader);
        weight = refused ? WEIGHT_REFUSAL : weight_of_answer(bus, m);
        reader->weight += weight;
        readers->weight += weight;
        if (is_due(readers))
                ask(bus);
        return refused ? refuse_reader(reader, error) : 0;
}

bool readers_note_signal(Connection *connection) {
        Bus *bus = connection->bus;
        Readers *readers = &bus->readers;

        if (readers->is_untold || connection->sd != bus->authority)
                return true;
        if (!readers->is_muted)
                readers->signals += WEIGHT_USUAL;
        if (readers->is_muted || is_due(readers))
                ask(bus);
        return !readers->is_muted;
}
