/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/refusal.h"

#include <assert.h>

#include "daemon/util/string.h"

static const char *const names[_REFUSAL_MAX] = {
        [REFUSAL_NONE] = "",
        [REFUSAL_NO_TARGETS] = "NoTargets",
        [REFUSAL_TOO_MANY_TARGETS] = "TooManyTargets",
        [REFUSAL_INVALID_TARGET] = "InvalidTarget",
        [REFUSAL_DUPLICATE_TARGET] = "DuplicateTarget",
        [REFUSAL_NOT_FOUND] = "NotFound",
        [REFUSAL_INVALID_OPTION] = "InvalidOption",
        [REFUSAL_INVALID_OPTION_VALUE] = "InvalidOptionValue",
        [REFUSAL_CHANGED] = "Changed",
        [REFUSAL_HOST_DEVICE] = "HostDevice",
        [REFUSAL_NOTHING_TO_BIND] = "NothingToBind",
        [REFUSAL_NOT_VIABLE] = "NotViable",
        [REFUSAL_NO_VFIO_DRIVER] = "NoVfioDriver",
        [REFUSAL_NOT_BOUND] = "NotBound",
        [REFUSAL_LEASED] = "Leased",
        [REFUSAL_BUSY] = "Busy",
        [REFUSAL_STUCK] = "Stuck",
        [REFUSAL_HELD_OUTSIDE] = "HeldOutside",
        [REFUSAL_LIMIT_EXCEEDED] = "LimitExceeded",
        [REFUSAL_TOO_MANY_FDS] = "TooManyFds",
        [REFUSAL_UNSUPPORTED] = "Unsupported",
        [REFUSAL_DEVICE_GONE] = "DeviceGone",
        [REFUSAL_NOT_OWNER] = "NotOwner",
        [REFUSAL_LEASE_ENDED] = "LeaseEnded",
        [REFUSAL_NOT_IN_LEASE] = "NotInLease",
        [REFUSAL_IN_USE] = "InUse",
        [REFUSAL_RESET_SET_INCOMPLETE] = "ResetSetIncomplete",
        [REFUSAL_NO_RESET] = "NoReset",
        [REFUSAL_ALREADY_EXISTS] = "AlreadyExists",
        [REFUSAL_EXHAUSTED] = "Exhausted",
        [REFUSAL_BAD_ASSIGNMENTS] = "BadAssignments",
        [REFUSAL_STILL_HELD] = "StillHeld",
        [REFUSAL_CALLED_OFF] = "CalledOff",
        [REFUSAL_NOT_AUTHORISED] = "NotAuthorised",
        [REFUSAL_AUTHORISATION_NEEDED] = "AuthorisationNeeded",
};

RefusalKind refuse(Refusal *refusal, RefusalKind kind, const char *format, ...) {
        va_list arguments;
        char *sentence;

        va_start(arguments, format);
        sentence = string_vformat(format, arguments);
        va_end(arguments);

        refusal_done(refusal);
        *refusal = (Refusal){.kind = kind, .sentence = sentence};
        return kind;
}

RefusalKind refuse_memory(Refusal *refusal) {
        return refuse(refusal, REFUSAL_LIMIT_EXCEEDED, "%s", REFUSAL_NO_MEMORY);
}

const char *refusal_name(RefusalKind kind) {
        assert(kind >= 0 && kind < _REFUSAL_MAX);
        return names[kind];
}

void refusal_done(Refusal *refusal) {
        free(refusal->sentence);
        *refusal = (Refusal)REFUSAL_NULL;
}
