/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/waiting.h"

#include <errno.h>
#include <signal.h>
#include <systemd/sd-event.h>

#include "client/duration.h"
#include "client/holder-text.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

#define TICK UINT64_C(1000000)
#define TICK_ACCURACY 50000
/* A signal is looked at when nothing else is to be done: an answer that is there wins. */
#define PRIORITY_SIGNAL (SD_EVENT_PRIORITY_NORMAL + 10)

typedef struct Waiting {
        vfiod_connection *connection;
        char **targets;
        LiveLine *line;
        bool revoke;
        bool lease_knows;   /* the deadline is the daemon's; the lease of a holder has it */
        uint64_t deadline;  /* CLOCK_REALTIME, 0 for none or while it is not known */
        HolderList holders; /* as of the last answer */
        bool seen;          /* there were some */
        int result;
        WaitEnd end;
        sd_event *event;
        sd_event_source *tick;
        sd_bus_slot *unbind;
        sd_bus_slot *ask_holders; /* NULL while none is under way */
        sd_bus_slot *ask_deadline;
} Waiting;

static void waiting_done(Waiting *w) {
        sd_bus_slot_unref(w->unbind);
        sd_bus_slot_unref(w->ask_holders);
        sd_bus_slot_unref(w->ask_deadline);
        sd_event_source_unref(w->tick);
        (void)sd_bus_detach_event(w->connection->bus);
        sd_event_unref(w->event);
        holder_list_done(&w->holders);
}

static bool time_is_over(const Waiting *w) {
        return w->deadline != 0 && clock_now(CLOCK_REALTIME) >= w->deadline;
}

/* Whoever may not know who holds waits without knowing, and is not refused again every second. */
static void stop_asking(Waiting *w) {
        (void)sd_event_source_set_enabled(w->tick, SD_EVENT_OFF);
        live_line_done(w->line);
}

static void show(Waiting *w) {
        _cleanup_free_ char *text = NULL, *rest = NULL;

        if (!w->seen)
                return;
        if (holders_live_text(&w->holders, w->revoke, w->deadline, clock_now(CLOCK_REALTIME), &text,
                              &rest) >= 0)
                (void)live_line_show(w->line, text, rest);
}

static int on_deadline(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *reterr) {
        Waiting *w = userdata;
        uint64_t deadline;

        w->ask_deadline = sd_bus_slot_unref(w->ask_deadline);
        /* A lease that has just ended, or is not asked for yet, has none: what is known stays. */
        if (!sd_bus_message_is_method_error(m, NULL) &&
            sd_bus_message_read(m, "v", "t", &deadline) >= 0 && deadline != 0) {
                w->deadline = deadline;
                show(w);
        }
        return 0;
}

static int read_holders(Waiting *w, sd_bus_message *m) {
        Holder *foremost;
        int r;

        if (sd_bus_message_is_method_error(m, NULL))
                return -EACCES;
        holder_list_done(&w->holders);
        r = holder_list_read(m, &w->holders);
        if (r < 0)
                return r;
        foremost = holders_foremost(&w->holders);
        if (!foremost)
                return 0;
        w->seen = true;
        if (w->lease_knows && !w->ask_deadline && !string_equal(foremost->lease, "/"))
                (void)lease_begin_get_deadline(w->connection, foremost->lease, on_deadline, w,
                                               &w->ask_deadline);
        return holder_name_user(foremost);
}

static int on_holders(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *reterr) {
        Waiting *w = userdata;

        w->ask_holders = sd_bus_slot_unref(w->ask_holders);
        if (read_holders(w, m) < 0)
                stop_asking(w);
        else
                show(w);
        return 0;
}

static int on_tick(sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Waiting *w = userdata;

        if (!w->ask_holders && manager_begin_list_holders(w->connection, w->targets, on_holders, w,
                                                          &w->ask_holders) < 0) {
                stop_asking(w);
                return 0;
        }
        show(w);
        (void)sd_event_source_set_time_relative(source, TICK);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

static int on_answer(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *reterr) {
        Waiting *w = userdata;

        w->end = WAIT_ANSWERED;
        if (sd_bus_is_open(w->connection->bus) <= 0) {
                w->result = -ECONNRESET;
        } else if (sd_bus_message_is_method_error(m, NULL)) {
                (void)sd_bus_error_copy(&w->connection->error, sd_bus_message_get_error(m));
                w->result = -EIO;
        }
        return sd_event_exit(w->event, 0);
}

static int on_signal(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *info,
                     void *userdata) {
        Waiting *w = userdata;
        bool taken = w->revoke && (w->deadline == 0 || time_is_over(w));
        bool let_go = w->seen && w->holders.n_holders == 0 && w->holders.n_more_holders == 0;

        w->end = taken || let_go ? WAIT_STOPPED_TOO_LATE : WAIT_STOPPED;
        return sd_event_exit(w->event, 0);
}

static int watch_signal(Waiting *w, int signal) {
        sd_event_source *source;
        int r;

        /* Not blocked for longer than this: the source unblocks it with its end. */
        r = sd_event_add_signal(w->event, &source, signal | SD_EVENT_SIGNAL_PROCMASK, on_signal, w);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(source, PRIORITY_SIGNAL);
        if (r >= 0)
                r = sd_event_source_set_floating(source, true);
        sd_event_source_unref(source);
        return r;
}

static int waiting_start(Waiting *w, const char *policy, uint64_t timeout_ms) {
        int r;

        r = sd_event_new(&w->event);
        if (r >= 0)
                r = watch_signal(w, SIGINT);
        if (r >= 0)
                r = watch_signal(w, SIGTERM);
        if (r >= 0)
                r = sd_bus_attach_event(w->connection->bus, w->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = manager_begin_unbind(w->connection, w->targets, policy, timeout_ms, on_answer,
                                         w, &w->unbind);
        if (r >= 0 && w->line)
                r = sd_event_add_time_relative(w->event, &w->tick, CLOCK_MONOTONIC, 0,
                                               TICK_ACCURACY, on_tick, w);
        return r;
}

int waiting_unbind(vfiod_connection *c, char **targets, const char *policy, uint64_t timeout_ms,
                   LiveLine *line, WaitEnd *ret_end) {
        _cleanup_(waiting_done) Waiting w = {
                .connection = c,
                .targets = targets,
                .line = line,
                .revoke = string_equal(policy, "revoke"),
        };
        int r;

        *ret_end = WAIT_ANSWERED;
        sd_bus_error_free(&c->error);
        w.lease_knows = w.revoke && timeout_ms == VFIOD_TIMEOUT_NONE;
        if (timeout_ms != VFIOD_TIMEOUT_NONE)
                w.deadline = clock_now(CLOCK_REALTIME) + timeout_ms * 1000;
        r = waiting_start(&w, policy, timeout_ms);
        if (r >= 0)
                r = sd_event_loop(w.event);
        if (line)
                live_line_done(line);
        *ret_end = w.end;
        return r < 0 ? r : w.result;
}
