/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * When an Unbind asks the owners of the leases, and in which words: once in every way there is, and
 * by the interrupt again and again until the wait is over. How they are asked is
 * daemon/broker/ask.h's.
 */

#include "daemon/broker/ask.h"
#include "daemon/broker/wait-private.h"
#include "daemon/util/string.h"

/* The kernel's own period (drivers/vfio/vfio_main.c, vfio_unregister_group_dev). */
#define ASK_AGAIN_USEC (10 * 1000 * 1000ULL)

static int on_ask_again(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Waiter *waiter = userdata;
        _cleanup_free_ uint32_t *groups = NULL;
        size_t n = 0;

        groups = waiter_groups(waiter, &n);
        if (groups)
                ask_by_interrupt(waiter->broker, groups, n);
        waiter_schedule(waiter, &waiter->ask_again, ASK_AGAIN_USEC, on_ask_again);
        return 0;
}

void waiter_ask(Waiter *waiter) {
        _cleanup_free_ uint32_t *groups = NULL;
        _cleanup_free_ char *targets = request_targets_text(&waiter->request);
        _cleanup_free_ char *reason =
                string_format("uid %u asks for %s back, to unbind it", waiter->request.caller.uid,
                              string_or_empty(targets));
        size_t n = 0;

        ask_update_leases(waiter->broker);
        groups = waiter_groups(waiter, &n);
        ask_for_groups(waiter->broker, groups, n, string_or_empty(reason));
        waiter_schedule(waiter, &waiter->ask_again, ASK_AGAIN_USEC, on_ask_again);
}
