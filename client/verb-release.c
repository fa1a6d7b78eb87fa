/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* release: ends leases. Those behind one that failed are released all the same. */

#include <errno.h>

#include "client/report.h"
#include "client/target.h"
#include "client/verb.h"
#include "daemon/util/string.h"

int verb_release(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **paths = NULL;
        int r, status = STATUS_OK;

        for (char **typed = a->operands; *typed; typed++) {
                char *path = NULL;

                r = target_to_lease(*typed, &path);
                if (r == -EINVAL)
                        return report(STATUS_USAGE, NULL, "'%s' is no lease: write 7 or lease/7",
                                      *typed);
                if (r >= 0)
                        r = strv_push_consume(&paths, path);
                if (r < 0)
                        return report_errno(r, "release");
        }
        r = verb_connect(a, &c);
        if (r < 0)
                return connection_report(c, r);

        for (char **path = paths; path && *path; path++) {
                int failed;

                r = vfiod_release(c, *path);
                if (r >= 0)
                        continue;
                failed = connection_report_lease(c, r, *path);
                if (status == STATUS_OK)
                        status = failed;
        }
        return status;
}
