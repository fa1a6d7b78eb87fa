/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* add and remove: groups into a lease that somebody holds, and out of it. Silent when they succeed.
 */

#include <errno.h>

#include "client/report.h"
#include "client/target.h"
#include "client/verb.h"
#include "daemon/util/string.h"

/* The lease is the first operand, the targets are the others. Returns the exit status. */
static int begin(const Arguments *a, vfiod_connection **ret_connection, vfiod_lease **ret,
                 char ***ret_targets) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = target_to_lease(a->operands[0], &path);
        if (r == -EINVAL)
                return report(STATUS_USAGE, NULL, "'%s' is no lease: write 7 or lease/7",
                              a->operands[0]);
        if (r >= 0)
                r = targets_resolve(a->operands + 1, ret_targets);
        if (r >= 0)
                r = verb_connect(a, ret_connection);
        if (r >= 0)
                r = vfiod_lease_open(*ret_connection, path, ret);
        return r < 0 ? connection_report_lease(*ret_connection, r, path) : STATUS_OK;
}

static int change(const Arguments *a, bool add) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_lease_ vfiod_lease *lease = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = begin(a, &c, &lease, &targets);
        if (r != STATUS_OK)
                return r;
        r = add ? vfiod_lease_add(lease, constant(targets), &a->acquire)
                : vfiod_lease_remove(lease, constant(targets));
        return r < 0 ? connection_report_lease(c, r, vfiod_lease_get_path(lease)) : STATUS_OK;
}

int verb_add(const Arguments *a) {
        return change(a, true);
}

int verb_remove(const Arguments *a) {
        return change(a, false);
}
