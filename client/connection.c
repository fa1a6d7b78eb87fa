/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/connection.h"

#include <errno.h>
#include <stdlib.h>

#include "client/report.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

/* dbus-daemon allows 128 calls without a reply (max_replies_per_connection); stay well below. */
#define PIPELINE_MAX 64

typedef struct Pending {
        sd_bus_message *reply; /* NULL until it is there */
        size_t *outstanding;
} Pending;

static int on_reply(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *reterr) {
        Pending *pending = userdata;

        pending->reply = sd_bus_message_ref(m);
        (*pending->outstanding)--;
        return 0;
}

/* Handles one message, or waits until there is one, no longer than `timeout`. */
static int process_or_wait(sd_bus *bus, uint64_t timeout) {
        int r;

        r = sd_bus_process(bus, NULL);
        if (r != 0)
                return r;
        r = sd_bus_wait(bus, timeout);
        return r == -EINTR ? 0 : r;
}

static int wait_for_replies(sd_bus *bus, const size_t *outstanding) {
        int r = 0;

        while (*outstanding > 0 && r >= 0)
                r = process_or_wait(bus, UINT64_MAX);
        return r < 0 ? r : 0;
}

/* The reply is an error; that of a vfiod that was restarted is not the last word. */
static int call_again(vfiod_connection *c, sd_bus_message *call, sd_bus_message **reply) {
        sd_bus_message *other;
        int r;

        sd_bus_error_free(&c->error);
        (void)sd_bus_error_copy(&c->error, sd_bus_message_get_error(*reply));
        r = connection_call_again(c, call, &other);
        if (r <= 0)
                return r < 0 ? r : -EIO;
        sd_bus_message_unref(*reply);
        *reply = other;
        return 0;
}

/* One pipeline; `slots` forget the calls whose answer nobody waits for any more. */
static int call_batch(vfiod_connection *c, sd_bus_message *const *calls, size_t n, Pending *pending,
                      sd_bus_slot **slots) {
        size_t outstanding = n;
        int r;

        for (size_t i = 0; i < n; i++) {
                pending[i] = (Pending){.outstanding = &outstanding};
                r = sd_bus_call_async(c->bus, &slots[i], calls[i], on_reply, &pending[i], 0);
                if (r < 0)
                        return r;
        }
        r = wait_for_replies(c->bus, &outstanding);
        if (r < 0)
                return r;
        /* To each of them sd-bus has answered itself. */
        if (sd_bus_is_open(c->bus) <= 0)
                return -ECONNRESET;
        for (size_t i = 0; i < n && r >= 0; i++)
                if (sd_bus_message_is_method_error(pending[i].reply, NULL))
                        r = call_again(c, calls[i], &pending[i].reply);
        return r;
}

static int call_batch_owned(vfiod_connection *c, sd_bus_message *const *calls, size_t n,
                            sd_bus_message **replies) {
        sd_bus_slot *slots[PIPELINE_MAX] = {NULL};
        Pending pending[PIPELINE_MAX] = {0};
        int r;

        r = call_batch(c, calls, n, pending, slots);
        for (size_t i = 0; i < n; i++) {
                sd_bus_slot_unref(slots[i]);
                replies[i] = pending[i].reply;
        }
        return r;
}

int connection_call_all(vfiod_connection *c, sd_bus_message *const *calls, size_t n,
                        sd_bus_message **replies) {
        int r = 0;

        sd_bus_error_free(&c->error);
        for (size_t done = 0; done < n && r >= 0; done += PIPELINE_MAX)
                r = call_batch_owned(c, calls + done,
                                     n - done < PIPELINE_MAX ? n - done : PIPELINE_MAX,
                                     replies + done);
        if (r < 0)
                for (size_t i = 0; i < n; i++)
                        replies[i] = sd_bus_message_unref(replies[i]);
        return r;
}

int connection_match(vfiod_connection *c, const char *rule, sd_bus_message_handler_t callback,
                     const void *userdata) {
        int r;

        /* A slot that floats lives as long as the bus. */
        r = sd_bus_add_match(c->bus, NULL, rule, callback, (void *)userdata);
        return r < 0 ? r : 0;
}

int connection_run(vfiod_connection *c) {
        int r;

        do
                r = process_or_wait(c->bus, UINT64_MAX);
        while (r >= 0);
        return r;
}

/* A bus that knows no vfiod says nothing about the socket. */
static const char *hint(const vfiod_connection *c) {
        if (sd_bus_error_has_names(&c->error, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                   SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                return "; is vfiod installed? Through its socket, it is asked with --socket";
        return "";
}

int connection_report_more(vfiod_connection *c, int r, const char *more) {
        if (!c)
                return report_errno(r, "cannot ask vfiod");
        (void)connection_end(c, r);
        return report(status_from_error(c->error.name), c->error.name, "%s%s%s",
                      string_is_empty(c->error.message) ? strerror(-r) : c->error.message, hint(c),
                      more);
}

int connection_report(vfiod_connection *c, int r) {
        return connection_report_more(c, r, "");
}

int connection_report_lease(vfiod_connection *c, int r, const char *path) {
        const char *id = string_after(path, VFIOD_PATH_LEASE "/");

        if (!c || !id || !sd_bus_error_has_name(&c->error, SD_BUS_ERROR_UNKNOWN_OBJECT))
                return connection_report(c, r);
        return report(status_from_error(c->error.name), c->error.name,
                      "there is no lease %s; see 'vfioctl leases'", id);
}
