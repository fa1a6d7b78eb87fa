/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* reset: one device, by a method or as the kernel would. Silent when it succeeds. */

#include "client/manager.h"
#include "client/verb.h"
#include "daemon/util/string.h"

int verb_reset(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = device_reset(c, targets[0], string_or_empty(a->method));
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}
