/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bind and unbind: whole groups to a vfio driver and back. Silent when they succeed. */

#include "client/verb.h"
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

int verb_unbind(const Arguments *a) {
        return a->dry_run ? verb_dry_run(a, "unbind") : change(a, "Unbind");
}
