/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bind and unbind: whole groups to a vfio driver and back. Silent when they succeed. */

#include "client/manager.h"
#include "client/report.h"
#include "client/verb.h"
#include "client/waiting.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

static int plan_bind(const Arguments *a, vfiod_connection *c, char **targets) {
        char **steps;
        int r;

        r = a->acquire.override_safety
                    ? manager_plan_bind_overriding(c, targets, a->acquire.driver, &steps)
                    : vfiod_plan_bind(c, constant(targets), a->acquire.driver, &steps);
        return r < 0 ? r : verb_print_steps(a, steps);
}

static int bind_groups(const Arguments *a, vfiod_connection *c, char **targets) {
        return a->acquire.override_safety ? manager_bind_overriding(c, targets, a->acquire.driver)
                                          : vfiod_bind(c, constant(targets), a->acquire.driver);
}

int verb_bind(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = a->dry_run ? plan_bind(a, c, targets) : bind_groups(a, c, targets);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}

static int plan_unbind(const Arguments *a, vfiod_connection *c, char **targets) {
        char **steps;
        int r;

        r = vfiod_plan_unbind(c, constant(targets), a->policy, a->policy_ms, &steps);
        return r < 0 ? r : verb_print_steps(a, steps);
}

/* What is refused because somebody has it can be asked back, or taken. */
static const char *remedy_of_unbind(const vfiod_connection *c) {
        if (c && sd_bus_error_has_names(&c->error, VFIOD_ERROR_PREFIX "Leased",
                                        VFIOD_ERROR_PREFIX "HeldOutside"))
                return "; 'vfioctl unbind --wait' asks for it and waits, '--revoke' takes it";
        return "";
}

static int unbind_at_once(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = a->dry_run ? plan_unbind(a, c, targets)
                               : vfiod_unbind(c, constant(targets), NULL, VFIOD_TIMEOUT_NONE);
        if (r < 0)
                return connection_report_more(c, r, remedy_of_unbind(c));
        if (!a->dry_run)
                verb_note_assigned(c, targets);
        return STATUS_OK;
}

/* --wait and --revoke. Leaving the bus, which ends the process anyway, is what ends the wait. */
static int unbind_waiting(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_live_line_ LiveLine line = live_line_on(stderr);
        _cleanup_strv_ char **targets = NULL;
        WaitEnd end = WAIT_ANSWERED;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = waiting_unbind(c, targets, a->policy, a->policy_ms, a->json ? NULL : &line,
                                   &end);
        if (r >= 0 && end == WAIT_STOPPED)
                return report(STATUS_INTERRUPTED, NULL, "stopped waiting; nothing was changed");
        if (r >= 0 && end == WAIT_STOPPED_TOO_LATE)
                return report(STATUS_INTERRUPTED, NULL,
                              "stopped waiting; what vfiod may have begun it finishes: see "
                              "'vfioctl list'");
        if (r < 0)
                return connection_report(c, r);
        verb_note_assigned(c, targets);
        return STATUS_OK;
}

int verb_unbind(const Arguments *a) {
        return a->policy && !a->dry_run ? unbind_waiting(a) : unbind_at_once(a);
}
