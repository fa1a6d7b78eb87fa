/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bind and unbind: whole groups to a vfio driver and back. Silent when they succeed. */

#include "client/report.h"
#include "client/verb.h"
#include "client/waiting.h"
#include "daemon/util/string.h"

static int change(const Arguments *a, const char *method) {
        _cleanup_connection_ Connection c = CONNECTION_NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = manager_change(&c, method, targets, &a->options);
        return r < 0 ? connection_report(&c, r) : STATUS_OK;
}

int verb_bind(const Arguments *a) {
        return a->dry_run ? verb_dry_run(a, "bind") : change(a, "Bind");
}

/* --wait and --revoke. Leaving the bus, which ends the process anyway, is what ends the wait. */
static int unbind_waiting(const Arguments *a) {
        _cleanup_connection_ Connection c = CONNECTION_NULL;
        _cleanup_live_line_ LiveLine line = live_line_on(stderr);
        _cleanup_strv_ char **targets = NULL;
        WaitEnd end = WAIT_ANSWERED;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = waiting_unbind(&c, targets, &a->options, a->json ? NULL : &line, &end);
        if (r >= 0 && end == WAIT_STOPPED)
                return report(STATUS_INTERRUPTED, NULL, "stopped waiting; nothing was changed");
        if (r >= 0 && end == WAIT_STOPPED_TOO_LATE)
                return report(STATUS_INTERRUPTED, NULL,
                              "stopped waiting; what vfiod may have begun it finishes: see "
                              "'vfioctl list'");
        return r < 0 ? connection_report(&c, r) : STATUS_OK;
}

int verb_unbind(const Arguments *a) {
        if (a->dry_run)
                return verb_dry_run(a, "unbind");
        return a->options.policy ? unbind_waiting(a) : change(a, "Unbind");
}
