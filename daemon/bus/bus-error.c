/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-error.h"

#include <assert.h>

#include "protocol/names.h"

/* Written out rather than put together, so that a search for an error's name finds it here. */
static const char *const names[] = {
        [REFUSAL_NONE] = "",
        [REFUSAL_NO_TARGETS] = VFIOD_ERROR_PREFIX "NoTargets",
        [REFUSAL_TOO_MANY_TARGETS] = VFIOD_ERROR_PREFIX "TooManyTargets",
        [REFUSAL_INVALID_TARGET] = VFIOD_ERROR_PREFIX "InvalidTarget",
        [REFUSAL_DUPLICATE_TARGET] = VFIOD_ERROR_PREFIX "DuplicateTarget",
        [REFUSAL_NOT_FOUND] = VFIOD_ERROR_PREFIX "NotFound",
        [REFUSAL_INVALID_OPTION] = VFIOD_ERROR_PREFIX "InvalidOption",
        [REFUSAL_INVALID_OPTION_VALUE] = VFIOD_ERROR_PREFIX "InvalidOptionValue",
        [REFUSAL_CHANGED] = VFIOD_ERROR_PREFIX "Changed",
        [REFUSAL_HOST_DEVICE] = VFIOD_ERROR_PREFIX "HostDevice",
        [REFUSAL_NOTHING_TO_BIND] = VFIOD_ERROR_PREFIX "NothingToBind",
        [REFUSAL_NOT_VIABLE] = VFIOD_ERROR_PREFIX "NotViable",
        [REFUSAL_NO_VFIO_DRIVER] = VFIOD_ERROR_PREFIX "NoVfioDriver",
        [REFUSAL_NOT_BOUND] = VFIOD_ERROR_PREFIX "NotBound",
        [REFUSAL_LEASED] = VFIOD_ERROR_PREFIX "Leased",
        [REFUSAL_BUSY] = VFIOD_ERROR_PREFIX "Busy",
        [REFUSAL_STUCK] = VFIOD_ERROR_PREFIX "Stuck",
        [REFUSAL_HELD_OUTSIDE] = VFIOD_ERROR_PREFIX "HeldOutside",
        [REFUSAL_LIMIT_EXCEEDED] = VFIOD_ERROR_PREFIX "LimitExceeded",
        [REFUSAL_TOO_MANY_FDS] = VFIOD_ERROR_PREFIX "TooManyFds",
        [REFUSAL_UNSUPPORTED] = VFIOD_ERROR_PREFIX "Unsupported",
        [REFUSAL_DEVICE_GONE] = VFIOD_ERROR_PREFIX "DeviceGone",
        [REFUSAL_NOT_OWNER] = VFIOD_ERROR_PREFIX "NotOwner",
        [REFUSAL_LEASE_ENDED] = VFIOD_ERROR_PREFIX "LeaseEnded",
        [REFUSAL_NOT_IN_LEASE] = VFIOD_ERROR_PREFIX "NotInLease",
        [REFUSAL_IN_USE] = VFIOD_ERROR_PREFIX "InUse",
        [REFUSAL_RESET_SET_INCOMPLETE] = VFIOD_ERROR_PREFIX "ResetSetIncomplete",
        [REFUSAL_NO_RESET] = VFIOD_ERROR_PREFIX "NoReset",
        [REFUSAL_ALREADY_EXISTS] = VFIOD_ERROR_PREFIX "AlreadyExists",
        [REFUSAL_EXHAUSTED] = VFIOD_ERROR_PREFIX "Exhausted",
        [REFUSAL_BAD_ASSIGNMENTS] = VFIOD_ERROR_PREFIX "BadAssignments",
        [REFUSAL_STILL_HELD] = VFIOD_ERROR_PREFIX "StillHeld",
        [REFUSAL_CALLED_OFF] = VFIOD_ERROR_PREFIX "CalledOff",
        [REFUSAL_NOT_AUTHORISED] = SD_BUS_ERROR_ACCESS_DENIED,
        [REFUSAL_AUTHORISATION_NEEDED] = SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
};

static_assert(ELEMENTS(names) == _REFUSAL_MAX, "every refusal has a D-Bus name");

const char *bus_error_name(const Outcome *outcome) {
        if (outcome->refusal.kind != REFUSAL_NONE)
                return names[outcome->refusal.kind];
        if (outcome->timed_out)
                return VFIOD_ERROR_TIMED_OUT;
        return outcome->error != 0 ? VFIOD_ERROR_FAILED : "";
}

int bus_error_set_outcome(sd_bus_error *error, const Outcome *outcome) {
        return sd_bus_error_set(error, bus_error_name(outcome), outcome_sentence(outcome));
}

int bus_error_set_refusal(sd_bus_error *error, const Refusal *refusal) {
        return sd_bus_error_set(error, names[refusal->kind],
                                refusal->sentence ?: REFUSAL_NO_MEMORY);
}
