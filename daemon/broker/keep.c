/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/keep.h"

#include <stdlib.h>

#include "daemon/broker/kept-name.h"
#include "daemon/core/state.h"
#include "daemon/persist/state-file.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

/* Puts the file into the store, unless it is there; its name goes to `names` in any case. */
static void keep_file(Holding *holding, const Handle *handle, char ***names) {
        char *name = kept_name_format(holding->lease, handle);

        if (name && !strv_contains(holding->kept, name))
                (void)fd_store_put(name, handle->fd);
        if (name)
                (void)strv_push_consume(names, name);
}

/* What is in the store becomes what the holding has. True when something was taken out. */
static bool keep_holding(Holding *holding) {
        char **names = NULL;
        bool removed = false;

        if (holding->pipe >= 0)
                keep_file(holding, &(Handle){.kind = HANDLE_LEASE, .fd = holding->pipe}, &names);
        for (size_t i = 0; i < holding->files.n_handles; i++)
                keep_file(holding, &holding->files.handles[i], &names);
        for (char **name = holding->kept; name && *name; name++)
                if (!strv_contains(names, *name)) {
                        (void)fd_store_remove(*name);
                        removed = true;
                }
        strv_free(holding->kept);
        holding->kept = names;
        return removed;
}

void keep_forget(Broker *broker, Holding *holding) {
        for (char **name = holding->kept; name && *name; name++) {
                (void)fd_store_remove(*name);
                broker->keep.removed = true;
        }
        holding->kept = strv_free(holding->kept);
}

/* Said when it begins and when it is over, not each time. */
static void report(Broker *broker, int r) {
        if (r == broker->keep.error)
                return;
        broker->keep.error = r;
        broker_emit_state(broker, r);
}

static void keep_state(Broker *broker) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (broker->keep.directory < 0)
                return;
        text = state_write(&broker->world, NULL, 0);
        if (text && string_equal(text, broker->keep.written))
                return;
        r = text ? state_file_write(broker->keep.directory, KEEP_STATE_FILE, text) : -ENOMEM;
        if (r >= 0) {
                free(broker->keep.written);
                broker->keep.written = TAKE_PTR(text);
        }
        report(broker, r);
}

void keep_now(Broker *broker) {
        broker->keep.due = false;
        if (fd_store_is_there())
                list_for_each(link, &broker->holdings)
                        if (keep_holding(container_of(link, Holding, link)))
                                broker->keep.removed = true;
        keep_state(broker);
}

void keep_soon(Broker *broker) {
        broker->keep.due = true;
}

void keep_wait(Broker *broker, FdStoreReached then, void *userdata, FdStoreBarrier **ret_wait) {
        *ret_wait = NULL;
        if (broker->keep.removed) {
                broker->keep.removed = false;
                if (fd_store_barrier(broker->event, then, userdata, ret_wait) >= 0)
                        return;
        }
        then(userdata);
}

static int on_turn(sd_event_source *source _unused_, void *userdata) {
        Broker *broker = userdata;

        if (broker->keep.due)
                keep_now(broker);
        return 0;
}

int keep_start(Broker *broker) {
        return sd_event_add_post(broker->event, &broker->keep.turn, on_turn, broker);
}

/* What is in the store and in the file is for the next one. */
void keep_stop(Broker *broker) {
        sd_event_source_disable_unref(broker->keep.turn);
        broker->keep.directory = fd_close(broker->keep.directory);
        free(broker->keep.written);
}
