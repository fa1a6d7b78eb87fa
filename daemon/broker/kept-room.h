/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether the service manager can keep what an operation would have it keep. It drops files beyond
 * FileDescriptorStoreMax= without a word, and hands over all names in one variable, LISTEN_FDNAMES,
 * which must not be longer than execve(2) takes (MAX_ARG_STRLEN, 32 pages): a vfiod with more could
 * not be started again, and its leases would be lost.
 */

#include "daemon/broker/broker-private.h"

typedef struct KeptFiles {
        size_t n;
        size_t name_bytes; /* with what separates them */
} KeptFiles;

bool kept_files_fit(const KeptFiles *files, size_t store_max);

/* LIMIT_EXCEEDED: the files that the plan opens for a lease are too many beside those of the leases
 * there are. */
RefusalKind kept_room_check(const Broker *broker, const Request *request, const Plan *plan,
                            Refusal *refusal);
