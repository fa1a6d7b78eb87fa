/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which errno a D-Bus error is for whoever does not want to read names: the table in vfiod.h. */

#include <errno.h>

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

typedef struct Class {
        const char *name; /* ends in a dot: everything below it */
        int error;
} Class;

#define REFUSAL(word) VFIOD_ERROR_PREFIX #word
#define DBUS "org.freedesktop.DBus.Error."

/* The first match counts. */
static const Class classes[] = {
        {REFUSAL(NoTargets), EINVAL},
        {REFUSAL(InvalidTarget), EINVAL},
        {REFUSAL(DuplicateTarget), EINVAL},
        {REFUSAL(InvalidOption), EINVAL},
        {REFUSAL(InvalidOptionValue), EINVAL},
        {REFUSAL(TooManyFds), EINVAL},
        {REFUSAL(NotInLease), EINVAL},
        {DBUS "InvalidArgs", EINVAL},
        {REFUSAL(NotFound), ENODEV},
        {REFUSAL(DeviceGone), ENODEV},
        {DBUS "AccessDenied", EACCES},
        {DBUS "AuthFailed", EACCES},
        {DBUS "InteractiveAuthorizationRequired", EACCES},
        {REFUSAL(HostDevice), EPERM},
        {REFUSAL(NotViable), EPERM},
        {REFUSAL(NotBound), EPERM},
        {REFUSAL(NothingToBind), EPERM},
        {REFUSAL(NotOwner), EPERM},
        {REFUSAL(ResetSetIncomplete), EPERM},
        {REFUSAL(BadAssignments), EBADMSG},
        {REFUSAL(AlreadyExists), EEXIST},
        {REFUSAL(Exhausted), ENOSPC},
        {REFUSAL(Leased), EBUSY},
        {REFUSAL(HeldOutside), EBUSY},
        {REFUSAL(InUse), EBUSY},
        {REFUSAL(StillHeld), EBUSY},
        {REFUSAL(Busy), EBUSY},
        {REFUSAL(Stuck), EBUSY},
        {REFUSAL(Changed), EAGAIN},
        {REFUSAL(CalledOff), EAGAIN},
        {REFUSAL(Unsupported), EOPNOTSUPP},
        {REFUSAL(NoVfioDriver), EOPNOTSUPP},
        {REFUSAL(NoReset), EOPNOTSUPP},
        {DBUS "UnknownMethod", EOPNOTSUPP},
        {DBUS "UnknownInterface", EOPNOTSUPP},
        {DBUS "UnknownProperty", EOPNOTSUPP},
        {REFUSAL(LimitExceeded), EDQUOT},
        {REFUSAL(TooManyTargets), EDQUOT},
        {REFUSAL(LeaseEnded), ESTALE},
        {DBUS "UnknownObject", ESTALE},
        {REFUSAL(TimedOut), ETIMEDOUT},
        {DBUS "NoReply", ETIMEDOUT},
        {DBUS "Timeout", ETIMEDOUT},
        {DBUS "TimedOut", ETIMEDOUT},
        {DBUS "ServiceUnknown", EHOSTUNREACH},
        {DBUS "NameHasNoOwner", EHOSTUNREACH},
        {DBUS "NoServer", EHOSTUNREACH},
        {DBUS "Spawn.", EHOSTUNREACH},
        {"org.freedesktop.systemd1.", EHOSTUNREACH},
        {DBUS "Disconnected", ECONNRESET},
        {DBUS "NoMemory", ENOMEM},
};

static bool matches(const char *name, const char *class) {
        const char *rest = string_after(name, class);

        return rest && (rest[0] == '\0' || class[strlen(class) - 1] == '.');
}

/* What sd-bus made of an errno of its own, "System.Error.ECONNRESET", it can read back. */
static int errno_of_name(const char *name) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int n;

        if (!string_after(name, "System.Error."))
                return EIO;
        (void)sd_bus_error_set(&error, name, NULL);
        n = sd_bus_error_get_errno(&error);
        sd_bus_error_free(&error);
        return n;
}

int error_class(const char *name) {
        int n;

        for (size_t i = 0; i < ELEMENTS(classes); i++)
                if (matches(name, classes[i].name))
                        return -classes[i].error;
        n = errno_of_name(name);
        return n == EPIPE ? -ECONNRESET : -n;
}
