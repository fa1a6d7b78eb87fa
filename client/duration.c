/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/duration.h"

#include <errno.h>
#include <inttypes.h>

#include "daemon/util/string.h"

#define SECOND UINT64_C(1000000)
/* From here on a larger unit is precise enough: 120 s, then 3 min. */
#define UNITS_SHOWN_MAX 120

typedef struct Unit {
        const char *name;
        uint64_t milliseconds;
} Unit;

static const Unit units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}};

int duration_parse(const char *text, uint64_t *ret_milliseconds) {
        size_t digits = strspn(text, "0123456789");
        _cleanup_free_ char *number = strndup(text, digits);
        uint64_t value;
        int r;

        if (!number)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTS(units); i++) {
                if (!string_equal(text + digits, units[i].name))
                        continue;
                r = string_to_u64(number, DURATION_SECONDS_MAX * 1000 / units[i].milliseconds,
                                  &value);
                if (r < 0)
                        return r;
                *ret_milliseconds = value * units[i].milliseconds;
                return 0;
        }
        return -EINVAL;
}

char *duration_text(uint64_t microseconds) {
        uint64_t seconds = microseconds / SECOND + (microseconds % SECOND > 0);

        if (seconds <= UNITS_SHOWN_MAX)
                return string_format("%" PRIu64 " s", seconds);
        if (seconds / 60 <= UNITS_SHOWN_MAX)
                return string_format("%" PRIu64 " min", seconds / 60);
        return string_format("%" PRIu64 " h", seconds / 3600);
}

char *lease_state_text(const char *state, uint64_t deadline, uint64_t now) {
        _cleanup_free_ char *left = NULL;

        if (!string_equal(state, "releasing") || deadline == 0)
                return strdup(state);
        left = duration_text(deadline > now ? deadline - now : 0);
        return left ? string_format("%s, %s left", state, left) : NULL;
}
