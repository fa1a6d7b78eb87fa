/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which process a caller is. The bus tells a number as of the time when the caller connected, and
 * vfiod hears of it with the first call. Some buses give a pidfd too (ProcessFD: dbus 1.16, not
 * Debian 12's), which is not made use of: whoever could have taken the number in between is only
 * ever given what this uid is allowed, and only if it is of this uid (process_check()).
 */

#include "daemon/broker/broker-private.h"
#include "daemon/broker/broker.h"
#include "daemon/kernel/process-stat.h"

void broker_identify(const Broker *broker, Caller *caller) {
        if (caller->pid <= 0 ||
            process_read_start_time(&broker->roots, caller->pid, &caller->start_time) < 0)
                caller->start_time = 0;
}
