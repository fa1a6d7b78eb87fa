/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/status.h"

#include <stddef.h>

#include "daemon/util/string.h"
#include "protocol/names.h"

typedef struct Mapping {
        const char *prefix; /* ends in a dot: everything below it; else the whole name */
        ExitStatus status;
} Mapping;

/*
 * The first match counts. System.Error.* are the names that sd-bus gives to an errno of its own,
 * here those of a connection that broke. UnknownObject is how a lease that has gone answers.
 */
static const Mapping mappings[] = {
        {VFIOD_ERROR_FAILED, STATUS_KERNEL},
        {VFIOD_ERROR_TIMED_OUT, STATUS_KERNEL},
        {VFIOD_ERROR_PREFIX, STATUS_REFUSED},
        {"org.freedesktop.DBus.Error.UnknownObject", STATUS_REFUSED},
        {"org.freedesktop.DBus.Error.AccessDenied", STATUS_DENIED},
        {"org.freedesktop.DBus.Error.AuthFailed", STATUS_DENIED},
        {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", STATUS_DENIED},
        {"org.freedesktop.DBus.Error.ServiceUnknown", STATUS_UNREACHABLE},
        {"org.freedesktop.DBus.Error.NameHasNoOwner", STATUS_UNREACHABLE},
        {"org.freedesktop.DBus.Error.Spawn.", STATUS_UNREACHABLE},
        {"org.freedesktop.DBus.Error.NoServer", STATUS_UNREACHABLE},
        {"org.freedesktop.DBus.Error.NoReply", STATUS_UNREACHABLE},
        {"org.freedesktop.DBus.Error.Timeout", STATUS_UNREACHABLE},
        {"org.freedesktop.DBus.Error.TimedOut", STATUS_UNREACHABLE},
        {"org.freedesktop.DBus.Error.Disconnected", STATUS_UNREACHABLE},
        {"org.freedesktop.systemd1.", STATUS_UNREACHABLE},
        {"System.Error.ECONNRESET", STATUS_UNREACHABLE},
        {"System.Error.ENOTCONN", STATUS_UNREACHABLE},
        {"System.Error.EPIPE", STATUS_UNREACHABLE},
};

ExitStatus status_from_error(const char *name) {
        if (!name)
                return STATUS_NO;
        for (size_t i = 0; i < ELEMENTS(mappings); i++) {
                const char *rest = string_after(name, mappings[i].prefix);

                if (!rest)
                        continue;
                if (rest[0] == '\0' || mappings[i].prefix[strlen(mappings[i].prefix) - 1] == '.')
                        return mappings[i].status;
        }
        return STATUS_NO;
}

const char *status_meaning(ExitStatus status) {
        switch (status) {
        case STATUS_OK:
                return "done, or the answer is yes";
        case STATUS_NO:
                return "the answer is no (explain, auth), a held lease ended, or another failure";
        case STATUS_USAGE:
                return "wrong usage; nothing was asked, or exec has given its lease up at once";
        case STATUS_REFUSED:
                return "refused by vfiod, org.vfiod1.Error.*";
        case STATUS_DENIED:
                return "access denied";
        case STATUS_KERNEL:
                return "the kernel failed, org.vfiod1.Error.Failed or TimedOut";
        case STATUS_UNREACHABLE:
                return "vfiod cannot be reached, or did not answer";
        case STATUS_INTERRUPTED:
                return "interrupted while waiting (unbind --wait, --revoke)";
        }
        return NULL;
}
